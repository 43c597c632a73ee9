"""Whose figures a user sees, and how they are put together. Reads only day figures and a few indexed rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import Brand, User
from crm.security.scope import reach_of
from ib.models import PartnerDay
from kyc.choices import DocumentState
from kyc.models import Document
from monitoring.queries import desks_reached_as_a_whole
from reports.figures import Reach
from risk.dealing.routing import SEES as SEES_BOOKS

# Ages of what waits, in hours: up to each, and the rest.
AGES = (4, 24, 72)
QUEUE_MAX = 2_000


def reach_of_reports(user: User) -> Reach:
    """Return whole brands, and for heads the desks they were granted; owning a book doesn't open others' figures."""
    return Reach(brands=reach_of(user).whole_brands, desks=frozenset(desks_reached_as_a_whole(user)))


def sees_revenue(user: User) -> bool:
    """Check whether somebody may see what trading brought the company.

    Whoever sees what single clients lost could read off the revenue of few clients on which execution book these are: they see it
    only where they see execution books.
    """
    return user.has_perm(SEES_BOOKS) or not user.has_perm("trading.view_deal_list")


@dataclass(frozen=True)
class Age:
    label: str
    count: int
    is_late: bool


def _brands(user: User, brand: Brand | None) -> frozenset[int]:
    whole = reach_of(user).whole_brands
    return whole & {brand.pk} if brand else whole


def queue_ages(user: User, *, brand: Brand | None = None) -> list[Age]:
    """Count the documents by how long they have waited for a decision: the oldest two thousand at most."""
    waiting = Document.objects.filter(
        state=DocumentState.PENDING_REVIEW, client__brand_id__in=_brands(user, brand)
    ).order_by("uploaded_at", "id")
    now = timezone.now()
    hours = [(now - at).total_seconds() / 3600 for at in waiting.values_list("uploaded_at", flat=True)[:QUEUE_MAX]]
    ages, lower = [], 0
    for upper in AGES:
        count = sum(lower <= age < upper for age in hours)
        ages.append(Age(_("under %(hours)s hours") % {"hours": upper}, count, False))
        lower = upper
    return [*ages, Age(_("longer"), sum(age >= lower for age in hours), True)]


def commissions_per_day(
    user: User, first: dt.date, last: dt.date, *, brand: Brand | None = None
) -> dict[str, dict[dt.date, Any]]:
    """Sum partners' commissions per day of the trades and currency."""
    rows = (
        PartnerDay.objects.filter(partner__brand_id__in=_brands(user, brand), day__gte=first, day__lte=last)
        .order_by()
        .values_list("currency", "day")
        .annotate(total=Sum("amount"))
    )
    commissions: dict[str, dict[dt.date, Any]] = {}
    for currency, day, total in rows:
        commissions.setdefault(currency, {})[day] = total
    return commissions
