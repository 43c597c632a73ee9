"""Asking for a replay, running it piece by piece, going on after a crash, and discarding it.

A piece is a day of deals, or a month of one partner's or client's. Each is a transaction that moves the replay's mark on, so a job
that was killed goes on where it was, and two at the same time do each piece once. Only the replay's own rows are written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.bulk import copy_models
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.files.jobs import start_job
from crm.i18n import formats
from crm.models import Actor, Brand, User
from crm.security import audit
from crm.security.policies import require
from ib import clawback, engine, periods
from ib.audit_codes import IbAction
from ib.choices import ReplayState
from ib.models import Accrual, Replay, ReplayLine, ReplayProposal
from ib.policies import can_run
from ib.queries import of_deals
from ib.replay.shadow import digest_of, shadow_lines

JOB: Final = "ib.replay"
DAYS_MAX: Final = 400
DEALS_MAX: Final = 50_000
PIECE: Final = dt.timedelta(days=1)
PIECE_OF_ONE: Final = dt.timedelta(days=31)
# A job that hasn't finished a piece for so long is taken for dead; so often it is started.
STALLED_AFTER: Final = dt.timedelta(minutes=15)
STARTS_MAX: Final = 5
# The closing deals of a partner's network in a stretch: by today's network, and those that they have lines of.
OF_PARTNER: Final = """
SELECT d.id FROM ib_upline u
JOIN ib_attribution t ON t.partner_id = u.partner_id
JOIN trading_tradingaccount a ON a.client_id = t.client_id
JOIN trading_deal d ON d.account_id = a.id AND d.executed_at >= %(from)s AND d.executed_at < %(to)s AND d.entry IN (1, 2, 3)
  AND t.starts_at <= d.executed_at AND (t.ends_at IS NULL OR t.ends_at > d.executed_at)
  AND u.starts_at <= d.executed_at AND (u.ends_at IS NULL OR u.ends_at > d.executed_at)
WHERE u.ancestor_id = %(partner)s
UNION
SELECT x.deal_id FROM ib_accrual x
WHERE x.kind = 'original' AND x.partner_id = %(partner)s AND x.closed_at >= %(from)s AND x.closed_at < %(to)s
"""
# Where a CPA differs it may have moved to or from any other close of the client.
OF_CLIENTS: Final = """
SELECT d.id FROM trading_deal d JOIN trading_tradingaccount a ON a.id = d.account_id
WHERE d.entry IN (1, 2, 3) AND d.action IN (0, 1) AND a.client_id IN (
  SELECT o.client_id FROM trading_deal q JOIN trading_tradingaccount o ON o.id = q.account_id WHERE q.id = ANY (%(deals)s))
LIMIT %(most)s
"""


@transaction.atomic
def request_replay(
    *,
    brand: Brand,
    from_at: dt.datetime,
    to_at: dt.datetime,
    actor: User,
    reason: str,
    partner_id: int | None = None,
    client_id: int | None = None,
) -> Replay:
    """Start a replay of the deals that were closed in a stretch of time, perhaps of one partner's network or one client only.

    Who: `ib.run_commissions` at the brand. Raises: NotAllowed, DomainError (no reason, a stretch that is too long).
    """
    require(can_run(actor, brand.pk))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    if not dt.timedelta(0) < to_at - from_at <= dt.timedelta(days=DAYS_MAX):
        raise DomainError(_("Choose a period of 400 days at most."))
    now = timezone.now()
    replay = Replay.objects.create(
        brand=brand,
        partner_id=partner_id,
        client_id=client_id,
        from_at=from_at,
        to_at=to_at,
        reason=reason.strip()[:200],
        asked_by=actor,
        asked_at=now,
        reached_at=from_at,
        moved_at=now,
    )
    _record(replay, IbAction.REPLAY_STARTED, actor, replay.reason)
    _start_job(replay)
    return replay


def _start_job(replay: Replay) -> None:
    replay.job = start_job(JOB, owner=replay.asked_by, parameters={"replay": replay.pk})
    replay.save(update_fields=["job"])


def _record(replay: Replay, action: IbAction, actor: Actor, reason: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=replay,
        client_id=replay.client_id,
        brand_id=replay.brand_id,
        reason=reason,
        after={
            "from": replay.from_at.isoformat(),
            "to": replay.to_at.isoformat(),
            "partner": replay.partner_id,
            "state": replay.state,
            "lines": replay.lines_count,
        },
    )


def run_replay(*, replay_id: int, progress: Callable[[int, int, str], Any] | None = None) -> Replay:
    """Do what is left of a replay; nothing where it has ended. Raises: DomainError, and the replay has failed with it."""
    report = progress or (lambda _done, _whole, _message: None)
    while True:
        try:
            with transaction.atomic():
                known = Replay.objects.get(pk=replay_id)
                is_compared = known.reached_at == known.to_at
                if (
                    is_compared
                ):  # lines are written with the brand's commissions locked, which comes before the replay's row
                    periods.lock_commissions(known.brand_id)
                replay = lock(Replay, replay_id, "brand")
                if replay.state != ReplayState.RUNNING:
                    return replay
                _next_piece(replay, is_compared=is_compared)
        except DomainError as error:
            _fail(replay_id, str(error))
            raise
        days, done = (replay.to_at - replay.from_at).days, (replay.reached_at - replay.from_at).days
        is_ended = replay.state != ReplayState.RUNNING
        report(
            days + 1 if is_ended else done, days + 1, _("Comparing %(day)s") % {"day": formats.day(replay.reached_at)}
        )


def _next_piece(replay: Replay, *, is_compared: bool) -> None:
    if is_compared:
        _write_lines(replay)
    elif replay.reached_at < replay.to_at:  # else another worker has done it meanwhile
        _compare_piece(replay)
    replay.moved_at = timezone.now()
    replay.save()


def _compare_piece(replay: Replay) -> None:
    """Find the deals that differ in the next days; their lines are written when all are known."""
    is_whole = replay.partner_id is None and replay.client_id is None
    from_at, to_at = replay.reached_at, min(replay.reached_at + (PIECE if is_whole else PIECE_OF_ONE), replay.to_at)
    scope = engine.Scope(from_at=from_at, to_at=to_at, client_id=replay.client_id)
    if replay.partner_id is not None:
        deals = _ids(OF_PARTNER, {"partner": replay.partner_id, "from": from_at, "to": to_at})
        scope = engine.Scope(from_at=from_at, to_at=to_at, client_id=replay.client_id, deal_ids=deals)
    found = engine.differing_deals(brand=replay.brand, scope=scope)
    off = clawback.deals_off(brand=replay.brand, from_at=from_at, to_at=to_at)
    if not is_whole:
        off &= _of_one(replay, off)
    found |= {pk: False for pk in off if pk not in found}
    of_cpa = [deal for deal, is_cpa in found.items() if is_cpa]
    more = _ids(OF_CLIENTS, {"deals": of_cpa, "most": DEALS_MAX + 1}) if of_cpa else []
    replay.deal_ids = sorted({*replay.deal_ids, *found, *more})
    replay.reached_at = to_at
    if len(replay.deal_ids) > DEALS_MAX:
        raise DomainError(
            _("Commissions of %(deals)s deals would change. Choose a shorter period.")
            % {"deals": formats.number(Decimal(len(replay.deal_ids)))}
        )


def _of_one(replay: Replay, deal_ids: set[int]) -> set[int]:
    """Keep the deals that have lines of the replay's partner or client."""
    rows = Accrual.objects.filter(of_deals(deal_ids))
    rows = rows.filter(partner=replay.partner_id) if replay.partner_id else rows.filter(client=replay.client_id)
    return set(rows.order_by().values_list("deal_id", flat=True))


def _write_lines(replay: Replay) -> None:
    lines = shadow_lines(replay)
    copy_models([ReplayLine(replay=replay, **asdict(line)) for line in lines])
    replay.lines_count, replay.digest = len(lines), digest_of(lines)
    replay.move_to(ReplayState.READY if lines else ReplayState.SAME)


def _ids(statement: str, parameters: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [pk for (pk,) in cursor.fetchall()]


@transaction.atomic
def _fail(replay_id: int, problem: str) -> None:
    replay = lock(Replay, replay_id)
    replay.move_to(ReplayState.FAILED)
    replay.problem, replay.moved_at = problem[:300], timezone.now()
    replay.save(update_fields=["state", "problem", "moved_at"])


def resume_stalled() -> int:
    """Start a further job for each replay whose job has died, so often at most; return how many. Who: the system's own work."""
    stalled = Replay.objects.filter(state=ReplayState.RUNNING, moved_at__lt=timezone.now() - STALLED_AFTER)
    count = 0
    for pk in list(stalled.order_by("pk").values_list("pk", flat=True)[:100]):
        count += _resume(pk)
    return count


@transaction.atomic
def _resume(replay_id: int) -> bool:
    replay = lock(Replay, replay_id, "asked_by")
    if replay.state != ReplayState.RUNNING or replay.moved_at >= timezone.now() - STALLED_AFTER:
        return False
    if replay.starts >= STARTS_MAX:
        replay.move_to(ReplayState.FAILED)
        replay.problem = _("The calculation was interrupted several times.")
        replay.save(update_fields=["state", "problem"])
        return False
    Replay.objects.filter(pk=replay_id).update(starts=F("starts") + 1, moved_at=timezone.now())
    _start_job(replay)
    return True


@transaction.atomic
def discard_replay(*, replay_id: int, actor: User, reason: str = "") -> Replay:
    """Drop a replay: nothing of it is applied. Who: `ib.run_commissions` at the brand.

    Raises: NotAllowed, WrongState (applied, or a proposal waits).
    """
    replay = lock(Replay, replay_id)
    require(can_run(actor, replay.brand_id))
    if ReplayProposal.objects.filter(replay=replay, state="pending").exists():
        raise WrongState(_("The replay awaits second approval. Withdraw the proposal first."))
    replay.move_to(ReplayState.DISCARDED)
    replay.ended_by, replay.ended_at = actor, timezone.now()
    replay.save(update_fields=["state", "ended_by", "ended_at"])
    _record(replay, IbAction.REPLAY_DISCARDED, actor, reason or replay.reason)
    return replay
