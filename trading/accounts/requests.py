"""What clients ask for on their accounts: granted at once where nothing prevents it, else decided by a person.

waiting ──► applying ──► granted ──► undoing ──► undone
   │  ▲         └──► waiting (the platform did not take it)
   ├──┼► refused ┐
   │  └──────────┘ (taken back within a day)
   └──► withdrawn

The platform is called outside of any transaction, and calling it twice does no harm: a worker goes on with what a crash left.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed, WrongState
from crm.i18n.localized_text import localize, phrase
from crm.models import Actor, User
from crm.security.policies import require
from trading import policies
from trading.accounts.archive import apply_archive
from trading.accounts.changes import note_own_change
from trading.accounts.request_notices import notify_client, notify_staff, record
from trading.accounts.request_rules import against_archive, is_possible, obstacles, types_to_change_to, what
from trading.audit_codes import TradingAction
from trading.choices import OPEN_REQUESTS, AccountState, HeldBecause, RequestKind, RequestState
from trading.leverage import caps
from trading.models import AccountRequest, AccountType, TradingAccount
from trading.platforms.base import Purpose
from trading.platforms.errors import OutcomeUnknown, PlatformError
from trading.platforms.pool import platform_for
from trading.platforms.user_errors import as_domain_error

LEASE: Final = dt.timedelta(seconds=60)
CLAIM: Final = dt.timedelta(minutes=10)
UNDO_WITHIN: Final = dt.timedelta(days=1)


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def ask(
    *,
    account_id: int,
    kind: RequestKind,
    actor: User,
    leverage: int | None = None,
    account_type_id: int | None = None,
    reason: str = "",
) -> AccountRequest:
    """File a client's request, granted before this returns where nothing prevents it and the platform answers.

    Who: the account's owner. Raises: NotAllowed, WrongState (not open; asked already), DomainError for a request without sense.
    """
    request = _create_request(account_id, kind, actor, leverage, account_type_id, reason)
    return apply(request.pk) if request.state == RequestState.APPLYING else request


@transaction.atomic
def _create_request(
    account_id: int, kind: RequestKind, actor: User, leverage: int | None, type_id: int | None, reason: str
) -> AccountRequest:
    account = _locked_account(account_id)
    if account.client.user_id != actor.pk:
        raise NotAllowed(_("This is not your account."))
    if account.state != AccountState.OPEN:
        raise WrongState(_("The trading account isn't open."))
    if not (possible := is_possible(account, kind)):
        raise DomainError(possible.reason)
    if account.requests.filter(kind=kind, state__in=OPEN_REQUESTS).exists():
        raise WrongState(_("We already have this request and will reply soon."))
    request = AccountRequest(account=account, kind=kind, asked_by=actor, reason=reason.strip()[:200])
    if kind == RequestKind.LEVERAGE:
        if not leverage or leverage == account.leverage:
            raise DomainError(_("Choose a leverage other than the current one."))
        request.leverage = leverage
    elif kind == RequestKind.TYPE:
        request.account_type = _other_type(account, type_id)
    request.before = {"leverage": account.leverage, "group": account.group, "account_type": account.account_type_id}
    request.held_because = [held.value for held in obstacles(request)]
    if not request.held_because:
        request.move_to(RequestState.APPLYING)
        request.lease_until = timezone.now() + LEASE
    request.save()
    record(
        TradingAction.REQUEST_MADE,
        request,
        actor,
        after={"what": localize(what(request)), "held": request.held_because},
    )
    timeline.add_entry(
        client_id=account.client_id,
        kind=TimelineKind.TRADING,
        actor=actor,
        is_visible_to_client=True,
        body=request.reason,
        title=phrase("Request for %(login)s: %(what)s") % {"login": account.login, "what": what(request)},
    )
    if request.held_because:
        notify_staff(request)
    return request


def _other_type(account: TradingAccount, type_id: int | None) -> AccountType:
    match = next((account_type for account_type in types_to_change_to(account) if account_type.pk == type_id), None)
    if match is None:
        raise DomainError(_("The account can't be changed to this type. Choose one from the list."))
    return match


@transaction.atomic
def withdraw(*, request_id: int, actor: User) -> AccountRequest:
    """Withdraw a request before it is decided. Who: the account's owner. Raises: NotAllowed, WrongState when it is decided."""
    request = _locked(request_id)
    if request.account.client.user_id != actor.pk:
        raise NotAllowed(_("This is not your account."))
    if request.is_by_rule:
        raise NotAllowed(_("The broker ordered this change, so you can't withdraw it."))
    request.move_to(RequestState.WITHDRAWN)
    request.save(update_fields=["state"])
    record(TradingAction.REQUEST_WITHDRAWN, request, actor)
    return request


def order(
    *, account_id: int, actor: User, leverage: int, account_type: AccountType | None = None, note: str = ""
) -> AccountRequest:
    """Set an account to a leverage, in another type where one is given, to keep a regulator's cap.

    `note`: the text for the client. Who: `trading.change_leveragecap`, for clients in reach; which leverage and type keep
    the cap is for the caller to find (`remedies`). Raises: NotAllowed; WrongState (not open, a request of the client is
    open); DomainError; OutsideWorldError when the platform doesn't answer: the order then waits with the requests.
    """
    with transaction.atomic():
        account = _locked_account(account_id)
        require(policies.can_order_change(actor, account))
        request = _ordered(account, leverage, account_type, ordered_by=actor, note=note)
    return apply(request.pk, says=True)


def order_by_house(*, account_id: int, account_type: AccountType, ordered_by: User) -> AccountRequest:
    """Change an account's type by a decision of the house that two people made, in the decision's transaction.

    The worker tells the platform; what it doesn't take waits with the requests. `ordered_by`: the second of the two, whose right
    and reach the decision has asked for. Raises: as `order`.
    """
    account = _locked_account(account_id)
    ladder = caps.ladder_for(account.client, account_type)
    leverage = account.leverage if account.leverage in ladder.steps else ladder.default
    return _ordered(account, leverage or account.leverage, account_type, ordered_by=ordered_by, lease=dt.timedelta(0))


def _ordered(
    account: TradingAccount,
    leverage: int,
    account_type: AccountType | None,
    *,
    ordered_by: User,
    note: str = "",
    lease: dt.timedelta = LEASE,
) -> AccountRequest:
    kind = RequestKind.LEVERAGE if account_type is None else RequestKind.TYPE
    if account.state != AccountState.OPEN:
        raise WrongState(_("The trading account isn't open."))
    if not (possible := is_possible(account, kind)):
        raise DomainError(possible.reason)
    if account.requests.filter(state__in=OPEN_REQUESTS).exists():
        raise WrongState(_("This account has an open request. Decide it first."))
    request = AccountRequest.objects.create(
        account=account,
        kind=kind,
        leverage=leverage,
        account_type=account_type,
        is_by_rule=True,
        asked_by=ordered_by,
        decided_by=ordered_by,
        note=note[:300],
        state=RequestState.APPLYING,
        lease_until=timezone.now() + lease,
        before={"leverage": account.leverage, "group": account.group, "account_type": account.account_type_id},
    )
    record(TradingAction.CHANGE_ORDERED, request, ordered_by, reason=request.note)
    return request


# ── deciding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def claim(*, request_id: int, actor: User) -> AccountRequest:
    """Take a request for ten minutes, so that two people don't decide it. Raises: NotAllowed, WrongState."""
    request = _locked(request_id)
    require(policies.can_decide_request(actor, request))
    if request.state != RequestState.WAITING:
        raise WrongState(_("Not possible: this request is “%(state)s”.") % {"state": request.get_state_display()})
    _not_anothers(request, actor)
    request.claimed_by, request.claimed_until = actor, timezone.now() + CLAIM
    request.save(update_fields=["claimed_by", "claimed_until"])
    return request


def grant(*, request_id: int, actor: User, note: str = "") -> AccountRequest:
    """Grant and do it. A person may grant against open positions or a minimum, never against a cap or the ladder.

    Who: `trading.decide_request` in reach, not for themselves. Raises: NotAllowed, WrongState, DomainError, OutsideWorldError
    when the platform doesn't answer: the request then waits on.
    """
    with transaction.atomic():
        request = _locked(request_id)
        require(policies.can_decide_request(actor, request))
        _not_anothers(request, actor)
        _still_possible(request)
        request.move_to(RequestState.APPLYING)
        request.decided_by, request.note = actor, note.strip()[:300] or request.note
        request.lease_until = timezone.now() + LEASE
        request.save(update_fields=["state", "decided_by", "note", "lease_until"])
    return apply(request_id, says=True)


def _still_possible(request: AccountRequest) -> None:
    account = request.account
    if account.state != AccountState.OPEN:
        raise WrongState(_("The trading account isn't open."))
    if request.kind == RequestKind.LEVERAGE and account.account_type is not None:
        caps.check_leverage(account.client, account.account_type, request.leverage)
    against = set(obstacles(request)) & {
        HeldBecause.CAP,
        HeldBecause.LADDER,
        HeldBecause.NOT_OFFERED,
        HeldBecause.MOVING,
    }
    if request.kind == RequestKind.ARCHIVE:
        against |= set(against_archive(account))
    if against:
        raise DomainError(" ".join(str(code.label) for code in sorted(against)))


@transaction.atomic
def refuse(*, request_id: int, actor: User, note: str) -> AccountRequest:
    """Refuse a request. Who: as `grant`. Raises: NotAllowed, WrongState, DomainError without a note for the client."""
    request = _locked(request_id)
    require(policies.can_decide_request(actor, request))
    _not_anothers(request, actor)
    if not note.strip():
        raise DomainError(_("Enter a reason. The client will see it."))
    request.move_to(RequestState.REFUSED)
    request.decided_by, request.decided_at, request.note = actor, timezone.now(), note.strip()[:300]
    request.save(update_fields=["state", "decided_by", "decided_at", "note"])
    record(TradingAction.REQUEST_REFUSED, request, actor, reason=request.note)
    notify_client(request)
    return request


def undo(*, request_id: int, actor: Actor) -> AccountRequest:
    """Undo a decision within a day: a refusal waits again; what was granted is set back, if nobody changed it since.

    Who: as `grant`. Raises: NotAllowed, WrongState, OutsideWorldError.
    """
    with transaction.atomic():
        request = _locked(request_id)
        require(policies.can_decide_request(actor, request))
        if request.decided_at is None or request.decided_at < timezone.now() - UNDO_WITHIN:
            raise WrongState(_("A decision can only be undone within one day."))
        if request.is_by_rule:
            raise WrongState(_("The broker ordered this change. It can't be undone."))
        if request.state == RequestState.REFUSED:
            request.move_to(RequestState.WAITING)
            request.decided_at, request.decided_by, request.note = None, None, ""
            request.save()
            record(TradingAction.REQUEST_REOPENED, request, actor)
            return request
        if not _stands_as_granted(request):
            raise WrongState(_("The account has changed since, so this decision can't be undone."))
        request.move_to(RequestState.UNDOING)
        request.lease_until = timezone.now() + LEASE
        request.save(update_fields=["state", "lease_until"])
        record(TradingAction.REQUEST_UNDONE, request, actor)
    return apply(request_id, says=True)


def _stands_as_granted(request: AccountRequest) -> bool:
    account = request.account
    if request.kind == RequestKind.LEVERAGE:
        return account.state == AccountState.OPEN and account.leverage == request.leverage
    if request.kind == RequestKind.PASSWORD:
        return request.used_at is None
    if request.kind == RequestKind.TYPE:
        return account.state == AccountState.OPEN and account.account_type_id == request.account_type_id
    return account.state == AccountState.ARCHIVED


# ── doing ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def apply(request_id: int, *, says: bool = False) -> AccountRequest:
    """Tell the platform, then keep it here. Not in a transaction; may be repeated at any point.

    `says`: raise what went wrong with the platform, for the person who waits on it.
    """
    request = AccountRequest.objects.select_related(
        "account__client__brand", "account__server", "account__account_type", "account_type"
    ).get(pk=request_id)
    if request.state not in (RequestState.APPLYING, RequestState.UNDOING):
        return request
    changes = _changes(request)
    note_own_change(request.account_id)
    try:
        changes |= _tell_platform(request, changes)
    except PlatformError as problem:
        seen = _seen_done(request, changes) if isinstance(problem, OutcomeUnknown) else None
        if seen is None:
            _not_done(request_id)
            if says:
                raise as_domain_error(problem) from problem
            return AccountRequest.objects.select_related("account").get(pk=request_id)
        changes |= seen
    return _done(request_id, changes)


def _changes(request: AccountRequest) -> dict[str, Any]:
    """Compute the account's columns after the request is done, or undone."""
    account, before = request.account, request.before
    if request.kind == RequestKind.PASSWORD:
        return {}
    if request.state == RequestState.UNDOING:
        if request.kind == RequestKind.ARCHIVE:
            return {"state": AccountState.OPEN, "archived_at": None}
        if request.kind == RequestKind.LEVERAGE:
            return {"leverage": before["leverage"]}
        return {"leverage": before["leverage"], "group": before["group"], "account_type_id": before["account_type"]}
    if request.kind == RequestKind.ARCHIVE:
        return {"state": AccountState.ARCHIVED, "archived_at": timezone.now()}
    if request.kind == RequestKind.LEVERAGE:
        return {"leverage": request.leverage}
    account_type = request.account_type
    assert account_type is not None
    leverage = request.leverage
    if leverage is None:
        ladder = caps.ladder_for(account.client, account_type)
        leverage = account.leverage if account.leverage in ladder.steps else ladder.default
    return {"leverage": leverage or account.leverage, "group": account_type.group, "account_type_id": account_type.pk}


def _tell_platform(request: AccountRequest, changes: dict[str, Any]) -> dict[str, Any]:
    """Tell it; what it then allows goes to the account, too. A granted password is set by the client, not here."""
    if request.kind == RequestKind.PASSWORD:
        return {}
    account = request.account
    platform = platform_for(account.server, Purpose.MONEY)
    if request.kind == RequestKind.ARCHIVE:
        now = apply_archive(account, is_archived=changes["state"] == AccountState.ARCHIVED)
    else:
        now = platform.update_account(account.login, group=changes.get("group", ""), leverage=changes["leverage"])
    return {"allowed": sorted(now.allowed)}


def _seen_done(request: AccountRequest, changes: dict[str, Any]) -> dict[str, Any] | None:
    """Read after a lost answer what the account may do, if the platform did all of it; None where that is not seen."""
    if request.kind not in (RequestKind.LEVERAGE, RequestKind.TYPE):
        return None
    account = request.account
    try:
        now = platform_for(account.server, Purpose.READS).read_account(account.login)
    except PlatformError:
        return None
    expected = (changes["leverage"], changes.get("group", account.group))
    return {"allowed": sorted(now.allowed)} if now and (now.leverage, now.group) == expected else None


@transaction.atomic
def _done(request_id: int, changes: dict[str, Any]) -> AccountRequest:
    request = _locked(request_id)
    if request.state not in (RequestState.APPLYING, RequestState.UNDOING):
        return request
    account = request.account
    for name, value in changes.items():
        setattr(account, name, value)
    account.save(update_fields=list(changes))
    is_undone = request.state == RequestState.UNDOING
    request.move_to(RequestState.UNDONE if is_undone else RequestState.GRANTED)
    request.decided_at = request.decided_at or timezone.now()
    request.lease_until = None
    request.save(update_fields=["state", "decided_at", "lease_until"])
    if not is_undone:
        record(
            TradingAction.CHANGE_MADE if request.is_by_rule else TradingAction.REQUEST_GRANTED,
            request,
            request.decided_by,
            before=request.before,
            after={name: str(value) for name, value in changes.items()},
            reason=request.note,
        )
    notify_client(request)
    return request


@transaction.atomic
def _not_done(request_id: int) -> None:
    """Leave a change that the platform didn't take to a person, or put an undo back to granted."""
    request = _locked(request_id)
    if request.state == RequestState.APPLYING:
        request.move_to(RequestState.WAITING)
        request.held_because = sorted({*request.held_because, HeldBecause.PLATFORM.value})
        request.decided_by = None
        notify_staff(request)
    elif request.state == RequestState.UNDOING:
        request.move_to(RequestState.GRANTED)
    request.lease_until = None
    request.save(update_fields=["state", "held_because", "decided_by", "lease_until"])


def due_requests(*, limit: int = 100) -> list[int]:
    """List requests in the middle of being carried out whose worker fell silent."""
    rows = AccountRequest.objects.filter(
        state__in=[RequestState.APPLYING, RequestState.UNDOING], lease_until__lte=timezone.now()
    )
    return list(rows.order_by("asked_at").values_list("pk", flat=True)[:limit])


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _not_anothers(request: AccountRequest, actor: User) -> None:
    is_held = request.claimed_until and request.claimed_until > timezone.now() and request.claimed_by_id != actor.pk
    if is_held:
        raise WrongState(_("%(name)s is working on this request.") % {"name": request.claimed_by})


def _locked_account(account_id: int) -> TradingAccount:
    return lock(TradingAccount, account_id, "client__brand", "server", "account_type")


def _locked(request_id: int) -> AccountRequest:
    """Lock the account and then the request, in the order of every other verb."""
    account_id = AccountRequest.objects.values_list("account_id", flat=True).get(pk=request_id)
    account = _locked_account(account_id)
    request = lock(AccountRequest, request_id, "account_type", "claimed_by", "decided_by")
    request.account = account
    return request
