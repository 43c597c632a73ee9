"""`{% load trading %}`: how a deal is called, and what a change changed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from trading import abilities
from trading.choices import IssueKind
from trading.models import Deal, DealEdit, PlatformChange, PlatformIssue, TradingServer
from trading.tables import deal_kind as kind_of

register = template.Library()


@dataclass(frozen=True)
class Difference:
    name: str
    before: str
    after: str


@register.filter
def unverified(server: TradingServer) -> str:
    """What is done there by an interface that nobody has described in public, in words; empty when nothing is."""
    found = ", ".join(str(one.label) for one in abilities.unverified(server))
    return _("Not proved: %(what)s") % {"what": found} if found else ""


@register.filter
def deal_kind(deal: Deal) -> str:
    return kind_of(deal)


@register.filter
def issue_page(issue: PlatformIssue, perms: Any) -> str:
    """Where a question about a platform is answered, for whoever may look there."""
    if issue.kind == IssueKind.UNKNOWN_ACTION:
        return reverse("trading_unknown_deals")
    if issue.kind in (IssueKind.BALANCE_BREAK, IssueKind.DEALS_BREAK):
        return f"{reverse('trading_breaks')}?server={issue.server_id}"
    if issue.kind in (IssueKind.UNMAPPED_SYMBOL, IssueKind.CONTRACT_CHANGED) and "trading.view_symbolalias" in perms:
        return f"{reverse('trading_symbols')}?server={issue.server_id}&q={quote(issue.subject)}"
    return ""


@register.filter
def exact(value: Decimal | None) -> str:
    """All the digits that a number has, and no more."""
    return "" if value is None else f"{value.normalize():f}"


@register.filter
def differences(change: PlatformChange | DealEdit) -> list[Difference]:
    """Field by field: what it was and what it is."""
    names = sorted({*change.before, *change.after})
    return [Difference(_named(name), _shown(change.before.get(name)), _shown(change.after.get(name))) for name in names]


@register.filter
def evidence_name(name: str) -> str:
    """What a figure of a difference is called."""
    known = {
        "balance": _("Balance on the platform"), "balance_of_deals": _("Balance by our deals"), "difference": _("Difference"),
        "credit": _("Credit on the platform"), "credit_of_deals": _("Credit by our deals"), "deals": _("Deals of the account"),
        "platform": _("Deals there"), "ours": _("Deals here"), "not_listed": _("Of them, not listed (archive, other groups)"),
        "symbol": _("Symbol"), "action": _("Kind of deal"), "net": _("What it moved"), "comment": _("Comment"),
    }  # fmt: skip
    return known.get(name, name)


def _named(name: str) -> str:
    known = {"listed": _("on the server"), "deleted": _("deleted on the platform")}
    return known.get(name, name.replace("_", " "))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else str(value)
