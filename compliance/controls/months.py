"""A brand's months: measured while they run, kept with a digest when they have ended."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import orjson
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from compliance.audit_codes import ComplianceAction
from compliance.controls.measures import Figure, Period, measured
from compliance.models import ControlReport
from crm.brand_policies.registry import today
from crm.models import Brand
from crm.security import audit

MONTHS_MAX: Final = 60
# Two of the controls count every verified client: a brand's running month is measured at most once an hour.
MEASURED_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Month:
    """The controls of a month. kept: None while it runs; its figures are then of `measured_at`, at most an hour ago."""

    brand: Brand
    first: dt.date
    figures: tuple[Figure, ...]
    kept: ControlReport | None
    measured_at: dt.datetime

    @property
    def failed(self) -> list[Figure]:
        return [figure for figure in self.figures if figure.failed]

    @property
    def is_intact(self) -> bool:
        """Whether a kept report still has the digest of its figures."""
        return self.kept is None or self.kept.digest == digest_of(self.kept.brand_id, self.first, list(self.figures))


def period_of(brand: Brand, first: dt.date, now: dt.datetime) -> Period:
    """Return a month by the brand's calendar, up to now where it still runs."""
    zone = ZoneInfo(brand.time_zone or "UTC")
    end = dt.datetime.combine(after(first), dt.time(), zone)
    return Period(brand, dt.datetime.combine(first, dt.time(), zone), min(end, now))


def after(first: dt.date) -> dt.date:
    """Return the first day of the next month."""
    return (first + dt.timedelta(days=32)).replace(day=1)


def before(first: dt.date) -> dt.date:
    """Return the first day of the month before."""
    return (first - dt.timedelta(days=1)).replace(day=1)


def digest_of(brand_id: int, first: dt.date, figures: list[Figure]) -> str:
    """Compute the digest of a month's figures: SHA-256 over their JSON with sorted keys."""
    body = {"brand": brand_id, "month": first.isoformat(), "figures": [figure.body() for figure in figures]}
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def month_of(brand: Brand, first: dt.date) -> Month | None:
    """Read a kept month, or measure the running one; None for a month that was never kept."""
    kept = ControlReport.objects.filter(brand=brand, month=first).first()
    if kept is not None:
        return Month(brand, first, tuple(Figure.read(body) for body in kept.figures), kept, kept.closed_at)
    now, running = timezone.now(), today(brand).replace(day=1)
    # The month that has just ended is kept by the next nightly run; until then it is measured, too.
    if first not in (running, before(running)):
        return None
    return _running_month(brand, first, now)


def _running_month(brand: Brand, first: dt.date, now: dt.datetime) -> Month:
    key = f"controls:{brand.pk}:{first:%Y-%m}"
    stored = cache.get(key)
    if stored is None:
        figures = [figure.body() for figure in measured(period_of(brand, first, now))]
        stored = {"at": now.isoformat(), "figures": figures}
        cache.set(key, stored, MEASURED_SECONDS)
    figures_then = tuple(Figure.read(body) for body in stored["figures"])
    return Month(brand, first, figures_then, None, dt.datetime.fromisoformat(stored["at"]))


def kept_months(brand: Brand) -> list[ControlReport]:
    """List a brand's kept months, the newest first, at most `MONTHS_MAX`."""
    return list(ControlReport.objects.filter(brand=brand).order_by("-month")[:MONTHS_MAX])


def keep_month(*, brand: Brand, first: dt.date) -> ControlReport | None:
    """Keep a month that has ended; None where it runs still or is kept already."""
    if after(first) > today(brand) or ControlReport.objects.filter(brand=brand, month=first).exists():
        return None
    now = timezone.now()
    with transaction.atomic():
        figures = measured(period_of(brand, first, now))
        made, is_new = ControlReport.objects.get_or_create(
            brand=brand,
            month=first,
            defaults={
                "figures": [figure.body() for figure in figures],
                "digest": digest_of(brand.pk, first, figures),
                "closed_at": now,
            },
        )
        if is_new:
            audit.record(
                actor=None,
                action=ComplianceAction.CONTROLS_KEPT,
                target=made,
                brand_id=brand.pk,
                after={"month": first.isoformat(), "digest": made.digest},
            )
    return made if is_new else None


def keep_ended_months() -> int:
    """Keep the month before for every brand where it isn't. Returns how many were kept."""
    return sum(
        keep_month(brand=brand, first=before(today(brand).replace(day=1))) is not None
        for brand in Brand.objects.order_by("pk")
    )
