"""Judging rounds of samples: whoever a sample says something of is judged immediately, all others once a minute.

An account's quiet bounds (`prop.judge.fleet.quiet_of`) say which samples change nothing but its last sample and the day's extremes.
One statement per round finds those that break them. Everything that was read is in the rounds until every account was judged
beyond it, so a worker that dies leaves nothing out, and another one judges nothing twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import Min
from numpy.typing import NDArray

from crm.queue.for_each import for_each_isolated
from prop.choices import StageState
from prop.judge import live
from prop.judge.days import to_msc, to_time
from prop.judge.inputs import Sample
from prop.judge.quiet import BATCH, judge_quiet
from prop.models import EquityRound, PhaseAccount
from trading.core.batching import batched

JUDGE_LOCK: Final = 29_001
QUIET: Final = dt.timedelta(seconds=30)  # after which an account is judged whatever its samples say
PASSES: Final = 20  # in which all quiet accounts of a server have their turn: none of them keeps the others waiting
SPAN: Final = dt.timedelta(seconds=75)  # of one pass: memory stays flat however long the judge was away
HELD: Final = dt.timedelta(hours=1)
TELLING: Final = """
SELECT DISTINCT p.id FROM prop_equityround r
CROSS JOIN LATERAL unnest(r.accounts, r.balances, r.equities) AS s(id, balance, equity)
JOIN prop_phaseaccount p ON p.id = s.id
WHERE r.id = ANY(%(rounds)s) AND p.state = 'running' AND (p.judged_until IS NULL OR r.at > p.judged_until)
  AND (s.balance = p.quiet_balance AND s.equity > p.quiet_floor AND s.equity < p.quiet_ceiling
    AND extract(epoch FROM r.at) * 1000 < p.quiet_until) IS NOT TRUE
"""
# Samples of accounts that traded: the bound on the time is what prunes partitions.
TRADED: Final = """
SELECT DISTINCT p.id FROM trading_deal d JOIN prop_phaseaccount p ON p.account_id = d.account_id
WHERE d.executed_at > %(since)s AND d.executed_at <= %(until)s AND d.executed_at > p.judged_until
  AND d.server_id = %(server)s AND p.state = 'running'
"""


@dataclass(frozen=True, slots=True)
class Round:
    """A round as the judge reads it; `accounts` ascend."""

    at: int
    accounts: NDArray[np.int64]
    balances: NDArray[np.int64]
    equities: NDArray[np.int64]


_read: dict[int, dict[int, Round]] = {}


def servers_to_judge() -> list[int]:
    """List the servers with samples that wait."""
    return list(EquityRound.objects.order_by("server_id").values_list("server_id", flat=True).distinct())


def judge_server(server_id: int) -> int:
    """Judge what was sampled of a server. Returns how many accounts were judged; none while another worker does it."""
    with _ours(server_id) as is_ours:
        return _judge(server_id) if is_ours else 0


def _judge(server_id: int) -> int:
    waiting = EquityRound.objects.filter(server_id=server_id).order_by("at", "pk")
    oldest = waiting.values_list("at", flat=True).first()
    if oldest is None:
        return 0
    until = min(to_time(live.deals_read_until(server_id)), oldest + SPAN)
    found = list(waiting.filter(at__lte=until).values_list("pk", "is_checked"))
    rounds = _rounds(server_id, [pk for pk, _is_checked in found])
    unchecked = [pk for pk, is_checked in found if not is_checked]
    judged = 0
    for part in batched(_due(server_id, unchecked, oldest, until), BATCH):
        done = judge_quiet(part, lambda since: samples_after(since, rounds))
        others = [pk for pk in part if pk not in done]
        judged += len(done) + for_each_isolated(lambda pk: _judge_account(pk, rounds), others)
    EquityRound.objects.filter(pk__in=unchecked).update(is_checked=True)
    _forget(server_id, until)
    return judged


def _due(server_id: int, unchecked: Sequence[int], oldest: dt.datetime, until: dt.datetime) -> list[int]:
    """List the accounts that traded or of which a sample says something, then those that were quiet for long."""
    first = set(_ids(TRADED, server=server_id, since=oldest - QUIET, until=until))
    first |= set(_ids(TELLING, rounds=list(unchecked)) if unchecked else [])
    running = PhaseAccount.objects.filter(state=StageState.RUNNING, account__server_id=server_id)
    most = max(BATCH, running.count() // PASSES)
    quiet = running.filter(judged_until__lte=until - QUIET).order_by("judged_until", "pk").values_list("pk", flat=True)
    return [*sorted(first), *(pk for pk in quiet[:most] if pk not in first)]


def _judge_account(pk: int, rounds: Sequence[Round]) -> bool:
    samples = samples_after({pk: 0}, rounds)[pk]
    return bool(samples) and live.judge_account(pk, samples=samples)


def samples_after(since: Mapping[int, int], rounds: Sequence[Round]) -> dict[int, list[Sample]]:
    """Give each account's samples after its own instant, in their order: of a round all accounts together are looked up."""
    found: dict[int, list[Sample]] = {pk: [] for pk in since}
    if not since:
        return found
    wanted = np.array(sorted(since), dtype=np.int64)
    begins = np.array([since[pk] for pk in wanted.tolist()], dtype=np.int64)
    first, last, earliest = wanted[0], wanted[-1], begins.min()
    for each in rounds:
        if each.at <= earliest or each.accounts[-1] < first or each.accounts[0] > last:
            continue
        places = np.minimum(np.searchsorted(each.accounts, wanted), len(each.accounts) - 1)
        is_asked = (each.accounts[places] == wanted) & (begins < each.at)
        rows = places[is_asked]
        figures = zip(
            wanted[is_asked].tolist(), each.balances[rows].tolist(), each.equities[rows].tolist(), strict=True
        )
        for pk, balance, equity in figures:
            found[pk].append(Sample(each.at, balance, equity))
    return found


def _rounds(server_id: int, pks: Sequence[int]) -> list[Round]:
    """Read rounds in their order; those of the last pass are still known."""
    known = _read.get(server_id, {})
    new = {row.pk: _round(row) for row in EquityRound.objects.filter(pk__in=[pk for pk in pks if pk not in known])}
    _read[server_id] = {pk: each for pk in pks if (each := known.get(pk) or new.get(pk))}
    return list(_read[server_id].values())


def _round(row: EquityRound) -> Round:
    columns = (row.accounts, row.balances, row.equities)
    return Round(to_msc(row.at), *(np.array(column, dtype=np.int64) for column in columns))


def _forget(server_id: int, until: dt.datetime) -> None:
    """Delete rounds that every running account was judged beyond; an account that can't be judged holds them for an hour."""
    running = PhaseAccount.objects.filter(state=StageState.RUNNING, account__server_id=server_id)
    judged = running.aggregate(at=Min("judged_until"))["at"] or until
    beyond = max(min(judged, until), until - HELD)
    EquityRound.objects.filter(server_id=server_id, is_checked=True, at__lte=beyond).delete()


def _ids(statement: str, **values: Any) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [pk for (pk,) in cursor.fetchall()]


@contextmanager
def _ours(server_id: int) -> Iterator[bool]:
    """Take a server's turn; a worker that dies gives it back with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [JUDGE_LOCK, server_id])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [JUDGE_LOCK, server_id])
