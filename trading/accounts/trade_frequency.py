"""Significant trades per quarter, for clients who ask to be professional."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Count, Q

from clients.models import Client
from kyc.categories.figures import reads_trades
from trading.choices import DealAction, DealEntry
from trading.models import Deal


@reads_trades
def trades_in(client: Client, periods: Sequence[tuple[dt.date, dt.date]], lots: Decimal) -> list[int]:
    """Count a client's openings of at least so many lots on real accounts, for each period [from, until) in UTC. One query."""
    opened = Deal.objects.filter(
        account__in=client.trading_accounts.filter(is_demo=False).values("pk"),
        executed_at__gte=_midnight(periods[0][0]),
        executed_at__lt=_midnight(periods[-1][1]),
        action__in=(DealAction.BUY, DealAction.SELL),
        entry__in=(DealEntry.IN, DealEntry.INOUT),
        lots__gte=lots,
    )
    counts = {
        f"n{number}": Count("pk", filter=Q(executed_at__gte=_midnight(start), executed_at__lt=_midnight(until)))
        for number, (start, until) in enumerate(periods)
    }
    row = opened.aggregate(**counts)
    return [row[name] for name in counts]


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
