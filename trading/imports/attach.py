"""A staged login becomes a client's account here, once: with its deals that came before, and the question about them answered."""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.facts import rebuild_client
from clients.models import Client
from clients.queries import clients_visible_to
from crm.audit_codes import AuditCode
from crm.db.locking import lock_first, lock_or_none
from crm.errors import DomainError, NotAllowed, WrongState
from crm.events import DealsSynced, TradingAccountImported, publish
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.policies import require
from trading import policies
from trading.audit_codes import TradingAction
from trading.choices import UNDECIDED, AccountState, IssueKind, StagedState, Verdict
from trading.core.batching import batched
from trading.core.issues import settle
from trading.imports import matching
from trading.models import AccountType, StagedLogin, SyncCursor, TradingAccount, TradingServer
from trading.platforms.base import Right
from trading.sync.ingest import EVENT_DEALS_MAX

LINK_DEALS: Final = """
UPDATE trading_deal SET account_id = %(account)s
WHERE server_id = %(server)s AND login = %(login)s AND account_id IS NULL
RETURNING id, action, executed_at, deleted_at IS NULL
"""
STRANGERS: Final = """
SELECT 1 FROM trading_deal d WHERE d.server_id = %(server)s AND d.account_id IS NULL AND NOT EXISTS (
  SELECT 1 FROM trading_stagedlogin s WHERE s.server_id = d.server_id AND s.login = d.login AND s.state = 'ignored')
LIMIT 1
"""
NO_TYPE: Final = 0


class SecondPersonNeeded(WrongState):
    """One person may not give this login to this client: it is proposed (`client_proposals`), and another approves it."""


@transaction.atomic
def attach(
    *, row_id: int, actor: Actor, client_id: int | None = None, account_type_id: int | None = None
) -> TradingAccount:
    """Make a staged login the client's account. Attached already to the same client: returns that account.

    client_id, account_type_id: another choice than the one that was found; `NO_TYPE` keeps the account without a type.
    Who: `trading.import_accounts`, for clients in reach. Raises: NotAllowed, WrongState, DomainError; SecondPersonNeeded
    for another client than the certain match, unless the platform's e-mail, phone or name agrees and fits nobody better.
    """
    require(policies.can_import(actor))
    row = locked(row_id)
    if row.state == StagedState.ATTACHED and row.account is not None:
        if not clients_visible_to(actor).filter(pk=row.account.client_id).exists():
            raise NotAllowed(_("You don't have access to this client."))
        if client_id in (None, row.account.client_id):
            return row.account
        raise WrongState(_("This login is already attached to another client."))
    check_open(row)
    client = client_for(row, actor, client_id)
    is_certain = row.verdict == Verdict.CLEAN and client.pk == row.client_id
    if not is_certain and not matching.agreeing_codes(row, client):
        raise SecondPersonNeeded(
            _(
                "The platform's data for this login doesn't match this client, or matches another client "
                "better. Enter a reason; a second person must then approve it."
            )
        )
    return complete(row, client, type_for(row, client, account_type_id), actor)


def check_open(row: StagedLogin) -> None:
    """Refuse a login that can't be attached now. Raises: WrongState, DomainError."""
    if row.state == StagedState.PROPOSED:
        raise WrongState(_("A client for this login is already awaiting second approval."))
    if row.state not in UNDECIDED:
        raise WrongState(_("This login is ignored. Reopen it first."))
    if row.verdict in (Verdict.BROKEN, Verdict.NOT_READ):
        raise DomainError(row.problem)


def complete(row: StagedLogin, client: Client, account_type: AccountType | None, actor: Actor) -> TradingAccount:
    """Make the account of a locked login whose client was decided, with its earlier deals. In the caller's transaction."""
    account = _make(row, client, account_type)
    row.move_to(StagedState.ATTACHED)
    row.account, row.client, row.account_type = account, client, account_type
    row.decided_by, row.decided_at, row.problem = actor, timezone.now(), ""
    row.save()
    linked = _link_deals(row.server, account)
    _tell(row, account, client, actor, linked)
    settle_unknown_logins(row.server, actor)
    return account


def locked(row_id: int) -> StagedLogin:
    """Lock a staged login. Raises: DomainError where there is none."""
    row = lock_or_none(StagedLogin, row_id, "server", "account__client", "proposed_client")
    if row is None:
        raise DomainError(_("This login doesn't exist."))
    return row


def client_for(row: StagedLogin, actor: Actor, client_id: int | None) -> Client:
    """Choose the client whom the user named, or else the one that was matched. Raises: NotAllowed, DomainError."""
    chosen_id = client_id or row.client_id
    if chosen_id is None:
        raise DomainError(_("Choose a client."))
    client = clients_visible_to(actor).select_related("brand").filter(pk=chosen_id).first()
    if client is None:
        raise NotAllowed(_("You don't have access to this client."))
    if client.stage == "lead":
        raise DomainError(_("This person is still a lead. They must register before an account can be attached."))
    return client


def type_for(row: StagedLogin, client: Client, type_id: int | None) -> AccountType | None:
    """Choose the type that the user named, or else the one that has the group; None for no type. Raises: DomainError."""
    if type_id == NO_TYPE:
        return None
    if type_id is None and client.pk == row.client_id and row.account_type_id:
        type_id = row.account_type_id
    types = AccountType.objects.filter(brand_id=client.brand_id, server_id=row.server_id, currency=row.currency)
    if type_id is not None:
        account_type = types.filter(pk=type_id).first()
        if account_type is None:
            raise DomainError(_("This account type belongs to another brand or uses another currency."))
        return account_type
    account_type = types.filter(group=row.group).order_by("-is_enabled", "position", "pk").first()
    if account_type is None:
        raise DomainError(
            _("No account type of the client's brand has the group %(group)s in %(currency)s.")
            % {"group": row.group, "currency": row.currency}
        )
    return account_type


def _make(row: StagedLogin, client: Client, account_type: AccountType | None) -> TradingAccount:
    """Create the account's row while no deals are being taken in, so that none of its deals stays without an owner."""
    SyncCursor.objects.get_or_create(server_id=row.server_id, kind="deals")
    lock_first(SyncCursor.objects.filter(server_id=row.server_id, kind="deals"))
    if TradingAccount.objects.filter(server_id=row.server_id, login=row.login).exists():
        raise WrongState(_("This login already belongs to an account in Keelson."))
    now = timezone.now()
    trading_wanted = not policies.BLOCKING_RESTRICTIONS & set(client.restrictions)
    return TradingAccount.objects.create(
        client=client,
        server=row.server,
        account_type=account_type,
        login=row.login,
        group=row.group,
        currency=row.currency,
        leverage=row.leverage,
        is_demo=account_type.is_demo if account_type else _looks_demo(row),
        state=AccountState.OPEN,
        request_key=f"import:{row.server_id}:{row.login}",
        opened_at=row.registered_at or now,
        imported_at=now,
        history_due_at=now,
        allowed=row.allowed,
        trading_wanted=trading_wanted,
        # Told again where the restriction is not on the platform yet; what a dealer took away stays taken.
        trading_applied=trading_wanted or Right.TRADE.value in row.allowed,
        next_try_at=now if not trading_wanted else None,
        balance=row.balance,
        credit=row.credit,
    )


def _looks_demo(row: StagedLogin) -> bool:
    """Guess without a type, from the server or the group's folder, whether the account is a demo."""
    return row.server.is_demo or row.group.lower().startswith("demo")


def _link_deals(server: TradingServer, account: TradingAccount) -> int:
    """Give deals of a login that was unknown their account, and publish them like new ones."""
    with connection.cursor() as cursor:
        cursor.execute(LINK_DEALS, {"account": account.pk, "server": server.pk, "login": account.login})
        rows = cursor.fetchall()
    trades = [at for _id, action, at, is_there in rows if is_there and action in (0, 1)]
    if trades:
        account.last_trade_at = max(trades).replace(second=0, microsecond=0)
        account.save(update_fields=["last_trade_at"])
        rebuild_client(account.client_id, "last_trade_at")
    for some in batched([deal_id for deal_id, *_rest in rows], EVENT_DEALS_MAX):
        publish(DealsSynced(server_id=server.pk, deal_ids=tuple(some), client_ids=(account.client_id,)))
    return len(rows)


def _tell(row: StagedLogin, account: TradingAccount, client: Client, actor: Actor, linked: int) -> None:
    reasons = next((reason for reason in row.reasons if reason["client"] == client.pk), None)
    audit.record(
        actor=actor,
        action=TradingAction.ACCOUNT_IMPORTED,
        target=account,
        client_id=client.pk,
        brand_id=client.brand_id,
        reason=row.note if row.proposed_by_id else "",
        after={
            "login": account.login,
            "server": str(account.server),
            "group": account.group,
            "leverage": account.leverage,
            "balance": str(account.balance),
            "deals": linked,
        },
        evidence={
            "fits": reasons["codes"] if reasons else ["chosen"],
            "staged": row.pk,
            "proposed_by": row.proposed_by_id,
        },
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.TRADING,
        actor=actor,
        url=f"/trading/accounts/{account.pk}/",
        title=phrase("Trading account %(login)s on %(server)s was added")
        % {"login": account.login, "server": account.server},
        dedupe_key=f"trading.account_imported:{account.pk}",
        is_visible_to_client=True,
    )
    publish(
        TradingAccountImported(
            client_id=client.pk,
            brand_id=client.brand_id,
            account_id=account.pk,
            platform=account.server.get_kind_display(),
            login=account.login,
        ),
        actor=actor,
    )
    enqueue_on_commit("trading.read_history", account.pk)
    enqueue_on_commit("trading.refresh_account", account.pk)
    if not account.trading_wanted and account.trading_applied:
        enqueue_on_commit("trading.apply_right_to_trade", account.pk)


# ── what is not attached ─────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def ignore(*, row_id: int, actor: Actor, note: str) -> StagedLogin:
    """Set aside a login that belongs to no client (a dealer's, a test). Its deals stay, and no question about them is asked.

    Who: `trading.import_accounts`. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    if not note.strip():
        raise DomainError(_("Enter a reason."))
    row = _decide(row_id, actor, StagedState.IGNORED, note)
    settle_unknown_logins(row.server, actor)
    return row


def put_off(*, row_id: int, actor: Actor, note: str = "") -> StagedLogin:
    """Set a login aside until its client exists; the next matching tries it again. Who and raises: as `ignore`."""
    return _decide(row_id, actor, StagedState.LATER, note)


@transaction.atomic
def reopen(*, row_id: int, actor: Actor) -> StagedLogin:
    """Let an ignored or postponed login wait again. Who: `trading.import_accounts`. Raises: NotAllowed, WrongState."""
    require(policies.can_import(actor))
    row = locked(row_id)
    if row.state not in (StagedState.IGNORED, StagedState.LATER):
        raise WrongState(_("Not possible: this login is “%(state)s”.") % {"state": row.get_state_display()})
    row.move_to(StagedState.WAITING)
    row.note, row.decided_by, row.decided_at = "", None, None
    row.save(update_fields=["state", "note", "decided_by", "decided_at"])
    _record(TradingAction.LOGIN_REOPENED, row, actor)
    return row


@transaction.atomic
def _decide(row_id: int, actor: Actor, state: StagedState, note: str) -> StagedLogin:
    require(policies.can_import(actor))
    row = locked(row_id)
    if row.state not in UNDECIDED:
        raise WrongState(_("Not possible: this login is “%(state)s”.") % {"state": row.get_state_display()})
    row.move_to(state)
    row.note, row.decided_by, row.decided_at = note.strip()[:300], actor, timezone.now()
    row.save(update_fields=["state", "note", "decided_by", "decided_at"])
    _record(TradingAction.LOGIN_IGNORED if state == StagedState.IGNORED else TradingAction.LOGIN_PUT_OFF, row, actor)
    return row


def _record(action: AuditCode, row: StagedLogin, actor: Actor) -> None:
    audit.record(
        actor=actor, action=action, target=row, reason=row.note, after={"login": row.login, "server": str(row.server)}
    )


def settle_unknown_logins(server: TradingServer, actor: Actor) -> bool:
    """Close the question about unknown accounts once no deal is left without an owner or a decision."""
    with connection.cursor() as cursor:
        cursor.execute(STRANGERS, {"server": server.pk})
        if cursor.fetchone():
            return False
    return settle(
        server_id=server.pk,
        kind=IssueKind.UNKNOWN_ACCOUNT,
        actor=actor,
        resolution=_("Every login with deals has been attached or ignored."),
    )


__all__ = ["NO_TYPE", "SecondPersonNeeded", "attach", "ignore", "put_off", "reopen", "settle_unknown_logins"]
