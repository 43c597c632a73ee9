"""Deals of an account that was taken over: from its first day on, page by page, with flat memory."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.utils import timezone

from trading.core.batching import batched
from trading.core.clock import to_server_seconds
from trading.models import TradingAccount
from trading.platforms.base import Purpose
from trading.platforms.errors import PlatformError
from trading.platforms.pool import platform_for
from trading.sync.deals import take_in
from trading.sync.parked import parking

BATCH: Final = 1000
LEASE: Final = dt.timedelta(minutes=15)
TRY_AGAIN: Final = dt.timedelta(minutes=2)
FIRST_DAY: Final = dt.datetime(2009, 1, 1, tzinfo=dt.UTC)  # no platform keeps older deals
DAY: Final = dt.timedelta(days=1)


def read_history(account_id: int) -> int | None:
    """Read what an imported account did before; how many deals were new. None: another worker, or nothing is due.

    May be repeated at any point: deals are known by their tickets.
    """
    now = timezone.now()
    claimed = TradingAccount.objects.filter(pk=account_id, history_due_at__lte=now).update(history_due_at=now + LEASE)
    if not claimed:
        return None
    account = TradingAccount.objects.select_related("server").get(pk=account_id)
    server = account.server
    start = min(account.opened_at or FIRST_DAY, account.imported_at or now) - DAY
    first, last = (to_server_seconds(at, server.zone) * 1000 for at in (start, now + DAY))
    new = 0
    try:
        deals = platform_for(server, Purpose.BACKFILL).deals_of(account.login, from_msc=first, to_msc=last)
        with parking(server):
            for part in batched(deals, BATCH):
                new += len(take_in(server, list(part)).new)
    except PlatformError:
        TradingAccount.objects.filter(pk=account_id).update(history_due_at=timezone.now() + TRY_AGAIN)
        return None
    TradingAccount.objects.filter(pk=account_id).update(history_due_at=None)
    return new


def due_histories(*, limit: int = 20) -> list[int]:
    """List accounts whose past is still to be read, or whose reader died."""
    rows = TradingAccount.objects.filter(history_due_at__lte=timezone.now()).order_by("history_due_at")
    return list(rows.values_list("pk", flat=True)[:limit])
