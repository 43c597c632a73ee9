"""A login given to a client whom the platform's data doesn't name: chosen by one person, attached by another.

Where the platform's e-mail, phone or name agrees with the client, one person attaches the login (`attach`).
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.audit_codes import AuditCode
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from trading import policies
from trading.audit_codes import TradingAction
from trading.choices import StagedState
from trading.core.notices import TradingNotice
from trading.imports import attach
from trading.models import StagedLogin, TradingAccount


@transaction.atomic
def propose_client(
    *, row_id: int, actor: User, client_id: int, account_type_id: int | None = None, reason: str
) -> StagedLogin:
    """Write down whose login it is. Nothing is attached before a second person approves.

    Who: `trading.import_accounts`, for clients in reach. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    require(policies.can_import(actor))
    row = attach.locked(row_id)
    client = attach.client_for(row, actor, client_id)
    if row.state == StagedState.ATTACHED:
        raise WrongState(_("This login is already attached to another client."))
    attach.check_open(row)
    if not reason.strip():
        raise DomainError(_("Enter a reason: how do you know the login belongs to this client?"))
    row.proposed_client, row.proposed_type = client, attach.type_for(row, client, account_type_id)
    row.proposed_by, row.proposed_at, row.proposal_reason = actor, timezone.now(), reason.strip()[:300]
    row.move_to(StagedState.PROPOSED)
    row.note, row.decided_by, row.decided_at = "", None, None
    row.save()
    _record(row, TradingAction.CLIENT_PROPOSED, actor, row.proposal_reason)
    notify(
        [pk for pk in people_with("trading.import_accounts", brand_id=client.brand_id) if pk != actor.pk],
        kind=TradingNotice.CLIENT_PROPOSED,
        title=phrase("Login %(login)s: awaiting second approval") % {"login": row.login},
        body=f"{client}: {row.proposal_reason}",
        url=row.get_absolute_url(),
        dedupe_key=f"client-proposal:{row.pk}:{row.proposed_at.isoformat()}",
    )
    return row


@transaction.atomic
def approve_client(*, row_id: int, actor: User, note: str = "") -> TradingAccount:
    """Make the login the account of the client whom somebody else chose.

    Who: `trading.import_accounts`, the client in reach, and not who proposed it. Raises: NotAllowed, WrongState, DomainError.
    """
    row = attach.locked(row_id)
    require(policies.can_decide_client(actor, row))
    client = attach.client_for(row, actor, row.proposed_client_id)
    row.note = note.strip()[:300]
    return attach.complete(row, client, attach.type_for(row, client, row.proposed_type_id or attach.NO_TYPE), actor)


@transaction.atomic
def refuse_client(*, row_id: int, actor: User, note: str) -> StagedLogin:
    """Reject the proposed client; the login waits again. Who: as for approving. Raises: NotAllowed, DomainError without a note."""
    row = attach.locked(row_id)
    require(policies.can_decide_client(actor, row))
    if not note.strip():
        raise DomainError(_("Enter a note: why is the client rejected?"))
    notify(
        [row.proposed_by_id] if row.proposed_by_id else [],
        kind=TradingNotice.CLIENT_REFUSED,
        title=phrase("Login %(login)s: proposal rejected") % {"login": row.login},
        body=note.strip(),
        url=row.get_absolute_url(),
    )
    return _take_back(row, TradingAction.CLIENT_REFUSED, actor, note)


@transaction.atomic
def withdraw_client(*, row_id: int, actor: Actor, note: str = "") -> StagedLogin:
    """Withdraw the proposal; the login waits again. Who: the one who proposed it, while nobody has decided."""
    row = attach.locked(row_id)
    require(policies.can_withdraw_client(actor, row))
    return _take_back(row, TradingAction.CLIENT_WITHDRAWN, actor, note)


def _take_back(row: StagedLogin, action: AuditCode, actor: Actor, note: str) -> StagedLogin:
    _record(row, action, actor, note.strip())
    row.move_to(StagedState.WAITING)
    row.note = note.strip()[:300]
    row.proposed_client = row.proposed_type = row.proposed_by = row.proposed_at = None
    row.proposal_reason = ""
    row.save()
    return row


def _record(row: StagedLogin, action: AuditCode, actor: Actor, reason: str) -> None:
    client = row.proposed_client
    assert client is not None
    audit.record(
        actor=actor,
        action=action,
        target=row,
        client_id=client.pk,
        brand_id=client.brand_id,
        reason=reason,
        after={"login": row.login, "server": str(row.server), "client": client.pk, "proposed_by": row.proposed_by_id},
    )


class ClientApproval(approvals.ListedApproval[StagedLogin]):
    """The login becomes the account of the client that somebody chose."""

    model = StagedLogin
    code = "client-of-login"
    label = gettext_lazy("Client for a login")
    asks = decides = "trading.import_accounts"
    withdrawn = TradingAction.CLIENT_WITHDRAWN
    notice = TradingNotice.CLIENT_PROPOSED
    client_path = "proposed_client"
    related = ("proposed_client", "proposed_type", "server")
    maker, asked_at, reason, note = "proposed_by", "proposed_at", "proposal_reason", "note"
    pending = {"state": StagedState.PROPOSED}
    done = gettext_lazy("Login attached.")

    def approve(self, pk: int, actor: User, note: str) -> StagedLogin:
        return approve_client(row_id=pk, actor=actor, note=note).staged

    def reject(self, pk: int, actor: User, note: str) -> StagedLogin:
        return refuse_client(row_id=pk, actor=actor, note=note)

    def withdraw(self, pk: int, actor: User, note: str) -> StagedLogin:
        return withdraw_client(row_id=pk, actor=actor, note=note)

    def title(self, item: StagedLogin) -> LocalizedText:
        return phrase("Login %(login)s for %(client)s") % {"login": item.login, "client": item.proposed_client}

    def url(self, item: StagedLogin) -> str:
        return item.get_absolute_url()

    def changes(self, item: StagedLogin) -> list[Change]:
        rows = [
            Change(_("Name on the platform"), item.name or "–"),
            Change(_("Server"), item.server),
            Change(_("Client"), item.proposed_client),
        ]
        return [*rows, Change(_("Account type"), item.proposed_type)] if item.proposed_type else rows
