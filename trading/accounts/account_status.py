"""The state of an account on its platform: what was asked, what dealers changed, what its owner may do there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from crm.i18n.localized_text import LocalizedText
from crm.models import AuditEvent, User
from crm.security.audit.record import bodies_of
from trading import policies, queries
from trading.accounts import change_texts, request_rules
from trading.audit_codes import TradingAction
from trading.choices import AccountState
from trading.models import AccountChange, AccountRequest, TradingAccount
from trading.platforms.base import Right

CHANGES_MAX = 5
STEPS_MAX: Final = 8
RIGHT_STEPS: Final = (
    TradingAction.RIGHT_TO_TRADE_CHANGED,
    TradingAction.RIGHT_TO_TRADE_UNKNOWN,
    TradingAction.RIGHT_TO_TRADE_LOOKED_UP,
)


@dataclass(frozen=True)
class AccountStatus:
    """`forbidden` are rights that the platform does not give, in words."""

    forbidden: list[str]
    may_archive: bool
    may_restore: bool


@dataclass(frozen=True)
class RightStep:
    """A step of stopping or allowing trading on the platform."""

    at: dt.datetime
    text: str


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


def right_to_trade_steps(account: TradingAccount) -> list[RightStep]:
    """List what was sent to the platform about an account's right to trade, lost and looked up, the newest first. One query."""
    events = AuditEvent.objects.filter(
        target_type=account._meta.label_lower, target_id=str(account.pk), action__in=RIGHT_STEPS
    )
    rows = list(events.order_by("-id")[:STEPS_MAX])
    return [
        RightStep(event.at, _text_of(event, body.get("after") or {}))
        for event, body in zip(rows, bodies_of(rows), strict=True)
    ]


def _text_of(event: AuditEvent, found: Mapping[str, Any]) -> str:
    if event.action == TradingAction.RIGHT_TO_TRADE_LOOKED_UP:
        return (
            _("Looked up on the platform: done.") if found.get("is_made") else _("Looked up on the platform: not done.")
        )
    if event.action == TradingAction.RIGHT_TO_TRADE_UNKNOWN:
        return _("Sent to the platform; its answer was lost.")
    return _("Trading to be allowed.") if found.get("trading") else _("Trading to be stopped.")


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
