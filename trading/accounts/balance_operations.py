"""Money into and out of trading accounts, exactly once.

The platform's money command carries no request id. So an operation is a row first, with a unique reference that goes
into the deal's comment; it is sent once; and when its outcome is unknown it is looked up by that reference among the
account's deals. It is never sent again on a guess.

    reserved ──► sent ──► confirmed | failed
       ▲          │ └───► unknown ──► confirmed | failed      (looked up; in the end two people decide)
       └──────────┘ only when the platform reported it hadn't begun
"""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from crm.audit_codes import AuditCode
from crm.db.locking import lock
from crm.errors import DomainError, IdempotencyConflict, WrongState
from crm.events import BalanceOperationSettled, publish
from crm.models import Actor
from crm.money import amounts as currencies
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.policies import require
from trading import policies
from trading.audit_codes import TradingAction
from trading.choices import AccountState, IssueKind, OperationKind, OperationState
from trading.core import timeline_texts
from trading.core.issues import open_issue
from trading.models import BalanceOperation, TradingAccount
from trading.platforms.base import BalanceKind, DealData, Purpose
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError
from trading.platforms.pool import platform_for

LEASE = dt.timedelta(seconds=60)  # a worker that is silent longer is believed dead
SENDING_TAKES: Final = dt.timedelta(seconds=30)  # the turn, the log-in and the command at their slowest
NOT_STARTED_WAITS: Final = (2, 5, 15, 30, 60, 120)  # seconds, the last one repeats
GIVE_UP_AFTER: Final = dt.timedelta(hours=1)  # an operation that never began
LOOK_UP_WAITS: Final = (1, 2, 4, 8, 15, 30, 60, 60)  # seconds between look-ups, then a person is asked
LOOK_UP_LATER: Final = dt.timedelta(minutes=10)

KINDS: Final = {
    OperationKind.DEPOSIT: BalanceKind.BALANCE,
    OperationKind.WITHDRAWAL: BalanceKind.BALANCE,
    OperationKind.CREDIT: BalanceKind.CREDIT,
    OperationKind.BONUS: BalanceKind.BONUS,
    OperationKind.CORRECTION: BalanceKind.CORRECTION,
}
TRANSFERS: Final = (OperationKind.DEPOSIT, OperationKind.WITHDRAWAL)
"""Once done they are told to the client as the transfer that they belong to, not a second time."""
LETTERS: Final = {"deposit": "D", "withdrawal": "W", "credit": "C", "bonus": "B", "correction": "X"}


def new_reference(kind: str) -> str:
    """Make a reference, `D:` and twenty characters: unique, and short enough for a deal's comment."""
    return f"{LETTERS[kind]}:{base64.b32encode(secrets.token_bytes(13)).decode()[:20]}"


# ── reserve ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def reserve_operation(
    *,
    account_id: int,
    kind: OperationKind,
    amount: Decimal,
    idempotency_key: str,
    actor: Actor = None,
    reason: str = "",
) -> BalanceOperation:
    """Write down that money is to move; it is sent when the caller's transaction has committed.

    `amount` is signed, in the account's currency: a withdrawal is negative. The same key with the same request returns the
    first operation. Who: the client for their own deposit or withdrawal, else `trading.adjust_balance`.
    Raises: NotAllowed, WrongState, DomainError, IdempotencyConflict.
    """
    kind = OperationKind(kind)
    account = lock(TradingAccount, account_id, "client", "server")
    known = BalanceOperation.objects.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        if (known.account_id, known.kind, known.amount) != (account.pk, kind.value, amount):
            raise IdempotencyConflict(_("This request key is already used by another operation."))
        return known
    require(policies.can_operate(actor, account, kind))
    if account.state != AccountState.OPEN:
        raise WrongState(_("The trading account isn't open."))
    if amount != currencies.quantize(amount, account.currency) or not amount.is_finite() or not amount:
        raise DomainError(_("The amount must be in %(currency)s.") % {"currency": account.currency})
    operation = BalanceOperation.objects.create(
        account=account,
        server=account.server,
        kind=kind,
        amount=amount,
        currency=account.currency,
        reference=new_reference(kind),
        idempotency_key=idempotency_key,
        created_by=actor,
        reason=reason[:200],
        next_check_at=timezone.now(),
    )
    _audit(operation, account, actor, TradingAction.OPERATION_RESERVED, reason=reason)
    enqueue_on_commit("trading.send_operation", operation.pk)
    return operation


# ── send ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def send_operation(operation_id: int) -> OperationState:
    """Send a reserved operation, once. Not in a transaction: each step is committed before the next.

    After an attempt that did not begin it is sent again, but never before the platform was asked whether it has it.
    Called by a worker. Anything but a reserved operation, or one whose account has another on its way, is left alone.
    """
    operation = _claim(operation_id)
    if operation is None:
        return OperationState(BalanceOperation.objects.values_list("state", flat=True).get(pk=operation_id))
    account = operation.account
    if operation.attempts > 1:
        try:
            deals = _look_up(operation)
        except PlatformError as problem:
            return _not_begun(operation_id, problem)
        if deals:
            _lost(operation_id, OutcomeUnknown("an attempt that was said not to have begun is on the platform"))
            return _judge(operation_id, deals)
    assert operation.next_check_at is not None
    if timezone.now() + SENDING_TAKES > operation.next_check_at:
        # Held up (frozen, or the look-up took long): others may believe this worker dead, and a person may decide on it.
        return _not_begun(operation_id, NotStarted("the worker was held up before it could send"), operation.attempts)
    try:
        ticket = platform_for(account.server, Purpose.MONEY).balance_operation(
            account.login, KINDS[OperationKind(operation.kind)], operation.amount, operation.reference
        )
    except (NotStarted, PlatformBusy) as problem:
        return _not_begun(operation_id, problem)
    except FinalError as problem:
        return settle(operation_id, problem=problem)
    except PlatformError as problem:
        return _lost(operation_id, problem)
    return settle(operation_id, ticket=ticket)


def _look_up(operation: BalanceOperation) -> list[DealData]:
    """Find deals on the platform that may be this operation, from its first attempt on. Raises: PlatformError."""
    return platform_for(operation.account.server, Purpose.READS).find_operations(
        operation.account.login, operation.amount, operation.reference, since=operation.created_at
    )


@transaction.atomic(durable=True)
def _claim(operation_id: int) -> BalanceOperation | None:
    """Claim a reserved operation for sending, if no other of the account is on its way (one at a time, also across workers)."""
    account_id = BalanceOperation.objects.values_list("account_id", flat=True).get(pk=operation_id)
    account = lock(TradingAccount, account_id, "server")
    operation = lock(BalanceOperation, operation_id)
    now = timezone.now()
    if operation.state != OperationState.RESERVED or (operation.next_check_at and operation.next_check_at > now):
        return None
    others = BalanceOperation.objects.filter(account_id=account_id, state=OperationState.SENT)
    if others.exclude(pk=operation_id).exists():
        operation.next_check_at = now + dt.timedelta(seconds=1)
        operation.save(update_fields=["next_check_at"])
        enqueue_on_commit("trading.send_operation", operation_id, seconds=1)
        return None
    operation.move_to(OperationState.SENT)
    operation.sent_at, operation.attempts, operation.next_check_at = now, operation.attempts + 1, now + LEASE
    operation.save(update_fields=["state", "sent_at", "attempts", "next_check_at"])
    operation.account = account
    return operation


@transaction.atomic(durable=True)
def _not_begun(operation_id: int, problem: PlatformError, attempt: int | None = None) -> OperationState:
    """Put an operation back that the platform didn't begin: safe to try again, until that has lasted too long.

    `attempt`: only if no other worker has taken the operation since.
    """
    operation = lock(BalanceOperation, operation_id, "account__client", "account__server")
    if operation.state != OperationState.SENT or attempt not in (None, operation.attempts):
        return OperationState(operation.state)
    if timezone.now() - operation.created_at > GIVE_UP_AFTER:
        return _settle(operation, problem=problem)
    wait = NOT_STARTED_WAITS[min(operation.attempts, len(NOT_STARTED_WAITS)) - 1]
    operation.move_to(OperationState.RESERVED)
    operation.next_check_at = timezone.now() + dt.timedelta(seconds=wait)
    _note_error(operation, problem)
    operation.save(update_fields=["state", "next_check_at", "error_kind", "error", "retcode"])
    return OperationState.RESERVED


@transaction.atomic(durable=True)
def _lost(operation_id: int, problem: PlatformError) -> OperationState:
    """Mark an operation whose answer was lost: it is looked up from now on, and never sent again."""
    operation = lock(BalanceOperation, operation_id, "account__client", "account__server")
    if operation.state == OperationState.SENT:
        operation.move_to(OperationState.UNKNOWN)
        operation.next_check_at = timezone.now() + dt.timedelta(seconds=LOOK_UP_WAITS[0])
        _note_error(operation, problem)
        operation.save(update_fields=["state", "next_check_at", "error_kind", "error", "retcode"])
        audit.record(
            actor=None,
            action=TradingAction.OPERATION_OUTCOME_UNKNOWN,
            target=operation,
            client_id=operation.account.client_id,
            brand_id=operation.account.client.brand_id,
            after={"reference": operation.reference},
            reason=operation.error,
        )
        enqueue_on_commit("trading.resolve_operation", operation_id, seconds=LOOK_UP_WAITS[0])
    return OperationState(operation.state)


# ── look up ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def resolve_operation(operation_id: int) -> OperationState:
    """Look for an operation's deal by its reference. Found once: confirmed. Twice, or never for long: a person is asked."""
    operation = _overdue(operation_id)
    if operation is None:
        return OperationState(BalanceOperation.objects.values_list("state", flat=True).get(pk=operation_id))
    try:
        deals = _look_up(operation)
    except PlatformError as problem:
        return _look_again(operation_id, problem=problem)
    return _judge(operation_id, deals)


@transaction.atomic(durable=True)
def _overdue(operation_id: int) -> BalanceOperation | None:
    """Lock the operation where it is due to be looked up; a sent one whose worker fell silent becomes unknown here."""
    operation = lock(BalanceOperation, operation_id, "account__client", "account__server")
    if operation.state == OperationState.SENT and operation.next_check_at and operation.next_check_at <= timezone.now():
        operation.move_to(OperationState.UNKNOWN)
        operation.error_kind, operation.error = "outcome_unknown", "the worker stopped before the answer came"
        operation.save(update_fields=["state", "error_kind", "error"])
    return operation if operation.state == OperationState.UNKNOWN else None


def _judge(operation_id: int, deals: Sequence[DealData]) -> OperationState:
    server_id = BalanceOperation.objects.values_list("server_id", flat=True).get(pk=operation_id)
    unused = _unused(operation_id, server_id, deals)
    if len(unused) == 1:
        return settle(operation_id, ticket=unused[0].ticket)
    return _look_again(operation_id, candidates=unused)


def _unused(operation_id: int, server_id: int, deals: Sequence[DealData]) -> list[DealData]:
    """Leave out deals that settle another operation. A ticket is unique on its server only: elsewhere it is another deal."""
    others = BalanceOperation.objects.exclude(pk=operation_id).filter(ticket__in=[deal.ticket for deal in deals])
    used = set(others.filter(server_id=server_id).values_list("ticket", flat=True))
    return [deal for deal in deals if deal.ticket not in used]


@transaction.atomic(durable=True)
def _look_again(
    operation_id: int, *, problem: PlatformError | None = None, candidates: Sequence[DealData] = ()
) -> OperationState:
    operation = lock(BalanceOperation, operation_id, "account__client", "account__server")
    if operation.state != OperationState.UNKNOWN:
        return OperationState(operation.state)
    now = timezone.now()
    if problem is None:
        operation.checks += 1
    details = {"account": operation.account.login, "amount": str(operation.amount), "operation": operation.pk}
    if candidates:
        tickets = [deal.ticket for deal in candidates]
        open_issue(
            server_id=operation.server_id,
            kind=IssueKind.TWO_CANDIDATES,
            subject=operation.reference,
            details={**details, "tickets": tickets},
        )
        operation.error = f"{len(tickets)} deals carry this reference: {', '.join(map(str, tickets))}"
        operation.next_check_at = now + LOOK_UP_LATER
    elif operation.checks >= len(LOOK_UP_WAITS):
        open_issue(
            server_id=operation.server_id, kind=IssueKind.NOT_FOUND, subject=operation.reference, details=details
        )
        operation.next_check_at = now + LOOK_UP_LATER
    else:
        operation.next_check_at = now + dt.timedelta(seconds=LOOK_UP_WAITS[operation.checks])
    operation.save(update_fields=["checks", "next_check_at", "error"])
    return OperationState.UNKNOWN


# ── settle ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def settle(operation_id: int, *, ticket: int | None = None, problem: PlatformError | None = None) -> OperationState:
    """Book the end of an operation: confirmed by a ticket, or failed for good. A settled one stays as it is."""
    operation = lock(BalanceOperation, operation_id, "account__client", "account__server")
    if operation.is_settled:
        return OperationState(operation.state)
    return _settle(operation, ticket=ticket, problem=problem)


def book_decision(operation: BalanceOperation, *, ticket: int | None, actor: Actor, reason: str) -> OperationState:
    """Book the outcome that two people agreed on (`operation_decisions`) of a locked operation whose outcome is unknown."""
    problem = None if ticket is not None else FinalError(f"declared not done: {reason}")
    return _settle(operation, ticket=ticket, problem=problem, actor=actor, reason=reason)


def candidates(operation: BalanceOperation) -> list[DealData]:
    """Find the deals with the operation's account, amount and reference that the platform has now and that settle no other.

    Raises: PlatformError.
    """
    return _unused(operation.pk, operation.server_id, _look_up(operation))


def _settle(
    operation: BalanceOperation,
    *,
    ticket: int | None = None,
    problem: PlatformError | None = None,
    actor: Actor = None,
    reason: str = "",
) -> OperationState:
    confirmed = ticket is not None
    operation.move_to(OperationState.CONFIRMED if confirmed else OperationState.FAILED)
    operation.ticket, operation.settled_at, operation.next_check_at = ticket, timezone.now(), None
    if problem is not None:
        _note_error(operation, problem)
    operation.save(update_fields=["state", "ticket", "settled_at", "next_check_at", "error_kind", "error", "retcode"])
    account = operation.account
    verb = TradingAction.OPERATION_CONFIRMED if confirmed else TradingAction.OPERATION_FAILED
    _audit(operation, account, actor, verb, reason=reason or operation.error, ticket=ticket)

    timeline.add_entry(
        client_id=account.client_id,
        kind=TimelineKind.TRADING,
        title=timeline_texts.operation(operation),
        actor=actor,
        body=timeline_texts.amount_of(operation),
        url=f"/clients/{account.client_id}/?tab=trading",
        dedupe_key=f"trading.operation:{operation.pk}",
        is_visible_to_client=not (confirmed and operation.kind in TRANSFERS),
    )
    publish(
        BalanceOperationSettled(
            client_id=account.client_id,
            brand_id=account.client.brand_id,
            operation_id=operation.pk,
            account_id=account.pk,
            confirmed=confirmed,
            amount=operation.amount,
            currency=operation.currency,
        ),
        actor=actor,
    )
    enqueue_on_commit("trading.refresh_account", account.pk)
    return OperationState(operation.state)


@dataclass(frozen=True)
class MoneyDeal:
    """What the sync saw on a platform that may be one of our operations."""

    ticket: int
    account_id: int
    amount: Decimal
    comment: str


def note_deals(server_id: int, deals: Iterable[MoneyDeal]) -> None:
    """Settle open operations whose deals the sync brought; report deals of operations that were given up."""
    by_reference: dict[str, list[MoneyDeal]] = {}
    for deal in deals:
        by_reference.setdefault(deal.comment.strip(), []).append(deal)
    for operation in BalanceOperation.objects.filter(server_id=server_id, reference__in=by_reference):
        matches = [deal for deal in by_reference[operation.reference] if deal.ticket != operation.ticket]
        exact = [d for d in matches if (d.account_id, d.amount) == (operation.account_id, operation.amount)]
        if operation.state == OperationState.UNKNOWN and len(matches) == len(exact) == 1:
            settle(operation.pk, ticket=exact[0].ticket)
        elif matches and (operation.is_settled or len(matches) > 1):
            open_issue(
                server_id=server_id,
                kind=IssueKind.TWO_CANDIDATES,
                subject=operation.reference,
                details={"operation": operation.pk, "state": operation.state, "tickets": [d.ticket for d in matches]},
            )


def due_operations(*, limit: int = 200) -> list[tuple[int, str]]:
    """List (id, state) of operations that are due: what a crash or an absent broker left behind."""
    rows = BalanceOperation.objects.filter(
        state__in=[OperationState.RESERVED, OperationState.SENT, OperationState.UNKNOWN],
        next_check_at__lte=timezone.now(),
    )
    return list(rows.order_by("next_check_at").values_list("pk", "state")[:limit])


def _note_error(operation: BalanceOperation, problem: PlatformError) -> None:
    operation.error_kind, operation.error, operation.retcode = problem.kind.value, str(problem)[:300], problem.code


def _audit(
    operation: BalanceOperation,
    account: TradingAccount,
    actor: Actor,
    action: AuditCode,
    *,
    reason: str = "",
    ticket: int | None = None,
) -> None:
    after = {
        "kind": operation.kind,
        "amount": str(operation.amount),
        "currency": operation.currency,
        "login": account.login,
        "reference": operation.reference,
        "state": operation.state,
    }
    audit.record(
        actor=actor,
        action=action,
        target=operation,
        client_id=account.client_id,
        brand_id=account.client.brand_id,
        after={**after, "ticket": ticket} if ticket else after,
        reason=reason,
    )


__all__ = [
    "MoneyDeal",
    "book_decision",
    "candidates",
    "due_operations",
    "note_deals",
    "reserve_operation",
    "resolve_operation",
    "send_operation",
    "settle",
]
