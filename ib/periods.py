"""Settlement periods: calendar months in the brand's time zone, until somebody settles earlier."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from crm.models import Brand
from ib.choices import PeriodState
from ib.models import SettlementPeriod


def lock_commissions(brand_id: int) -> None:
    """Lock a brand's commissions: runs never race each other, and a period closes between runs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('ib.commissions'), %s)", [brand_id])


def month_of(at: dt.datetime, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """Return the calendar month around an instant, as instants: first included, last excluded."""
    local = at.astimezone(zone)
    first = dt.datetime(local.year, local.month, 1, tzinfo=zone)
    following = (first + dt.timedelta(days=32)).replace(day=1)
    return first.astimezone(dt.UTC), following.astimezone(dt.UTC)


def ensure_periods(brand: Brand, first: dt.datetime, last: dt.datetime) -> None:
    """Create the periods that are missing from `first` to `last`, and for now. Call with the brand's commissions locked."""
    zone = ZoneInfo(brand.time_zone)
    known = list(SettlementPeriod.objects.filter(brand=brand).order_by("starts_at").values_list("starts_at", "ends_at"))
    missing: list[SettlementPeriod] = []
    at = first
    end = max(last, timezone.now())
    while at <= end:
        covering = next((upper for lower, upper in known if lower <= at < upper), None)
        if covering is None:
            lower, upper = month_of(at, zone)
            lower = max([lower, *(known_to for _from, known_to in known if known_to <= at)])
            upper = min([upper, *(known_from for known_from, _to in known if known_from > at)])
            missing.append(
                SettlementPeriod(brand=brand, name=f"{lower.astimezone(zone):%Y-%m}", starts_at=lower, ends_at=upper)
            )
            covering = upper
        at = covering
    SettlementPeriod.objects.bulk_create(missing)


def open_period(brand_id: int) -> SettlementPeriod | None:
    """Find the earliest open period, to which late facts go."""
    return SettlementPeriod.objects.filter(brand_id=brand_id, state=PeriodState.OPEN).order_by("starts_at").first()
