"""Opening trading accounts: wanted here first, then made on the platform.

requested ──► opening ──► open ──► archived
    ▲           │  └────► unknown ──► opening …      (asked again under the same login: a repeat finds the first)
    └───────────┴──────► failed ──► open             (a person found its login on the platform)
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client
from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.errors import WrongState
from crm.events import TradingAccountOpened, publish
from crm.i18n.languages import base_of
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.notices.notify import notify, people_with
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.policies import require
from trading import policies
from trading.audit_codes import TradingAction
from trading.choices import AccountState, IssueKind
from trading.core import timeline_texts
from trading.core.issues import open_issue, settle
from trading.core.notices import TradingNotice
from trading.core.passwords import new_password
from trading.leverage import caps
from trading.models import AccountType, TradingAccount, TradingServer
from trading.platforms.base import NewAccount, Purpose
from trading.platforms.errors import LoginTaken, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError
from trading.platforms.pool import capabilities_of, platform_for

LEASE: Final = dt.timedelta(seconds=60)  # a worker that is silent longer is believed dead
WAITS: Final = (2, 5, 15, 60, 300)  # seconds between attempts, the last one repeats
ATTEMPTS_MAX: Final = 100


def reference_of(account_id: int) -> str:
    """Name the account in the platform's own field for our reference, by which it is found again."""
    return f"keelson-{account_id}"


@transaction.atomic
def request_account(
    *, client_id: int, account_type_id: int, request_key: str, actor: Actor = None, leverage: int | None = None
) -> TradingAccount:
    """Write down that a client is to have an account; a worker opens it. The same key again returns the same account.

    Who: `trading.open_account` in reach, the client for themselves, or the system after verification.
    Raises: NotAllowed, DomainError for a leverage that the type does not offer or a regulator's cap forbids.
    """
    client = lock(Client, client_id, "brand")
    known = TradingAccount.objects.filter(request_key=request_key).first()
    if known is not None:
        return known
    account_type = AccountType.objects.select_related("server").get(pk=account_type_id)
    require(policies.can_open_account(actor, client, account_type))
    chosen = caps.check_leverage(client, account_type, leverage)
    account = TradingAccount.objects.create(
        client=client,
        server=account_type.server,
        account_type=account_type,
        group=account_type.group,
        currency=account_type.currency,
        leverage=chosen,
        is_demo=account_type.is_demo,
        request_key=request_key,
        next_try_at=timezone.now(),
    )
    audit.record(
        actor=actor,
        action=TradingAction.ACCOUNT_REQUESTED,
        target=account,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"type": str(account_type), "group": account.group, "leverage": chosen},
    )
    enqueue_on_commit("trading.open_account", account.pk)
    return account


def open_on_platform(account_id: int) -> AccountState:
    """Make a requested account on its platform. Not in a transaction; may be repeated at any point.

    A login of our own range is kept over attempts, so that a repeat after a lost answer finds the account that the first
    attempt made instead of making a second one; where the platform chooses the login, the repeat looks for our reference.
    """
    account = _claim(account_id)
    if account is None:
        return AccountState(TradingAccount.objects.values_list("state", flat=True).get(pk=account_id))
    client = account.client
    new_account = NewAccount(
        login=account.login,
        group=account.group,
        leverage=account.leverage,
        name=client.full_name or client.email,
        reference=reference_of(account.pk),
        main_password=new_password(),
        investor_password=new_password(),
        email=client.email,
        country=client.country,
        language=base_of(client.language),
        may_exist=account.attempts > 1 or bool(account.error),
        currency=account.currency,
    )
    try:
        made = platform_for(account.server, Purpose.MONEY).create_account(new_account)
    except PlatformError as problem:
        return _not_opened(account_id, problem)
    return _opened(account_id, made.login)


@transaction.atomic(durable=True)
def _claim(account_id: int) -> TradingAccount | None:
    """Take the account for one attempt, if its turn has come, and give it a login of the server's range, where we choose it."""
    account = lock(TradingAccount, account_id, "client", "server", "account_type")
    in_work = (AccountState.REQUESTED, AccountState.OPENING, AccountState.UNKNOWN)
    now = timezone.now()
    if account.state not in in_work or (account.next_try_at and account.next_try_at > now):
        return None
    if account.state == AccountState.OPENING and not capabilities_of(account.server.kind).finds_accounts:
        _leave_to_a_person(
            account, str(_("The attempt to open the account was interrupted."))
        )  # a worker ended in the middle of it
        return None
    if not account.login and capabilities_of(account.server.kind).own_logins:
        account.login = _next_login(account.server_id)
    if account.state != AccountState.OPENING:
        account.move_to(AccountState.OPENING)
    account.attempts += 1
    account.next_try_at = now + LEASE
    account.save(update_fields=["login", "state", "attempts", "next_try_at"])
    return account


def _next_login(server_id: int) -> str:
    """Take the next free login of our range on a server. Raises: WrongState when the range is used up."""
    server = lock(TradingServer, server_id)
    if server.next_login > server.last_login:
        raise WrongState(_("The login range of %(server)s is exhausted.") % {"server": server})
    login = server.next_login
    server.next_login += 1
    server.save_without_historical_record(update_fields=["next_login"])  # type: ignore[attr-defined]
    return str(login)


@transaction.atomic(durable=True)
def _opened(account_id: int, login: str) -> AccountState:
    account = locked(account_id)
    if account.state != AccountState.OPEN:
        _write_open(account, login)
    return AccountState.OPEN


def _write_open(account: TradingAccount, login: str, *, actor: Actor = None, reason: str = "") -> None:
    """Open a locked account under its login, in the caller's transaction."""
    account.login = login
    account.move_to(AccountState.OPEN)
    account.opened_at, account.next_try_at, account.error = timezone.now(), None, ""
    account.save(update_fields=["login", "state", "opened_at", "next_try_at", "error"])
    client = account.client
    audit.record(
        actor=actor,
        action=TradingAction.ACCOUNT_OPENED,
        target=account,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"login": account.login, "server": str(account.server), "group": account.group},
        reason=reason,
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.TRADING,
        is_visible_to_client=True,
        title=timeline_texts.opening(account.login, str(account.server)),
        url=f"/clients/{client.pk}/?tab=trading",
        dedupe_key=f"trading.account_opened:{account.pk}",
    )
    publish(
        TradingAccountOpened(
            client_id=client.pk,
            brand_id=client.brand_id,
            account_id=account.pk,
            platform=account.server.get_kind_display(),
            login=account.login,
        ),
        actor=actor,
    )
    enqueue_on_commit("trading.refresh_account", account.pk)


@transaction.atomic(durable=True)
def _not_opened(account_id: int, problem: PlatformError) -> AccountState:
    """Decide what follows a failed opening: it depends on whether the platform began, and on whose login it was."""
    account = locked(account_id)
    if account.state != AccountState.OPENING:
        return AccountState(account.state)
    if isinstance(problem, OutcomeUnknown) and not capabilities_of(account.server.kind).finds_accounts:
        return _leave_to_a_person(account, str(problem))
    account.error = str(problem)[:300]
    taken = isinstance(problem, LoginTaken)
    retries = taken or isinstance(problem, NotStarted | PlatformBusy | OutcomeUnknown)
    if not retries or account.attempts >= ATTEMPTS_MAX:
        account.move_to(AccountState.FAILED)
        account.next_try_at = None
        _notify_of_failure(account)
    else:
        account.move_to(AccountState.UNKNOWN if isinstance(problem, OutcomeUnknown) else AccountState.REQUESTED)
        wait = 0 if taken else WAITS[min(account.attempts, len(WAITS)) - 1]
        account.next_try_at = timezone.now() + dt.timedelta(seconds=wait)
        if taken:
            account.login = ""  # somebody else's: take the next one
        enqueue_on_commit("trading.open_account", account_id, seconds=wait)
    account.save(update_fields=["state", "login", "next_try_at", "error"])
    return AccountState(account.state)


def _leave_to_a_person(account: TradingAccount, why: str) -> AccountState:
    """Stop trying where the account may exist and this platform can't be asked by our reference: a second one must not be made.

    Two people then find which login it has (`login_proposals`), or a person lets it be tried again (`retry_account`).
    """
    account.error, account.next_try_at = why[:300], None
    account.move_to(AccountState.FAILED)
    account.save(update_fields=["state", "next_try_at", "error"])
    _notify_of_failure(account)
    open_issue(
        server_id=account.server_id,
        kind=IssueKind.BY_HAND,
        subject=reference_of(account.pk),
        details={
            "account": account.pk,
            "name": account.client.full_name or account.client.email,
            "group": account.group,
            "opening": True,
        },
    )
    return AccountState.FAILED


def _notify_of_failure(account: TradingAccount) -> None:
    client = account.client
    audit.record(
        actor=None,
        action=TradingAction.ACCOUNT_FAILED,
        target=account,
        client_id=client.pk,
        brand_id=client.brand_id,
        reason=account.error,
    )
    notify(
        people_with("trading.open_account", brand_id=client.brand_id),
        kind=TradingNotice.ACCOUNT_FAILED,
        title=phrase("A trading account couldn't be opened"),
        body=f"{client}: {account.error}",
        url=f"/clients/{client.pk}/?tab=trading",
        dedupe_key=f"trading.account_failed:{account.pk}:{account.attempts}",
    )


@transaction.atomic
def retry_account(*, account_id: int, actor: Actor) -> TradingAccount:
    """Try a failed account again; whether the lost attempt made one is answered by it: a person looked, and it is not there.

    Who: `trading.open_account`. Raises: NotAllowed, WrongState (a login that was found waits for a second person).
    """
    account = locked(account_id)
    assert account.account_type is not None
    require(policies.can_open_account(actor, account.client, account.account_type))
    if account.login_proposals.filter(state=ApprovalState.PENDING).exists():
        raise WrongState(_("A login found for this account is awaiting second approval. Decide that first."))
    account.move_to(AccountState.REQUESTED)
    account.attempts, account.next_try_at = 0, timezone.now()
    account.save(update_fields=["state", "attempts", "next_try_at"])
    audit.record(
        actor=actor,
        action=TradingAction.ACCOUNT_RETRIED,
        target=account,
        client_id=account.client_id,
        brand_id=account.client.brand_id,
    )
    settle(
        server_id=account.server_id,
        kind=IssueKind.BY_HAND,
        subject=reference_of(account.pk),
        actor=actor,
        resolution=_("Not found on the platform; opening is being retried."),
    )
    enqueue_on_commit("trading.open_account", account.pk)
    return account


def attach_login(account: TradingAccount, *, login: str, actor: Actor, reason: str) -> None:
    """Open a locked account under the login that two people found (`login_proposals`); its opening had failed or was unknown."""
    account.history_due_at = timezone.now()
    account.save(update_fields=["history_due_at"])
    _write_open(account, login, actor=actor, reason=reason)
    settle(
        server_id=account.server_id,
        kind=IssueKind.BY_HAND,
        subject=reference_of(account.pk),
        actor=actor,
        resolution=f"{login}: {reason}",
    )


def due_accounts(*, limit: int = 200) -> list[int]:
    """List accounts whose opening is due: what a crash or an absent broker left behind."""
    rows = TradingAccount.objects.filter(
        state__in=[AccountState.REQUESTED, AccountState.OPENING, AccountState.UNKNOWN], next_try_at__lte=timezone.now()
    )
    return list(rows.order_by("next_try_at").values_list("pk", flat=True)[:limit])


def locked(account_id: int) -> TradingAccount:
    """Lock the account, with client, server and type, for a change in the caller's transaction."""
    return lock(TradingAccount, account_id, "client", "server", "account_type")
