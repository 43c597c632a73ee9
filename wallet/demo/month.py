"""The demo's last two weeks of client money, and the daily runs of its PSPs and banks; trading servers are read once they run."""

from __future__ import annotations

import datetime as dt

from crm.demo import Demo
from wallet import client_money, source_runs
from wallet.month_choices import SourceKind

DAYS = 14


def write_month(demo: Demo) -> None:
    yesterday = demo.now.astimezone(dt.UTC).date() - dt.timedelta(days=1)
    days = [yesterday - dt.timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    for brand in demo.brands:
        for day in days:
            client_money.keep_day(brand=brand, day=day)
    for source in source_runs.sources_of(demo.brands):
        if source.kind != SourceKind.PLATFORM:
            for day in days:
                source_runs.run_source(source, day)
