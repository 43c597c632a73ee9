from django.db.models import Q

from crm.file_columns import FileColumn, declare
from leads.choices import ImportState
from leads.models import LeadImport

OPEN = (ImportState.MAPPING, ImportState.CHECKING, ImportState.CHECKED, ImportState.FAILED, ImportState.IMPORTING)

declare(FileColumn(LeadImport, "id", "lead-imports", purpose="lead-import", rows=Q(state__in=OPEN)))
