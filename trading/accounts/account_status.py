"""The state of an account on its platform: what was asked, what dealers changed, what its owner may do there."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm.i18n.localized_text import LocalizedText
from crm.models import User
from trading import policies, queries
from trading.accounts import change_texts, request_rules
from trading.choices import AccountState
from trading.models import AccountChange, AccountRequest, TradingAccount
from trading.platforms.base import Right

CHANGES_MAX = 5


@dataclass(frozen=True)
class AccountStatus:
    """`forbidden` are rights that the platform does not give, in words."""

    forbidden: list[str]
    may_archive: bool
    may_restore: bool


@dataclass(frozen=True)
class RequestHistory:
    """What the owner asked for and what dealers changed, each with its words, the newest first."""

    requests: list[tuple[AccountRequest, LocalizedText]]
    changes: list[tuple[AccountChange, list[LocalizedText]]]


def status_of(user: User, account: TradingAccount) -> AccountStatus:
    """Collect what the account's owner may not do, and whether the user may archive or restore it. No query."""
    may = bool(policies.can_archive(user, account)) and account.missing_since is None
    return AccountStatus(
        forbidden_in(account),
        may and account.state == AccountState.OPEN,
        may and account.state == AccountState.ARCHIVED,
    )


def request_history(account: TradingAccount) -> RequestHistory:
    """List what was requested on the account and what changed on the platform. Two queries."""
    return RequestHistory(
        [(request, request_rules.what(request)) for request in queries.requests_of(account)],
        [
            (change, change_texts.words_of(change.before, change.after))
            for change in account.changes.all()[:CHANGES_MAX]
        ],
    )


def forbidden_in(account: TradingAccount) -> list[str]:
    """List in the reader's language what the account's owner may not do on the platform; empty where its rights were never read."""
    labels = {
        Right.SIGN_IN: _("sign-in"),
        Right.TRADE: _("trading"),
        Right.CHANGE_PASSWORD: _("password changes"),
        Right.EXPERTS: _("automated trading"),
    }
    return (
        []
        if account.allowed is None
        else [label for right, label in labels.items() if right.value not in account.allowed]
    )
