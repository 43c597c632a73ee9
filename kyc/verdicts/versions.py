"""The versions of a brand's policy: which holds on a day, and the one that ships."""

from __future__ import annotations

import datetime as dt

from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm.brand_policies.registry import today
from crm.models import Brand
from kyc.models import VerdictPolicy
from kyc.verdicts.rules import Rules, shipped

SHIPPED_REASON = gettext_noop("Policy of the release")
HISTORY_MAX = 50


def version_on(brand: Brand, day: dt.date) -> VerdictPolicy | None:
    """Find the version that holds on a day; None where the shipped policy holds, which wasn't written down yet."""
    return VerdictPolicy.objects.filter(brand=brand, effective_on__lte=day).order_by("-effective_on", "-number").first()


def rules_on(brand: Brand, day: dt.date) -> Rules:
    """Return the rules of a day, for pages and previews: nothing is written."""
    version = version_on(brand, day)
    return Rules.read(version.rules) if version is not None and not version.is_shipped else shipped()


def current_policy(brand: Brand) -> VerdictPolicy:
    """Return the version that decides today. The shipped policy becomes a version when it decides first, and again after a
    release changed it: a decision points at what held then.
    """
    version, body = version_on(brand, today(brand)), shipped().body()
    while version is None or (version.is_shipped and version.rules != body):
        # Another worker may write the same version at this moment: then that one is read.
        VerdictPolicy.objects.bulk_create(
            [
                VerdictPolicy(
                    brand=brand,
                    number=next_number(brand),
                    rules=body,
                    effective_on=today(brand),
                    set_at=timezone.now(),
                    reason=SHIPPED_REASON,
                )
            ],
            ignore_conflicts=True,
        )
        version = version_on(brand, today(brand))
    return version


def next_number(brand: Brand) -> int:
    """Return the number of a brand's next version."""
    last = VerdictPolicy.objects.filter(brand=brand).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def history_of(brand: Brand) -> QuerySet[VerdictPolicy]:
    """List a brand's versions, the newest first, at most `HISTORY_MAX`."""
    return VerdictPolicy.objects.filter(brand=brand).select_related("set_by").order_by("-number")[:HISTORY_MAX]
