"""Quiet accounts, many in a few statements: their samples move the last one and the day's extremes, and nothing else.

Whatever isn't plainly so is left to `live.judge_account`, whose result this equals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.db.models import F

from crm.money.amounts import from_minor
from prop.choices import StageState
from prop.judge.days import to_time
from prop.judge.inputs import Sample
from prop.judge.judging import GAP_MSC
from prop.judge.kept import Keeper, Minute
from prop.judge.state import Extreme, Point, Source
from prop.judge.storing import store_rows
from prop.models import PhaseAccount

BATCH: Final = 500
SAVE: Final = """
UPDATE prop_phaseaccount p SET judged = n.judged, judged_until = n.until
FROM jsonb_to_recordset(%(rows)s::jsonb) AS n(account bigint, judged jsonb, until timestamptz) WHERE p.id = n.account
"""
DAYS: Final = """
UPDATE prop_challengeday d SET closing_equity = n.equity, lowest_equity = n.low, highest_equity = n.high
FROM jsonb_to_recordset(%(rows)s::jsonb) AS n(account bigint, day date, equity numeric, low numeric, high numeric)
WHERE d.phase_account_id = n.account AND d.day = n.day
"""


@transaction.atomic(durable=True)
def judge_quiet(pks: Sequence[int], samples_of: Callable[[int], list[Sample]]) -> set[int]:
    """Judge accounts whose samples are all quiet; return those that were. Others, and those that somebody has locked, are left."""
    # No lock is waited for: challenges, which are locked first elsewhere, stay unlocked here.
    rows = PhaseAccount.objects.filter(pk__in=pks, state=StageState.RUNNING, quiet_balance__isnull=False)
    rows = (
        rows.annotate(currency=F("challenge__currency"))
        .order_by("pk")
        .select_for_update(skip_locked=True, of=("self",))
    )
    saved: dict[int, dict[str, Any]] = {}
    days: list[dict[str, Any]] = []
    minutes: list[tuple[int, Minute]] = []
    for row in rows:
        samples = [each for each in samples_of(row.pk) if each.at > row.judged["state"]["at"]]
        if not _is_quiet(row, samples):
            continue
        state = _moved(row.judged["state"], samples)
        kept = row.judged.get("minute")
        keeper = Keeper(Minute.from_json(kept) if kept else None)
        for each in samples:
            keeper.take(each, ())
        minutes += [(row.pk, minute) for minute in keeper.over]
        current = keeper.current.to_json() if keeper.current else None
        judged = {**row.judged, "state": state, "minute": current}
        saved[row.pk] = {"account": row.pk, "judged": judged, "until": to_time(state["at"])}
        days.append({"account": row.pk, **_figures(state, row.currency)})
    if saved:
        store_rows(minutes)
        with connection.cursor() as cursor:
            for statement, values in ((SAVE, [*saved.values()]), (DAYS, days)):
                cursor.execute(statement, {"rows": orjson.dumps(values, default=str).decode()})
    return set(saved)


def _is_quiet(row: PhaseAccount, samples: Sequence[Sample]) -> bool:
    last = row.judged["state"]["last"] if row.judged else None
    if not samples or not last or row.judged.get("waiting"):
        return False
    balance, floor, ceiling, until = row.quiet_balance, row.quiet_floor, row.quiet_ceiling, row.quiet_until
    if floor is None or ceiling is None or until is None:
        return False
    at = last["at"]
    for each in samples:
        if each.at - at > GAP_MSC or each.at >= until or each.balance != balance:
            return False
        if not floor < each.equity < ceiling:
            return False
        at = each.at
    return True


def _moved(state: dict[str, Any], samples: Sequence[Sample]) -> dict[str, Any]:
    """Take quiet samples into a state's plain values."""
    aside, last = state["aside"], samples[-1]
    lowest, highest = min(samples, key=lambda each: each.equity), max(samples, key=lambda each: each.equity)
    moved = {
        **state,
        "at": last.at,
        "rank": Sample.rank,
        "last": asdict(Point(last.at, last.balance, last.equity, aside)),
    }
    low, high = lowest.equity - aside, highest.equity - aside
    if low < state["low"]["equity"]:
        moved["low"] = asdict(Extreme(lowest.at, low, Source.SAMPLED))
    if high > state["high"]["equity"]:
        moved["high"] = asdict(Extreme(highest.at, high, Source.SAMPLED))
    return moved


def _figures(state: dict[str, Any], currency: str) -> dict[str, Any]:
    equity = state["last"]["equity"] - state["aside"]
    amounts = {"equity": equity, "low": state["low"]["equity"], "high": state["high"]["equity"]}
    return {
        "day": dt.date.fromordinal(state["day"]),
        **{name: from_minor(minor, currency) for name, minor in amounts.items()},
    }
