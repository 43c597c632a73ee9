"""The versions of a brand's risk model: which holds on a day, and the one that ships."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from compliance.models import RiskModel
from compliance.risk_rating.content import Content, shipped
from crm.brand_policies.versions import Versions
from crm.models import Brand

SHIPPED_REASON = gettext_noop("Risk model of the release")
VERSIONS = Versions(RiskModel, "content", lambda: shipped().body(), SHIPPED_REASON)
version_on, current_model, next_number = VERSIONS.on, VERSIONS.current, VERSIONS.next_number


def content_on(brand: Brand, day: dt.date) -> Content:
    """Return the model of a day, for pages and previews: nothing is written."""
    body = VERSIONS.body_on(brand, day)
    return shipped() if body is None else Content.read(body)


def history_of(brand: Brand) -> QuerySet[RiskModel]:
    """List a brand's versions with who set and approved them, the newest first."""
    return VERSIONS.history(brand, "set_by", "approved_by")
