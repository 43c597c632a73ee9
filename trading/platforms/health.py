"""How reading a server went lately: lag minute by minute, counters of a day, breakers and rates. For the health page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from django.db.models import Max, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.ui.charts import Chart, Series
from trading.models import SyncSample
from trading.platforms.breaker_status import GateState, states_of

LAG_HOURS: Final = 3
COUNTED_HOURS: Final = 24


@dataclass(frozen=True)
class Counter:
    """One kind of data over a day."""

    kind: str
    runs: int
    failures: int
    rows: int
    duration_ms: int
    lag_ms: int | None

    @property
    def average_ms(self) -> int:
        return round(self.duration_ms / self.runs) if self.runs else 0


@dataclass(frozen=True)
class Pulse:
    """`at` and `lags` are the minutes in which new deals came, with the largest lag of each in seconds."""

    server_id: int = 0
    at: list[dt.datetime] = field(default_factory=list)
    lags: list[Decimal] = field(default_factory=list)
    counters: dict[str, Counter] = field(default_factory=dict)
    gates: list[GateState] = field(default_factory=list)

    @property
    def chart(self) -> Chart | None:
        """The lag of the last hours; None until there are two minutes to draw."""
        if len(self.at) < 2:
            return None
        return Chart(
            id=f"lag-{self.server_id}",
            x=self.at,
            height=120,
            series=[Series(_("Lag"), self.lags, kind="area", unit="s", decimals=1)],
        )


def pulses_of(server_ids: Sequence[int]) -> dict[int, Pulse]:
    """Read the health of all servers in two queries, and once from Redis."""
    now = timezone.now()
    pulses = {pk: Pulse(pk) for pk in server_ids}
    lags = SyncSample.objects.filter(
        server_id__in=server_ids, lag_ms__isnull=False, at__gte=now - dt.timedelta(hours=LAG_HOURS)
    ).order_by("at")
    for pk, at, lag in lags.values_list("server_id", "at", "lag_ms"):
        pulses[pk].at.append(at)
        pulses[pk].lags.append(Decimal(lag or 0) / 1000)
    sums = (
        SyncSample.objects.filter(server_id__in=server_ids, at__gte=now - dt.timedelta(hours=COUNTED_HOURS))
        .order_by()
        .values_list("server_id", "kind")
        .annotate(Sum("runs"), Sum("failures"), Sum("rows"), Sum("duration_ms"), Max("lag_ms"))
    )
    for pk, kind, *figures in sums:
        pulses[pk].counters[kind] = Counter(kind, *figures)
    for pk, gates in states_of(server_ids).items():
        pulses[pk].gates.extend(gates)
    return pulses
