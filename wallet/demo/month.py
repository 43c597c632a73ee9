"""The demo's client money since the month that was closed last, and the daily runs of its PSPs and banks.

Trading servers are read once they run.
"""

from __future__ import annotations

import datetime as dt

from crm.demo import Demo
from wallet.choices.month_end import SourceKind
from wallet.closing import client_money
from wallet.reconciliation import source_runs

RUN_DAYS = 14


def write_client_money(demo: Demo) -> None:
    """Every day of last month, before it is closed, and of this one until yesterday."""
    yesterday = _yesterday(demo)
    first = (demo.now.astimezone(dt.UTC).date().replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    for brand in demo.brands:
        for back in range((yesterday - first).days, -1, -1):
            client_money.keep_day(brand=brand, day=yesterday - dt.timedelta(days=back))


def write_runs(demo: Demo) -> None:
    days = [_yesterday(demo) - dt.timedelta(days=back) for back in range(RUN_DAYS - 1, -1, -1)]
    for source in source_runs.sources_of(demo.brands):
        if source.kind != SourceKind.PLATFORM:
            for day in days:
                source_runs.run_source(source, day)


def _yesterday(demo: Demo) -> dt.date:
    return demo.now.astimezone(dt.UTC).date() - dt.timedelta(days=1)
