"""The versions of a brand's risk model: which holds on a day, and the one that ships."""

from __future__ import annotations

import datetime as dt

from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from compliance.models import RiskModel
from compliance.risk_rating.content import Content, shipped
from crm.brand_policies.registry import today
from crm.models import Brand

SHIPPED_REASON = gettext_noop("Risk model of the release")
HISTORY_MAX = 50


def version_on(brand: Brand, day: dt.date) -> RiskModel | None:
    """Find the version that holds on a day; None where the shipped model holds, which wasn't written down yet."""
    return RiskModel.objects.filter(brand=brand, effective_on__lte=day).order_by("-effective_on", "-number").first()


def content_on(brand: Brand, day: dt.date) -> Content:
    """Return the model of a day, for pages and previews: nothing is written."""
    version = version_on(brand, day)
    return Content.read(version.content) if version is not None and not version.is_shipped else shipped()


def current_model(brand: Brand) -> RiskModel:
    """Return the version that rates today. The shipped model becomes a version when it rates first, and again after a
    release changed it: a rating points at what held then.
    """
    version, body = version_on(brand, today(brand)), shipped().body()
    while version is None or (version.is_shipped and version.content != body):
        # Another worker may write the same version at this moment: then that one is read.
        RiskModel.objects.bulk_create(
            [
                RiskModel(
                    brand=brand,
                    number=next_number(brand),
                    content=body,
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
    last = RiskModel.objects.filter(brand=brand).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def history_of(brand: Brand) -> QuerySet[RiskModel]:
    """List a brand's versions, the newest first, at most `HISTORY_MAX`."""
    rows = RiskModel.objects.filter(brand=brand).select_related("set_by", "approved_by")
    return rows.order_by("-number")[:HISTORY_MAX]
