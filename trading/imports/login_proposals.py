"""The login of an account whose opening was not answered: found by one person on the platform, attached by another.

A login is believed only if the platform shows it: in the account's group, and with our reference or the client's own name or
e-mail, as the attempt itself writes them. It is asked when somebody proposes, for the second person's page, and again before
the login is attached. What it shows of a person is not kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.security.policies import Decision, require
from trading import policies
from trading.accounts import opening
from trading.audit_codes import TradingAction
from trading.choices import AccountState
from trading.core.notices import TradingNotice
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
    """Compare what the platform shows of a login now with the account. Not in a transaction: it asks the platform.

    Raises: DomainError where there is no such login, or it can't be this account; OutsideWorldError when the platform
    doesn't answer.
    """
    try:
        account_data = platform_for(account.server, Purpose.READS).read_account(login)
    except PlatformError as problem:
        raise as_domain_error(problem) from problem
    if account_data is None:
        raise DomainError(_("%(server)s has no account %(login)s.") % {"server": account.server, "login": login})
    if account_data.group and account_data.group != account.group:
        raise DomainError(
            _("Account %(login)s is in the group %(theirs)s, but this account belongs in %(ours)s.")
            % {"login": login, "theirs": account_data.group, "ours": account.group}
        )
    shown = _compare(account, account_data)
    person = [entry.agrees for entry in shown[1:] if entry.agrees is not None]
    if not any(person):
        raise DomainError(
            _(
                "Nothing on %(server)s shows that %(login)s belongs to this client: neither our "
                "reference nor their e-mail or name matches."
            )
            % {"server": account.server, "login": login}
        )
    return shown


def _compare(account: TradingAccount, data: AccountData) -> list[Evidence]:
    """List both sides of what identifies an account: the group first, then what names the person, masked."""
    client = account.client
    rows = [
        (_("Group"), data.group, account.group),
        (_("Our reference"), data.reference, opening.reference_of(account.pk)),
        (_("E-mail"), data.email, client.email),
        (_("Name"), data.name, client.full_name or client.email),
    ]
    return [
        Evidence(label, _masked(theirs), _masked(ours), _folded(theirs) == _folded(ours) if theirs.strip() else None)
        for label, theirs, ours in rows
    ]


def _masked(text: str) -> str:
    """Mask contacts here as on every page; whether they are the same is what counts."""
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
    return approvals.propose(LoginProposal(account=account, login=login, reason=reason), actor=actor)


class LoginApproval(approvals.ApprovalKind[LoginProposal]):
    """The account has this login from now on, if the platform still shows it so; its past is read afterwards."""

    model = LoginProposal
    code = "login-proposal"
    label = gettext_lazy("Account login")
    asks = decides = "trading.open_account"
    proposed, approved = TradingAction.LOGIN_PROPOSED, None
    rejected, withdrawn = TradingAction.LOGIN_REFUSED, TradingAction.LOGIN_WITHDRAWN
    notice = TradingNotice.LOGIN_PROPOSED
    client_path = "account__client"
    related = ("account__client__brand", "account__server", "account__account_type")
    one_open = ("account",)
    has_own_form = True
    confirm = gettext_lazy(
        "Attach this login to the client? Keelson first checks the platform once more. This can’t be undone."
    )
    done = gettext_lazy("Login attached. The account's history is being read.")

    def may_decide(self, user: User, item: LoginProposal) -> Decision:
        return policies.can_propose_login(user, item.account)

    def lock(self, pk: int) -> LoginProposal:
        """Lock the account before the proposal, in the order of everybody who opens it."""
        account = opening.locked(LoginProposal.objects.values_list("account_id", flat=True).get(pk=pk))
        proposal = super().lock(pk)
        proposal.account = account
        return proposal

    def ask_outside(self, item: LoginProposal, **given: Any) -> None:
        _check(item.account, item.login, item.reason)
        evidence_of(item.account, item.login)

    def apply(self, item: LoginProposal, actor: User, **given: Any) -> None:
        _check(item.account, item.login, item.reason)
        opening.attach_login(item.account, login=item.login, actor=actor, reason=item.reason)

    def title(self, item: LoginProposal) -> LocalizedText:
        return phrase("Login %(login)s for %(client)s") % {"login": item.login, "client": item.account.client}

    def url(self, item: LoginProposal) -> str:
        return f"/trading/logins/{item.pk}/"

    def changes(self, item: LoginProposal) -> list[Change]:
        return [Change(_("Login"), item.login), Change(_("Server"), item.account.server)]

    def target(self, item: LoginProposal) -> TradingAccount:
        return item.account

    def after(self, item: LoginProposal) -> dict[str, Any]:
        return {"login": item.login}


def _check(account: TradingAccount, login: str, reason: str) -> None:
    if account.state not in (AccountState.FAILED, AccountState.UNKNOWN):
        raise WrongState(
            _("A login can be proposed only for an account whose opening failed or has an unknown outcome.")
        )
    if not login or not reason:
        raise DomainError(_("Enter the login and where you found it."))
    if TradingAccount.objects.filter(server_id=account.server_id, login=login).exclude(pk=account.pk).exists():
        raise DomainError(_("Login %(login)s belongs to another account.") % {"login": login})
