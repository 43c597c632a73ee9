"""The versions of a brand's policy: which holds on a day, and the one that ships."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from crm.brand_policies.versions import Versions
from crm.models import Brand
from kyc.models import VerdictPolicy
from kyc.verdicts.rules import Rules, shipped

SHIPPED_REASON = gettext_noop("Policy of the release")
VERSIONS = Versions(VerdictPolicy, "rules", lambda: shipped().body(), SHIPPED_REASON)
version_on, current_policy, next_number = VERSIONS.on, VERSIONS.current, VERSIONS.next_number


def rules_on(brand: Brand, day: dt.date) -> Rules:
    """Return the rules of a day, for pages and previews: nothing is written."""
    body = VERSIONS.body_on(brand, day)
    return shipped() if body is None else Rules.read(body)


def history_of(brand: Brand) -> QuerySet[VerdictPolicy]:
    """List a brand's versions with who set them, the newest first."""
    return VERSIONS.history(brand, "set_by")
