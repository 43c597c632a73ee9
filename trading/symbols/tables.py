"""Lists about being in step with platforms: symbols and their mapping, breaks, deals that nobody understands."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import django_filters
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.i18n import formats
from crm.security.policies import require_permission
from crm.templatetags.keelson import badge_html
from crm.ui.tables import AgoColumn, BadgeColumn, BulkAction, Column, Empty, MoneyColumn, Table, TimeColumn
from crm.web.requests import UserRequest
from trading.choices import AliasState, BreakKind, BreakState, SymbolGroup
from trading.models import Deal, ReconcileBreak, SymbolInfo, TradingServer
from trading.symbols import mapping

UNMAPPED, NO_PROPOSAL, SIZE_CHANGED, GONE = "unmapped", "none", "size", "gone"
STATES = [
    (UNMAPPED, _("Unmapped")),
    (NO_PROPOSAL, _("No proposal")),
    *AliasState.choices,
    (SIZE_CHANGED, _("Contract size changed")),
    (GONE, _("No longer on the server")),
]


def _servers(_request: UserRequest) -> QuerySet[TradingServer]:
    return TradingServer.objects.order_by("name")


def _alias(info: SymbolInfo) -> Any:
    return getattr(info, "alias", None)


class SymbolFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=STATES, label=_("Mapping"), method="with_state")
    server = django_filters.ModelChoiceFilter(queryset=_servers, label=_("Server"))
    symbol_group = django_filters.ChoiceFilter(choices=SymbolGroup.choices, label=_("Group"))

    class Meta:
        model = SymbolInfo
        fields: ClassVar[list[str]] = []

    def with_state(self, rows: QuerySet[SymbolInfo], _name: str, value: str) -> QuerySet[SymbolInfo]:
        if value == UNMAPPED:
            return rows.filter(symbol_group="")
        if value == NO_PROPOSAL:
            return rows.filter(Q(alias__isnull=True) | Q(alias__state=AliasState.REFUSED), symbol_group="")
        if value == SIZE_CHANGED:
            return rows.filter(alias__isnull=False).exclude(alias__contract_size=F("contract_size"))
        if value == GONE:
            return rows.filter(gone_at__isnull=False)
        return rows.filter(alias__state=value)


def _state(info: SymbolInfo, _table: Table) -> str:
    alias = _alias(info)
    if alias is not None:
        return badge_html(alias.get_state_display(), AliasState(alias.state).colour)
    return badge_html(str(_("Mapped")), "green") if info.symbol_group else badge_html(str(_("Unmapped")), "red")


def _sizes(info: SymbolInfo, _table: Table) -> str:
    alias = _alias(info)
    there = formats.number(info.contract_size)
    if alias is None or alias.symbol.contract_size == info.contract_size:
        return there
    here = formats.number(alias.symbol.contract_size)
    return format_html('<span class="neg">{}</span> <span class="muted">/ {}</span>', there, here)


def _house(info: SymbolInfo) -> str:
    alias = _alias(info)
    return alias.symbol.name if alias is not None and alias.state != AliasState.REFUSED else info.canonical


def _group(info: SymbolInfo) -> str:
    alias = _alias(info)
    group = info.symbol_group or (alias.symbol.symbol_group if alias and alias.state == AliasState.PROPOSED else "")
    return str(SymbolGroup(group).label) if group else ""


class SymbolTable(Table):
    """Servers' symbols and which of ours they are."""

    name, title = "trading_symbols", _("Symbols")
    subtitle = _(
        "How each server's symbols map to CRM symbols. Deals in unmapped symbols earn no "
        "commission and count in no group."
    )
    permission, export_permission = "trading.view_symbolalias", "trading.view_symbolalias"
    columns: ClassVar[Sequence[Column]] = (
        Column("name", _("Server symbol"), link=True, css="mono", sort=True),
        Column("server", _("Server"), value="server.name", css="nowrap"),
        Column("state", _("Mapping"), render=_state),
        Column("house", _("CRM symbol"), value=_house, css="mono"),
        Column("group", _("Group"), value=_group, css="nowrap"),
        Column("why", _("Basis"), value=lambda row: _alias(row).reason if _alias(row) else "", css="clip muted"),
        Column("size", _("Contract size"), value="contract_size", render=_sizes, css="end num"),
        Column("digits", _("Digits"), css="end num"),
        Column(
            "tick",
            _("Tick"),
            value=lambda row: f"{row.tick_size.normalize():f}" if row.tick_size else "",
            css="end num",
            hidden=True,
        ),
        AgoColumn("waiting_since", _("Deals waiting since")),
        TimeColumn("first_seen_at", _("First seen"), hidden=True),
        Column("path", _("Folder"), css="muted clip", hidden=True),
        Column(
            "decided_by",
            _("Decided by"),
            value=lambda row: str(_alias(row).decided_by or "") if _alias(row) else "",
            hidden=True,
        ),
    )
    filterset = SymbolFilter
    search_fields = ("name", "canonical", "description")
    search_hint = _("Symbol name")
    default_order = "name"
    row_url_name = "trading_symbol"
    bulk_actions = (
        BulkAction("confirm", _("Confirm proposals"), "trading_symbols_confirm", mapping.MAPS, icon="check-check"),
    )
    empty = Empty(
        _("No symbols"), _("Symbols are read from each trading server every night and from new deals."), icon="tags"
    )

    def queryset(self) -> QuerySet[SymbolInfo]:
        require_permission(self.user, "trading.view_symbolalias")
        return SymbolInfo.objects.select_related("server", "alias__symbol", "alias__decided_by")


class BreakFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=BreakState.choices, label=_("State"), empty_label=_("Open"))
    kind = django_filters.MultipleChoiceFilter(choices=BreakKind.choices, label=_("Kind"), distinct=False)
    server = django_filters.ModelChoiceFilter(queryset=_servers, label=_("Server"))
    day = django_filters.DateFromToRangeFilter(label=_("Day"))

    class Meta:
        model = ReconcileBreak
        fields: ClassVar[list[str]] = []


def _age(row: ReconcileBreak, table: Table) -> str:
    days = ((row.closed_at or table.now) - row.found_at).days
    return format_html('<span class="{}">{}</span>', "neg" if days > 2 and row.state == BreakState.OPEN else "", days)


class PlatformBreakTable(Table):
    """Differences between platforms and us."""

    name, title = "trading_breaks", _("Platform breaks")
    subtitle = _(
        "Results of the nightly comparison, by deal and balance. Breaks that can be fixed "
        "automatically are marked as fixed."
    )
    permission, export_permission = "trading.view_platform_health", "trading.view_platform_health"
    columns: ClassVar[Sequence[Column]] = (
        Column("subject", _("Subject"), link=True, css="mono"),
        BadgeColumn("kind", _("Kind")),
        BadgeColumn("state", _("State")),
        Column("server", _("Server"), value="server.name"),
        Column("login", _("Login"), css="mono"),
        Column("day", _("Day"), value=lambda row: row.day.isoformat() if row.day else ""),
        Column("told", _("Evidence"), value=lambda row: evidence_text(row), css="clip muted"),
        Column("age", _("Days"), render=_age, css="end num"),
        AgoColumn("found_at", _("Found"), sort=True),
        Column("decided_by", _("Closed by"), value=lambda row: str(row.decided_by or ""), hidden=True),
        Column("reason", _("Reason"), css="clip muted", hidden=True),
    )
    filterset = BreakFilter
    is_searchable = False
    default_order = "-found_at"
    row_url_name = "trading_break"
    empty = Empty(_("No breaks"), _("Deals and balances match the platforms."), icon="circle-check")

    def queryset(self) -> QuerySet[ReconcileBreak]:
        require_permission(self.user, "trading.view_platform_health")
        rows = ReconcileBreak.objects.select_related("server", "decided_by", "account")
        return rows if self.params.get("state") else rows.filter(state=BreakState.OPEN)


def evidence_text(row: ReconcileBreak) -> str:
    """Sum up a difference's evidence for a table cell."""
    evidence, currency = row.evidence, row.account.currency if row.account else ""
    if row.kind == BreakKind.BALANCE:
        return _("Platform %(platform)s, deals %(deals)s") % {
            "platform": amount(evidence.get("balance", ""), currency),
            "deals": amount(evidence.get("balance_of_deals", ""), currency),
        }
    if row.kind == BreakKind.COUNT:
        return _("Platform %(platform)s, Keelson %(ours)s") % {
            "platform": evidence.get("platform", ""),
            "ours": evidence.get("ours", ""),
        }
    if row.kind == BreakKind.CHANGED:
        return ", ".join(name.replace("_", " ") for name in sorted(evidence.get("after", {})))
    net = amount(evidence.get("net", ""), currency, sign=True)
    return " · ".join(filter(None, (evidence.get("symbol", ""), net, evidence.get("comment", ""))))


def amount(value: Any, currency: str, *, sign: bool = False) -> str:
    """Write a figure of the evidence in the account's currency; unchanged where the currency is unknown or it is no number."""
    try:
        return formats.money(Decimal(str(value)), currency, sign=sign) if currency else str(value)
    except InvalidOperation:
        return str(value)


KNOWN_ACTIONS = Q(action__lt=0) | Q(action__gt=20)  # as in the index `deals_of_unknown_action`


class UnknownDealTable(Table):
    """Deals of a kind that the platform did not have when this was built. They count in balances, and in nothing else."""

    name, title = "unknown_deals", _("Deals of unknown type")
    subtitle = _("Stored as received from the platform. They count towards the balance but not in reports.")
    permission, export_permission = "trading.view_platform_health", "clients.export_client"
    columns: ClassVar[Sequence[Column]] = (
        TimeColumn("executed_at", _("Executed"), sort=True, seconds=True),
        Column("action", _("Kind"), value=lambda row: f"#{row.action}", css="mono"),
        Column("ticket", _("Ticket"), css="mono", link=True),
        Column("login", _("Login"), css="mono"),
        Column("symbol", _("Symbol")),
        MoneyColumn(
            "profit", _("Amount"), value=lambda row: row.profit or None, currency="account.currency", signed=True
        ),
        Column("comment", _("Comment"), css="muted"),
    )
    is_searchable = False
    default_order = "-executed_at"
    empty = Empty(
        _("No deals of unknown type"), _("Deals of a type Keelson doesn't know appear here."), icon="circle-check"
    )

    def queryset(self) -> QuerySet[Deal]:
        require_permission(self.user, "trading.view_platform_health")
        return Deal.every.filter(KNOWN_ACTIONS).defer("raw").select_related("account")

    def row_url(self, row: Deal) -> str:
        return reverse("trading_deal", args=[row.server_id, row.ticket])
