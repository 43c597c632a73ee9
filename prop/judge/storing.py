"""What is stored of a judged account: the samples of each minute, and the figures of each server day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import orjson
from django.db import connection
from django.utils import timezone

from crm.models import Brand
from crm.money.amounts import from_minor
from prop.brand_policies import SAMPLE_DAYS
from prop.choices import AppealState
from prop.judge.days import to_time
from prop.judge.inputs import Sample
from prop.judge.kept import Minute, flat, samples_in
from prop.judge.state import State, Verdict
from prop.models import Appeal, EquityMinute, PhaseAccount

FORGOTTEN_AT_ONCE: Final = 50_000
NAMES: Final = (
    "opening_balance",
    "opening_equity",
    "closing_balance",
    "closing_equity",
    "lowest_equity",
    "highest_equity",
)
# A reopened account may go on in a minute that has a row.
STORE: Final = """
INSERT INTO prop_equityminute AS m (phase_account_id, minute, samples, deals)
SELECT n.account, n.minute, n.samples, n.deals
FROM jsonb_to_recordset(%(rows)s::jsonb) AS n(account bigint, minute timestamptz, samples bigint[], deals jsonb)
ON CONFLICT (phase_account_id, minute) DO UPDATE SET samples = m.samples || excluded.samples, deals = m.deals || excluded.deals
"""
KEEP_DAYS: Final = """
INSERT INTO prop_challengeday (phase_account_id, day, opening_balance, opening_equity, closing_balance, closing_equity,
  lowest_equity, highest_equity, trades, checkpoint)
SELECT n.account, n.day, n.opening_balance, n.opening_equity, n.closing_balance, n.closing_equity,
  n.lowest_equity, n.highest_equity, n.trades, n.checkpoint
FROM jsonb_to_recordset(%(rows)s::jsonb) AS n(account bigint, day date, opening_balance numeric, opening_equity numeric,
  closing_balance numeric, closing_equity numeric, lowest_equity numeric, highest_equity numeric, trades integer, checkpoint jsonb)
ON CONFLICT (phase_account_id, day) DO UPDATE SET opening_balance = excluded.opening_balance,
  opening_equity = excluded.opening_equity, closing_balance = excluded.closing_balance,
  closing_equity = excluded.closing_equity, lowest_equity = excluded.lowest_equity,
  highest_equity = excluded.highest_equity, trades = excluded.trades
"""


def store_minutes(phase_account_id: int, minutes: Sequence[Minute]) -> None:
    """Store the kept samples of an account's minutes that are over, in the caller's transaction."""
    store_rows([(phase_account_id, each) for each in minutes])


def store_rows(minutes: Sequence[tuple[int, Minute]]) -> None:
    """Store minutes of many accounts, in the caller's transaction."""
    if not minutes:
        return
    rows = [
        {"account": account, "minute": to_time(each.at), "samples": flat(each.samples), "deals": each.deals}
        for account, each in minutes
    ]
    with connection.cursor() as cursor:
        cursor.execute(STORE, {"rows": orjson.dumps(rows).decode()})


def kept_since(row: PhaseAccount, since: int) -> tuple[list[Sample], dict[str, list[int]]]:
    """Read the kept samples of an account after an instant, and with which net amount its deals were judged."""
    samples: list[Sample] = []
    deals: dict[str, list[int]] = {}
    stored = EquityMinute.objects.filter(phase_account=row, minute__gt=to_time(since) - dt.timedelta(minutes=1))
    for minute in stored.order_by("minute"):
        samples += samples_in(minute.samples)
        deals |= minute.deals
    if current := row.judged.get("minute"):
        stored_until = samples[-1].at if samples else since  # the minute may have been stored since the row was read
        samples += [each for each in samples_in(current["samples"]) if each.at > stored_until]
        deals |= current["deals"]
    return [each for each in samples if each.at > since], deals


def deals_judged(row: PhaseAccount) -> dict[str, list[int]]:
    """Read how each deal was judged, as far as minutes are kept."""
    kept = EquityMinute.objects.filter(phase_account=row).exclude(deals={}).order_by("minute")
    deals: dict[str, list[int]] = {}
    for noted in kept.values_list("deals", flat=True):
        deals |= noted
    return deals | ((row.judged.get("minute") or {}).get("deals") or {})


def forget_minutes(*, now: dt.datetime | None = None) -> int:
    """Delete samples that are older than their brand keeps them, a bounded number a run; not those of open appeals."""
    forgotten = 0
    appealed = Appeal.objects.filter(state=AppealState.OPEN).values("phase_account")
    for brand in Brand.objects.all():
        oldest = (now or timezone.now()) - dt.timedelta(days=SAMPLE_DAYS.of(brand))
        rows = EquityMinute.objects.filter(minute__lt=oldest, phase_account__challenge__brand=brand)
        due = rows.exclude(phase_account__in=appealed).values("pk")[:FORGOTTEN_AT_ONCE]
        forgotten += EquityMinute.objects.filter(pk__in=due).delete()[0]
    return forgotten


Day = tuple[int, Sequence[int], int]
"""A server day as its ordinal, its figures in the order of `NAMES`, and how many trades it had."""


def closed_day(verdict: Verdict) -> Day:
    """Return the figures of a server day that is over."""
    detail = verdict.detail
    low, high = (detail[name]["equity"] if detail[name] else verdict.equity for name in ("low", "high"))
    figures = (detail["opened_with"], detail["opened_equity"], verdict.balance, verdict.equity, low, high)
    return verdict.day, figures, detail["trades"]


def today(state: State) -> Day | None:
    """Return the figures of the day that an account is in; None before its first sample."""
    if state.last is None:
        return None
    seen = state.last.adjusted
    low, high = (extreme.equity if extreme else seen for extreme in (state.low, state.high))
    return state.day, (state.day_balance, state.day_equity, state.balance, seen, low, high), state.day_trades


def keep_closed_day(row: PhaseAccount, verdict: Verdict, checkpoint: dict[str, Any] | None) -> None:
    """Write the figures of a server day that is over."""
    keep_days([day_row(row.pk, row.challenge.currency, closed_day(verdict), checkpoint)])


def keep_today(row: PhaseAccount, state: State, checkpoint: dict[str, Any] | None) -> None:
    """Write the figures of the day that an account is in."""
    if day := today(state):
        keep_days([day_row(row.pk, row.challenge.currency, day, checkpoint)])


def day_row(phase_account_id: int, currency: str, day: Day, checkpoint: dict[str, Any] | None) -> dict[str, Any]:
    """Make the row of a day. checkpoint: the judge's state before it began, from which it is judged again; the first one stays."""
    ordinal, figures, trades = day
    amounts = {name: from_minor(minor, currency) for name, minor in zip(NAMES, figures, strict=True)}
    values = {"account": phase_account_id, "day": dt.date.fromordinal(ordinal), "trades": trades}
    return {**values, **amounts, "checkpoint": checkpoint}


def keep_days(rows: Sequence[dict[str, Any]]) -> None:
    """Write days as they are now: a row per account and server day, however often it is judged."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(KEEP_DAYS, {"rows": orjson.dumps(rows, default=str).decode()})
