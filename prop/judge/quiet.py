"""Many accounts in a few statements: those whose samples bring no breach, no reached target and no warning.

All others, and those whose deals were edited or read late, are left to `live.judge_account`, whose result this equals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.db.models import prefetch_related_objects

from prop.choices import StageState
from prop.judge.days import to_msc, to_time
from prop.judge.fleet import quiet_of
from prop.judge.inputs import Sample
from prop.judge.judging import GAP_MSC, Judge
from prop.judge.kept import Keeper, Minute
from prop.judge.live import QUIET, inputs_of, judge_inputs, rules_of
from prop.judge.state import Extreme, Point, Source, State, VerdictKind
from prop.judge.storing import closed_day, day_row, keep_days, store_rows, today
from prop.models import PhaseAccount, ProgrammePhase
from trading.models import Deal, SymbolInfo

BATCH: Final = 500
SILENT: Final = (VerdictKind.DAY, VerdictKind.GAP, VerdictKind.WITHHELD)
SAVE: Final = """
UPDATE prop_phaseaccount p SET judged = n.judged, judged_until = n.until, quiet_balance = n.quiet_balance,
  quiet_floor = n.quiet_floor, quiet_ceiling = n.quiet_ceiling, quiet_until = n.quiet_until
FROM jsonb_to_recordset(%(rows)s::jsonb) AS n(account bigint, judged jsonb, until timestamptz, quiet_balance bigint,
  quiet_floor bigint, quiet_ceiling bigint, quiet_until bigint) WHERE p.id = n.account
"""
DEALS: Final = """
SELECT p.id, count(d.id), coalesce(sum(d.revision), 0) FROM prop_phaseaccount p
LEFT JOIN trading_deal d ON d.account_id = p.account_id AND d.executed_at >= p.started_at AND d.executed_at <= p.judged_until
WHERE p.id = ANY(%(accounts)s) GROUP BY p.id
"""


@dataclass(slots=True)
class Batch:
    """What is to be written of some accounts."""

    accounts: dict[int, dict[str, Any]] = field(default_factory=dict)
    days: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    minutes: list[tuple[int, Minute]] = field(default_factory=list)

    def write(self) -> None:
        store_rows(self.minutes)
        keep_days([*self.days.values()])
        if self.accounts:
            with connection.cursor() as cursor:
                cursor.execute(SAVE, {"rows": orjson.dumps([*self.accounts.values()], default=str).decode()})


@transaction.atomic(durable=True)
def judge_quiet(pks: Sequence[int], samples_after: Callable[[Mapping[int, int]], dict[int, list[Sample]]]) -> set[int]:
    """Judge accounts whose samples say nothing that anybody hears of; return those that were.

    Others are left, and those that somebody has locked: no lock is waited for, so challenges, which are locked first elsewhere,
    stay unlocked.
    """
    running = PhaseAccount.objects.filter(pk__in=pks, state=StageState.RUNNING, judged_until__isnull=False)
    rows = [row for row in running.order_by("pk").select_for_update(skip_locked=True) if _is_plain(row)]
    samples = samples_after({row.pk: row.judged["state"]["at"] for row in rows})
    rows = [row for row in rows if samples[row.pk]]
    currencies = _currencies(rows)
    deals = _deals(rows, samples)
    quiet = {row.pk for row in rows if row.account_id not in deals and _is_quiet(row, samples[row.pk])}
    others = [row for row in rows if row.pk not in quiet]
    known = _known(others) if others else {}
    # Only what is judged step by step needs its rules: most accounts are quiet.
    prefetch_related_objects(others, "phase", "challenge", "account__server")
    symbols = _symbols(others, deals)
    batch = Batch()
    for row in rows:
        if row.pk in quiet:
            _move(batch, row, samples[row.pk], currencies[row.phase_id])
    for row in others:
        if row.judged.get("deals") == known[row.pk]:
            _step(batch, row, deals.get(row.account_id, []), samples[row.pk], symbols)
    batch.write()
    return set(batch.accounts)


def _currencies(rows: Sequence[PhaseAccount]) -> dict[int, str]:
    """Return the currency of each phase's version, which is its challenges'."""
    phases = ProgrammePhase.objects.filter(pk__in={row.phase_id for row in rows})
    return dict(phases.order_by().values_list("pk", "version__currency"))


def _symbols(rows: Sequence[PhaseAccount], deals: Mapping[int, Sequence[Deal]]) -> dict[int, dict[str, SymbolInfo]]:
    """Read what is known of the traded symbols, by server: once for all accounts."""
    names = {deal.symbol for each in deals.values() for deal in each if deal.symbol}
    found: dict[int, dict[str, SymbolInfo]] = {row.account.server_id: {} for row in rows}
    for info in SymbolInfo.objects.filter(server__in=list(found), name__in=names) if names else ():
        found[info.server_id][info.name] = info
    return found


def _is_plain(row: PhaseAccount) -> bool:
    return bool(row.judged) and bool(row.judged["state"]["last"]) and not row.judged.get("waiting")


def _known(rows: Sequence[PhaseAccount]) -> dict[int, dict[str, int]]:
    """Count deals and revisions as `live.count_deals` does."""
    with connection.cursor() as cursor:
        cursor.execute(DEALS, {"accounts": [row.pk for row in rows]})
        return {pk: {"number": number, "revisions": revisions} for pk, number, revisions in cursor.fetchall()}


def _deals(rows: Sequence[PhaseAccount], samples: dict[int, list[Sample]]) -> dict[int, list[Deal]]:
    """Read the deals between what was judged and the last sample, by trading account."""
    found: dict[int, list[Deal]] = {}
    if rows:
        since = min(row.judged["state"]["at"] for row in rows)
        until = {row.account_id: (row.judged["state"]["at"], samples[row.pk][-1].at) for row in rows}
        deals = Deal.every.filter(account_id__in=list(until), executed_at__gt=to_time(since))
        for deal in deals:
            account = deal.account_id or 0
            begin, end = until[account]
            if begin < to_msc(deal.executed_at) <= end:
                found.setdefault(account, []).append(deal)
    return found


def _is_quiet(row: PhaseAccount, samples: Sequence[Sample]) -> bool:
    balance, floor, ceiling, until = (getattr(row, name) for name in QUIET)
    if balance is None:
        return False
    at = row.judged["state"]["last"]["at"]
    for each in samples:
        if each.at - at > GAP_MSC or each.at >= until or each.balance != balance:
            return False
        if not floor < each.equity < ceiling:
            return False
        at = each.at
    return True


def _move(batch: Batch, row: PhaseAccount, samples: Sequence[Sample], currency: str) -> None:
    """Take quiet samples: only the last one and the day's extremes move."""
    before, last = row.judged["state"], samples[-1]
    aside = before["aside"]
    lowest, highest = min(samples, key=lambda each: each.equity), max(samples, key=lambda each: each.equity)
    point = Point(last.at, last.balance, last.equity, aside)
    state = {**before, "at": last.at, "rank": Sample.rank, "last": asdict(point)}
    low, high = lowest.equity - aside, highest.equity - aside
    if low < before["low"]["equity"]:
        state["low"] = asdict(Extreme(lowest.at, low, Source.SAMPLED))
    if high > before["high"]["equity"]:
        state["high"] = asdict(Extreme(highest.at, high, Source.SAMPLED))
    keeper = _keeper(row)
    for each in samples:
        keeper.take(each, ())
    figures = (
        state["day_balance"],
        state["day_equity"],
        state["balance"],
        point.adjusted,
        state["low"]["equity"],
        state["high"]["equity"],
    )
    _put(batch, row, state, keeper, {name: getattr(row, name) for name in QUIET})
    day = (state["day"], figures, state["day_trades"])
    batch.days[row.pk, state["day"]] = day_row(row.pk, currency, day, before)


def _step(
    batch: Batch,
    row: PhaseAccount,
    deals: Sequence[Deal],
    samples: Sequence[Sample],
    symbols: Mapping[int, dict[str, SymbolInfo]],
) -> None:
    """Take deals and samples one by one; nothing is written where one of them says something that is heard."""
    if deals and row.phase.news_minutes is not None:
        return
    before, judge, keeper = row.judged["state"], Judge(rules_of(row)), _keeper(row)
    state = State.from_json(before)
    inputs = inputs_of(row, deals, symbols=symbols[row.account.server_id])
    verdicts = judge_inputs(row, judge, state, keeper, deals, samples, inputs=inputs)
    if any(verdict.kind not in SILENT for verdict in verdicts):
        return
    known = row.judged["deals"]
    row.judged["deals"] = {
        "number": known["number"] + len(deals),
        "revisions": known["revisions"] + sum(deal.revision for deal in deals),
    }
    bounds = quiet_of(state, judge)
    _put(
        batch,
        row,
        state.to_json(),
        keeper,
        {name: getattr(bounds, name.removeprefix("quiet_"), None) for name in QUIET},
    )
    days = [closed_day(verdict) for verdict in verdicts if verdict.kind == VerdictKind.DAY]
    if (current := today(state)) is not None:
        days.append(current)
    for day in days:
        batch.days[row.pk, day[0]] = day_row(row.pk, row.challenge.currency, day, before)


def _keeper(row: PhaseAccount) -> Keeper:
    kept = row.judged.get("minute")
    return Keeper(Minute.from_json(kept) if kept else None)


def _put(batch: Batch, row: PhaseAccount, state: dict[str, Any], keeper: Keeper, quiet: dict[str, int | None]) -> None:
    current = keeper.current.to_json() if keeper.current else None
    judged = {**row.judged, "state": state, "minute": current}
    batch.minutes += [(row.pk, minute) for minute in keeper.over]
    batch.accounts[row.pk] = {"account": row.pk, "judged": judged, "until": to_time(state["at"]), **quiet}
