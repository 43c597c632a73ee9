"""Figures of a challenge account per day of its server, from the balance and equity as the sync reads them.

They are what was sampled: an equity between two samples is not in them. A day of 23 or 25 hours is one day.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import F

from crm.db.locking import lock
from crm.queue.for_each import for_each_isolated
from prop.choices import StageState
from prop.models import ChallengeDay, PhaseAccount
from trading.choices import TRADES
from trading.models import Deal, TradingAccount

BATCH: Final = 2_000


def note_days() -> int:
    """Note the day of each running account that was read again since; returns of how many."""
    newer = PhaseAccount.objects.filter(state=StageState.RUNNING, account__synced_at__gt=F("judged_until"))
    return for_each_isolated(note_day, newer.order_by("judged_until").values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def note_day(phase_account_id: int) -> ChallengeDay | None:
    """Take an account's last sample into its server day; None where there is no newer one. A repeat changes nothing."""
    row = lock(PhaseAccount, phase_account_id, "challenge", "account__server")
    account = row.account
    read, since = account.synced_at, row.judged_until
    if row.state != StageState.RUNNING or read is None or since is None or read <= since:
        return None
    day = read.astimezone(account.server.zone).date()
    kept = _day(row, day, account)
    kept.closing_balance, kept.closing_equity = account.balance, account.equity
    kept.lowest_equity = min(kept.lowest_equity, account.equity)
    kept.highest_equity = max(kept.highest_equity, account.equity)
    kept.samples += 1
    kept.trades = _trades(account, day)
    kept.save()
    row.judged_until = read
    row.save(update_fields=["judged_until"])
    return kept


def _day(row: PhaseAccount, day: dt.date, account: TradingAccount) -> ChallengeDay:
    """Find a day's row, or begin it with what the account was at the end of the last day known."""
    last = row.days.order_by("-day").first()
    if last is not None and last.day == day:
        return last
    start: Decimal = row.challenge.balance
    balance, equity = (last.closing_balance, last.closing_equity) if last is not None else (start, start)
    return ChallengeDay(
        phase_account=row,
        day=day,
        opening_balance=balance,
        opening_equity=equity,
        closing_balance=balance,
        closing_equity=equity,
        lowest_equity=equity,
        highest_equity=equity,
    )


def _trades(account: TradingAccount, day: dt.date) -> int:
    """Count the trades of a server day that are still on the platform."""
    zone = account.server.zone
    begin, end = (dt.datetime.combine(one, dt.time(), zone) for one in (day, day + dt.timedelta(days=1)))
    rows = Deal.objects.filter(account=account, executed_at__gte=begin, executed_at__lt=end, action__in=TRADES)
    return rows.count()
