"""The login of an account whose opening was not answered: found by one person on the platform, attached by another.

A login is believed only if the platform shows it: in the account's group, and with our reference or the client's own name or
e-mail, as the attempt itself writes them. It is asked when somebody proposes, for the second person's page, and again before
the login is attached. What it shows of a person is not kept here.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import AuditCode
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from trading import policies
from trading.accounts import opening
from trading.audit_codes import TradingAction
from trading.choices import AccountState, DecisionState
from trading.models import LoginProposal, TradingAccount
from trading.platforms.base import AccountData, Purpose
from trading.platforms.errors import PlatformError
from trading.platforms.pool import platform_for
from trading.platforms.user_errors import as_domain_error


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that the platform shows of a login beside what we know; `agrees` is None where it shows none."""

    label: str
    theirs: str
    ours: str
    agrees: bool | None


def evidence_of(account: TradingAccount, login: str) -> list[Evidence]:
    """What the platform shows of a login now. Not in a transaction: it is asked.

    Raises: DomainError, when it shows none, or one that can't be this account; OutsideWorldError, when it doesn't answer.
    """
    try:
        found = platform_for(account.server, Purpose.READS).read_account(login)
    except PlatformError as problem:
        raise as_domain_error(problem) from problem
    if found is None:
        raise DomainError(_("%(server)s has no account %(login)s.") % {"server": account.server, "login": login})
    if found.group and found.group != account.group:
        raise DomainError(
            _("Account %(login)s is in the group %(theirs)s, this one is to be in %(ours)s.")
            % {"login": login, "theirs": found.group, "ours": account.group}
        )
    shown = _compare(account, found)
    person = [one.agrees for one in shown[1:] if one.agrees is not None]
    if not any(person):
        raise DomainError(
            _(
                "Nothing on %(server)s shows that %(login)s is this client's: not our reference, nor their e-mail or name."
            )
            % {"server": account.server, "login": login}
        )
    return shown


def _compare(account: TradingAccount, found: AccountData) -> list[Evidence]:
    """The group first, then what names the person."""
    client = account.client
    rows = [
        (_("Group"), found.group, account.group),
        (_("Our reference"), found.reference, opening.reference_of(account.pk)),
        (_("E-mail"), found.email, client.email),
        (_("Name"), found.name, client.full_name or client.email),
    ]
    return [
        Evidence(label, _masked(theirs), _masked(ours), _folded(theirs) == _folded(ours) if theirs.strip() else None)
        for label, theirs, ours in rows
    ]


def _masked(text: str) -> str:
    """Contacts stay masked here as on every page; whether they are the same is what counts."""
    return formats.mask_email(text) if "@" in text else text


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def propose_login(*, account_id: int, login: str, actor: User, reason: str) -> LoginProposal:
    """Write down which login an account has on its platform. Nothing is attached before a second person approves.

    Who: `trading.open_account` on the client. Not in a transaction: the platform is asked.
    Raises: NotAllowed, WrongState, DomainError (no reason; the platform shows otherwise), OutsideWorldError.
    """
    login, reason = login.strip(), reason.strip()
    account = TradingAccount.objects.select_related("client__brand", "server", "account_type").get(pk=account_id)
    require(policies.can_propose_login(actor, account))
    _check(account, login, reason)
    evidence_of(account, login)
    return _write(account_id, login, actor, reason)


@transaction.atomic
def _write(account_id: int, login: str, actor: User, reason: str) -> LoginProposal:
    account = opening.locked(account_id)
    require(policies.can_propose_login(actor, account))
    _check(account, login, reason)
    if account.login_proposals.filter(state=DecisionState.WAITING).exists():
        raise WrongState(_("A login is already awaiting second approval."))
    proposal = LoginProposal.objects.create(
        account=account, login=login, reason=reason[:300], requested_by=actor, requested_at=timezone.now()
    )
    _record(proposal, TradingAction.LOGIN_PROPOSED, actor, reason)
    client = account.client
    notify(
        [pk for pk in people_with("trading.open_account", brand_id=client.brand_id) if pk != actor.pk],
        kind="trading.login_proposed",
        title=phrase("Login %(login)s: awaiting second approval") % {"login": login},
        body=f"{client}: {proposal.reason}",
        url=f"/trading/logins/{proposal.pk}/",
        dedupe_key=f"login-proposal:{proposal.pk}",
    )
    return proposal


def approve_login(*, proposal_id: int, actor: User, note: str = "") -> LoginProposal:
    """The account has this login from now on, if the platform still shows it so; its past is read afterwards.

    Who: `trading.open_account` on the client, and not who proposed it. Not in a transaction.
    Raises: NotAllowed, WrongState, DomainError (the platform shows otherwise), OutsideWorldError.
    """
    rows = LoginProposal.objects.select_related("account__client__brand", "account__server", "account__account_type")
    proposal = rows.get(pk=proposal_id)
    require(policies.can_decide_login(actor, proposal))
    _check(proposal.account, proposal.login, proposal.reason)
    evidence_of(proposal.account, proposal.login)
    return _attach(proposal_id, actor, note)


@transaction.atomic
def _attach(proposal_id: int, actor: User, note: str) -> LoginProposal:
    proposal = _locked(proposal_id)
    require(policies.can_decide_login(actor, proposal))
    _check(proposal.account, proposal.login, proposal.reason)
    _decide(proposal, DecisionState.APPROVED, actor, note)
    opening.attach_login(proposal.account, login=proposal.login, actor=actor, reason=proposal.reason)
    return proposal


@transaction.atomic
def refuse_login(*, proposal_id: int, actor: User, note: str) -> LoginProposal:
    """Who: as for approving. Raises: NotAllowed, DomainError without a note."""
    proposal = _locked(proposal_id)
    require(policies.can_decide_login(actor, proposal))
    if not note.strip():
        raise DomainError(_("Enter a note: why is it refused?"))
    _decide(proposal, DecisionState.REFUSED, actor, note)
    _record(proposal, TradingAction.LOGIN_REFUSED, actor, note)
    return proposal


@transaction.atomic
def withdraw_login(*, proposal_id: int, actor: Actor, note: str = "") -> LoginProposal:
    """Who: the one who proposed it, while nobody has decided."""
    proposal = _locked(proposal_id)
    require(policies.can_withdraw_login(actor, proposal))
    _decide(proposal, DecisionState.WITHDRAWN, actor, note)
    _record(proposal, TradingAction.LOGIN_WITHDRAWN, actor, note)
    return proposal


def _check(account: TradingAccount, login: str, reason: str) -> None:
    if account.state not in (AccountState.FAILED, AccountState.UNKNOWN):
        raise WrongState(_("Only an account whose opening failed, or is not known, is given a login by hand."))
    if not login or not reason:
        raise DomainError(_("Enter the login, and where you found it."))
    if TradingAccount.objects.filter(server_id=account.server_id, login=login).exclude(pk=account.pk).exists():
        raise DomainError(_("The login %(login)s belongs to another account here.") % {"login": login})


def _locked(proposal_id: int) -> LoginProposal:
    """The account first, as everybody who opens it does."""
    account = opening.locked(LoginProposal.objects.values_list("account_id", flat=True).get(pk=proposal_id))
    proposal = LoginProposal.objects.select_for_update(of=["self"]).get(pk=proposal_id)
    proposal.account = account
    return proposal


def _decide(proposal: LoginProposal, state: DecisionState, actor: Actor, note: str) -> None:
    proposal.state, proposal.decided_by, proposal.decided_at = state, actor, timezone.now()
    proposal.decision_note = note.strip()[:200]
    proposal.save()


def _record(proposal: LoginProposal, action: AuditCode, actor: Actor, reason: str) -> None:
    client = proposal.account.client
    audit.record(
        actor=actor,
        action=action,
        target=proposal.account,
        client_id=client.pk,
        brand_id=client.brand_id,
        reason=reason,
        after={"login": proposal.login, "state": proposal.state},
    )
