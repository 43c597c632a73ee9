"""Reads of vendors, checks and notices: each starts from what the person may see."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet

from clients.queries import clients_visible_to
from compliance.models import ScreeningVendor, VendorCheck, VendorNotice
from compliance.vendors.choices import PENDING, CheckState
from crm.models import User
from crm.security.scope import reach_of


def vendors_visible_to(user: User) -> QuerySet[ScreeningVendor]:
    """Select the connections of the brands that a person reaches as a whole; their keys aren't read."""
    rows = ScreeningVendor.objects.filter(brand__in=reach_of(user).whole_brands).select_related("brand")
    return rows.defer("sealed_credentials")


def checks_visible_to(user: User) -> QuerySet[VendorCheck]:
    """Select the checks of clients in reach and their parties."""
    return VendorCheck.objects.filter(client__in=clients_visible_to(user))


def notices_visible_to(user: User) -> QuerySet[VendorNotice]:
    """Select the webhooks of the brands that a person reaches as a whole, without their bodies."""
    rows = VendorNotice.objects.filter(connection__brand__in=reach_of(user).whole_brands)
    return rows.defer("body_sealed", "connection__sealed_credentials")


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far a vendor is with a brand's clients and their parties. oldest_at: since when the longest pending waits."""

    answered: int
    pending: int
    parked: int
    oldest_at: dt.datetime | None
    oldest_answer_at: dt.datetime | None


def freshness_of(vendor: ScreeningVendor) -> Freshness:
    """Count a vendor's checks: by its index, however many there are."""
    found = VendorCheck.objects.filter(vendor=vendor).aggregate(
        answered=Count("pk", filter=Q(state=CheckState.ANSWERED)),
        pending=Count("pk", filter=Q(state__in=PENDING)),
        parked=Count("pk", filter=Q(state__in=[CheckState.UNKNOWN, CheckState.REFUSED])),
        oldest_at=Min("wanted_at", filter=Q(state__in=PENDING)),
        oldest_answer_at=Min("answered_at", filter=Q(state=CheckState.ANSWERED)),
    )
    return Freshness(**found)
