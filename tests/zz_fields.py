import pytest
from crm.models import AuditEvent
from compliance.audit_log.field_labels import FIELD_LABELS
from crm.i18n import catalogues
from django.conf import settings
pytestmark = pytest.mark.django_db
def test_fields(demo_world):
    from crm.security.audit import read as r
