"""`{% load trading %}`: how a deal is called, and what a change changed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.i18n import formats
from trading.accounts.tables import deal_kind as kind_of
from trading.choices import ConnectionFor, DataKind, DealAction, InstrumentClass, IssueKind
from trading.models import Deal, DealEdit, PlatformChange, PlatformIssue, TradingServer
from trading.platforms import capabilities
from trading.symbols.tables import amount

register = template.Library()


@dataclass(frozen=True)
class Difference:
    name: str
    before: str
    after: str


@register.filter
def unverified(server: TradingServer) -> str:
    """List what is done there through an interface without a public description; empty when nothing is."""
    names = ", ".join(str(ability.label) for ability in capabilities.unverified(server))
    return _("Not verified: %(what)s") % {"what": names} if names else ""


@register.filter
def data_kind(kind: str) -> str:
    """Name a kind of data that is read from a server."""
    return str(DataKind(kind).label) if kind in DataKind.values else kind


@register.filter
def connection_for(purpose: str) -> str:
    """Name what a connection is for."""
    return str(ConnectionFor(purpose).label) if purpose in ConnectionFor.values else purpose


@register.filter
def elapsed(milliseconds: int | None) -> str:
    """Write a duration as short as one reads it: `659 ms`, `59.5 s`, `4 min 7 s`."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 120_000:
        return f"{formats.number(Decimal(milliseconds) / 1000, 1)} s"
    return formats.duration(milliseconds // 1000)


@register.filter
def deal_kind(deal: Deal) -> str:
    """Name the kind of a deal: trade, deposit, correction and so on."""
    return kind_of(deal)


@register.filter
def issue_page(issue: PlatformIssue, perms: Any) -> str:
    """Find the page where a question about a platform is answered, for those who may open it."""
    if "account" in issue.details and issue.kind == IssueKind.BY_HAND and "trading.view_tradingaccount" in perms:
        return reverse("trading_account", args=[issue.details["account"]])
    if issue.kind == IssueKind.CLASS_CAP:
        return reverse("trading_caps_above") if "trading.view_leveragecap" in perms else ""
    if "operation" in issue.details and "trading.resolve_operation" in perms:
        return reverse("trading_operation", args=[issue.details["operation"]])
    if issue.kind == IssueKind.UNKNOWN_ACTION:
        return reverse("trading_unknown_deals")
    if issue.kind in (IssueKind.BALANCE_BREAK, IssueKind.DEALS_BREAK):
        return f"{reverse('trading_breaks')}?server={issue.server_id}"
    if issue.kind in (IssueKind.UNMAPPED_SYMBOL, IssueKind.CONTRACT_CHANGED) and "trading.view_symbolalias" in perms:
        return f"{reverse('trading_symbols')}?server={issue.server_id}&q={quote(issue.subject)}"
    return ""


@register.filter
def issue_about(issue: PlatformIssue) -> str:
    """Name what a question is about."""
    return str(InstrumentClass(issue.subject).label) if issue.kind == IssueKind.CLASS_CAP else issue.subject


@register.filter
def issue_words(issue: PlatformIssue) -> str:
    """Describe what there is to do or to know about a question, from its stored details."""
    details, kind = issue.details, issue.kind
    if kind == IssueKind.BY_HAND and details.get("opening"):
        return _("Check whether an account for %(name)s was created in %(group)s.") % {
            "name": details.get("name", ""),
            "group": details.get("group", ""),
        }
    if kind == IssueKind.BY_HAND and "trading" in details:
        return _("Enable trading again.") if details["trading"] else _("Disable trading.")
    if kind == IssueKind.UNREADABLE_ROW:
        return str(details.get("why", ""))
    if kind == IssueKind.UNKNOWN_ACCOUNT:
        return _some(details.get("logins", []))
    if kind in (IssueKind.TWO_CANDIDATES, IssueKind.UNKNOWN_ACTION):
        return _some([f"#{ticket}" for ticket in details.get("tickets", [])])
    if kind == IssueKind.CONTRACT_CHANGED:
        return " → ".join(formats.number(Decimal(details[name])) for name in ("decided", "now") if details.get(name))
    if kind == IssueKind.CLASS_CAP:
        text = _(
            "%(class)s: %(most)s on %(symbol)s, allowed: %(cap)s. Move the accounts or have the "
            "margin raised for: %(groups)s"
        )
        return text % {
            "class": InstrumentClass(issue.subject).label,
            "most": details["most"] or "–",
            "symbol": details["symbol"],
            "cap": f"1:{details['cap']}" if details["cap"] else _("none"),
            "groups": _some([_margins_of(group, details.get("needed", {}).get(group)) for group in details["groups"]]),
        }
    if kind == IssueKind.DEALS_BREAK:
        return _("Platform %(platform)s, Keelson %(ours)s") % {
            "platform": details.get("platform", ""),
            "ours": details.get("ours", ""),
        }
    return ""


def _margins_of(group: str, needed: list[str] | None) -> str:
    """Name a group, and of which symbol what margin must become what: `real\\pro-EUR (XAUUSD: 1 → 1.5)`."""
    return f"{group} ({needed[0]}: {needed[1]} → {needed[2]})" if needed else group


def _some(values: list[Any], *, shown: int = 4) -> str:
    """Write the first values of a list, with an ellipsis where there are more."""
    return ", ".join(map(str, values[:shown])) + (" …" if len(values) > shown else "")


@register.filter
def exact(value: Decimal | None) -> str:
    """Write all the digits that a number has, and no more."""
    return "" if value is None else f"{value.normalize():f}"


@register.filter
def differences(change: PlatformChange | DealEdit) -> list[Difference]:
    """List field by field what it was and what it is."""
    names = sorted({*change.before, *change.after})
    return [
        Difference(field_name(name), _shown(change.before.get(name)), _shown(change.after.get(name))) for name in names
    ]


@register.filter
def evidence_name(name: str) -> str:
    """Label a figure of a difference."""
    known = {
        "balance": _("Platform balance"),
        "balance_of_deals": _("Balance from deals"),
        "difference": _("Difference"),
        "credit": _("Platform credit"),
        "credit_of_deals": _("Credit from deals"),
        "deals": _("Deals of the account"),
        "platform": _("Deals on the platform"),
        "ours": _("Deals in Keelson"),
        "not_listed": _("Of which not listed (archive, other groups)"),
        "symbol": _("Symbol"),
        "action": _("Deal type"),
        "net": _("Net amount"),
        "comment": _("Comment"),
    }
    return known.get(name, name)


MONEY_FIGURES = ("balance", "balance_of_deals", "difference", "credit", "credit_of_deals", "net")


@register.simple_tag
def evidence_value(name: str, value: Any, currency: str) -> str:
    """Write a figure of a difference: amounts in the account's currency, kinds of deals by name."""
    if name in MONEY_FIGURES:
        return amount(value, currency, sign=name in ("difference", "net"))
    if name == "action" and value in DealAction.values:
        return str(DealAction(value).label)
    return formats.number(value) if isinstance(value, int) else str(value) or "–"


@register.filter
def field_name(name: str) -> str:
    """Label a field of a deal or of a server's settings."""
    known = {"listed": _("on the server"), "deleted": _("deleted on the platform")}
    return known.get(name, name.replace("_", " "))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return "" if value is None else str(value)
