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
from prop.models import Appeal, ChallengeDay, EquityMinute, PhaseAccount

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


def keep_closed_day(row: PhaseAccount, verdict: Verdict, checkpoint: dict[str, Any] | None) -> None:
    """Write the figures of a server day that is over."""
    detail = verdict.detail
    low, high = (detail[name]["equity"] if detail[name] else verdict.equity for name in ("low", "high"))
    figures = (detail["opened_with"], detail["opened_equity"], verdict.balance, verdict.equity, low, high)
    _keep_day(row, verdict.day, figures, detail["trades"], checkpoint)


def keep_today(row: PhaseAccount, state: State, checkpoint: dict[str, Any] | None) -> None:
    """Write the figures of the day that an account is in."""
    if state.last is None:
        return
    seen = state.last.adjusted
    low, high = (extreme.equity if extreme else seen for extreme in (state.low, state.high))
    figures = (state.day_balance, state.day_equity, state.balance, seen, low, high)
    _keep_day(row, state.day, figures, state.day_trades, checkpoint)


def _keep_day(
    row: PhaseAccount, day: int, figures: Sequence[int], trades: int, checkpoint: dict[str, Any] | None
) -> None:
    """Write a day's figures as they are now: a row per account and server day, however often it is judged.

    checkpoint: the judge's state before the day began, from which it is judged again; the first one stays.
    """
    currency = row.challenge.currency
    values: dict[str, Any] = {name: from_minor(minor, currency) for name, minor in zip(NAMES, figures, strict=True)} | {
        "trades": trades
    }
    ChallengeDay.objects.update_or_create(
        phase_account=row,
        day=dt.date.fromordinal(day),
        defaults=values,
        create_defaults={**values, "checkpoint": checkpoint},
    )
