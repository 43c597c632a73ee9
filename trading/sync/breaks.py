"""Differences between a platform and us: noted once, healed when a later look finds none, or settled by a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock_or_none
from crm.errors import DomainError
from crm.files.jobs import start_job
from crm.models import Actor, Job, User
from crm.security import audit
from crm.security.policies import require_permission
from trading.audit_codes import TradingAction
from trading.choices import BreakKind, BreakState, IssueKind
from trading.models import PlatformIssue, ReconcileBreak, TradingServer

DECIDES: Final = "trading.decide_break"
JOB: Final = "trading.fetch_again"
DAYS_MAX: Final = 1000
NOTE: Final = """
INSERT INTO trading_reconcilebreak (server_id, kind, state, subject, day, login, account_id, ticket, evidence, times, found_at,
  last_at, closed_at, reason)
VALUES (%(server)s, %(kind)s, %(state)s, %(subject)s, %(day)s, %(login)s,
  coalesce(%(account)s, (SELECT id FROM trading_tradingaccount WHERE server_id = %(server)s AND login = %(login)s AND login <> '')),
  %(ticket)s, %(evidence)s, 1, %(now)s, %(now)s, %(closed)s, '')
ON CONFLICT (server_id, kind, subject) WHERE state = 'open'
DO UPDATE SET times = trading_reconcilebreak.times + 1, last_at = excluded.last_at, evidence = excluded.evidence
RETURNING id, times
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something in which a platform and our tables differ.

    `subject`: a ticket, login or day; one difference of a kind is open per subject. `account_id`: left out, it is that of `login`.
    `day`: of the server's clock, where it is about one. `evidence`: what each side has, as JSON.
    """

    kind: BreakKind
    subject: str
    day: dt.date | None = None
    login: str = ""
    account_id: int | None = None
    ticket: int | None = None
    evidence: dict[str, Any]


def note_difference(server: TradingServer, difference: Difference, *, is_healed: bool = False) -> bool:
    """Record a difference, or count the open one up with the newest evidence, and tell whether it is new.

    `is_healed`: it was repaired at once, so it is recorded closed.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        # One statement: two comparisons of the same day at once must not open the same difference twice.
        cursor.execute(
            NOTE,
            {
                "server": server.pk,
                "kind": difference.kind.value,
                "subject": difference.subject[:60],
                "day": difference.day,
                "login": difference.login,
                "ticket": difference.ticket,
                "account": difference.account_id,
                "evidence": orjson.dumps(difference.evidence, default=str).decode(),
                "now": now,
                "state": (BreakState.HEALED if is_healed else BreakState.OPEN).value,
                "closed": now if is_healed else None,
            },
        )
        _pk, times = cursor.fetchone()
    return bool(times == 1)


def auto_resolve(
    *, server: TradingServer, kind: BreakKind, subjects: Sequence[str] | None = None, but: Sequence[str] = ()
) -> int:
    """Close the open differences that a new comparison didn't find. Without `subjects`: all of the kind but those in `but`."""
    open_breaks = ReconcileBreak.objects.filter(server=server, kind=kind, state=BreakState.OPEN)
    open_breaks = (
        open_breaks.filter(subject__in=subjects) if subjects is not None else open_breaks.exclude(subject__in=list(but))
    )
    days = set(open_breaks.values_list("day", flat=True)[:DAYS_MAX])
    healed = open_breaks.update(state=BreakState.HEALED, closed_at=timezone.now())
    if healed:
        _close_questions(server.pk, days, resolution=_("Matches again"))
    return healed


def _close_questions(server_id: int, days: set[dt.date | None], *, resolution: str, actor: Actor = None) -> None:
    """Close the question about a day, or about balances, with the last open difference that it was about."""
    now = timezone.now()
    still = ReconcileBreak.objects.filter(server_id=server_id, state=BreakState.OPEN)
    asked = PlatformIssue.objects.filter(server_id=server_id, closed_at__isnull=True)
    over = {day for day in days if day is not None} - set(
        still.filter(day__in=days - {None}).values_list("day", flat=True)
    )
    closing = {"closed_at": now, "closed_by": actor, "resolution": resolution[:300]}
    asked.filter(kind=IssueKind.DEALS_BREAK, subject__in=[day.isoformat() for day in over]).update(**closing)
    if None in days and not still.filter(kind=BreakKind.BALANCE).exists():
        asked.filter(kind=IssueKind.BALANCE_BREAK).update(**closing)


@transaction.atomic
def settle(*, break_id: int, actor: Actor, reason: str) -> ReconcileBreak:
    """Settle a difference with a person's finding.

    Who: `trading.decide_break`. Raises: WrongState, DomainError without a reason.
    """
    require_permission(actor, DECIDES)
    row = lock_or_none(ReconcileBreak, break_id, "server", "account__client")
    if row is None:
        raise DomainError(_("This break doesn't exist."))
    row.require_open()
    if not reason.strip():
        raise DomainError(_("Enter what you found and decided."))
    row.move_to(BreakState.SETTLED)
    row.closed_at = timezone.now()
    row.decided_by, row.reason = actor, reason.strip()[:300]
    row.save(update_fields=["state", "closed_at", "decided_by", "reason"])
    _close_questions(row.server_id, {row.day}, resolution=row.reason, actor=actor)
    client = row.account.client if row.account else None
    audit.record(
        actor=actor,
        action=TradingAction.BREAK_SETTLED,
        target=row,
        reason=row.reason,
        evidence=row.evidence,
        client_id=client.pk if client else None,
        brand_id=client.brand_id if client else None,
        after={"server": str(row.server), "kind": row.kind, "subject": row.subject},
    )
    return row


@transaction.atomic
def fetch_again(*, break_id: int, actor: User) -> Job:
    """Ask the platform once more, in a job. Who: `trading.decide_break`."""
    require_permission(actor, DECIDES)
    row = ReconcileBreak.objects.select_related("server").filter(pk=break_id).first()
    if row is None:
        raise DomainError(_("This break doesn't exist."))
    audit.record(
        actor=actor,
        action=TradingAction.BREAK_FETCHED_AGAIN,
        target=row,
        after={"kind": row.kind, "subject": row.subject},
    )
    return start_job(JOB, owner=actor, parameters={"break_id": row.pk})
