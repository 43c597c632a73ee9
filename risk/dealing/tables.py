"""The list of execution books: in force, awaiting approval, and what was decided before."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients.filters import brands_in_reach
from crm.choices import ApprovalState
from crm.ui.filters import WhenFilter
from crm.ui.tables import AgoColumn, BadgeColumn, BulkAction, Column, DateColumn, Empty, MoneyColumn, QuickFilter, Table
from risk.dealing import day_result
from risk.dealing.choices import ExecutionBook, ResultScope
from risk.dealing.models import ClientRouting, DayResultAlert
from risk.dealing.routing import EXPORTS, RIGHT, SEES, only_current, page_of, routings_visible_to, share_text


class RoutingFilter(django_filters.FilterSet):
    book = django_filters.ChoiceFilter(choices=ExecutionBook.choices, label=_("Execution book"))
    state = django_filters.ChoiceFilter(choices=ApprovalState.choices, label=_("State"))
    decided = WhenFilter(field_name="decided_at", label=_("Decided"))
    brand = django_filters.ModelChoiceFilter(field_name="client__brand", queryset=brands_in_reach, label=_("Brand"))

    class Meta:
        model = ClientRouting
        fields: list[str] = []


class RoutingTable(Table):
    """Decisions in force, the newest first; with a state or a time, the whole history."""

    name, title, permission = "risk.routing", _("Execution books"), SEES
    export_permission = EXPORTS
    subtitle = _(
        "Whose trades are passed on and whose are kept. The platform routes; these are the company’s decisions"
    )
    columns = [
        Column("client", _("Client"), value="client", link=True, place="name"),
        BadgeColumn("book", _("Execution book")),
        Column("share", _("Share"), value=share_text, place="state"),
        Column("reason", _("Reason"), value="reason", css="clip"),
        Column("episode", _("Suspected abuse"), value=lambda row: str(row.episode or ""), place="rest"),
        BadgeColumn("state", _("State"), place="rest"),
        Column("requested_by", _("Requested by"), value="requested_by", place="rest"),
        Column("decided_by", _("Decided by"), value=lambda row: str(row.decided_by or ""), place="rest"),
        DateColumn("decided_at", _("Decided")),
    ]
    filterset, default_order = RoutingFilter, "-id"
    quick_filters = [
        QuickFilter(_("Awaiting approval"), {"state": ApprovalState.PENDING}),
        *(QuickFilter(book.label, {"book": book.value}) for book in ExecutionBook),
    ]
    bulk_actions = (BulkAction("routing", _("Propose book"), "risk_routing_propose", RIGHT, "split"),)
    is_searchable = False
    empty = Empty(
        _("No execution books"),
        _("Propose a book on a client’s page or for flagged clients in the dealing view."),
        "split",
    )

    def queryset(self) -> QuerySet[ClientRouting]:
        rows = routings_visible_to(self.user).select_related("client__brand", "episode", "requested_by", "decided_by")
        return rows if self.params.get("state") or self.params.get("decided") else only_current(rows)

    def row_url(self, row: ClientRouting) -> str:
        return page_of(row.client)


class DayResultFilter(django_filters.FilterSet):
    scope = django_filters.ChoiceFilter(choices=ResultScope.choices, label=_("Kind"))
    raised = WhenFilter(field_name="raised_at", label=_("Raised"))
    brand = django_filters.ModelChoiceFilter(queryset=brands_in_reach, label=_("Brand"))

    class Meta:
        model = DayResultAlert
        fields: list[str] = []


class DayResultTable(Table):
    """Steps that clients' results of the day have passed, the newest first."""

    name, title, permission = "risk.day_results", _("Results of the day"), day_result.SEES
    subtitle = _("Steps that clients’ results of the day have passed: closed that day and open at that moment")
    columns = [
        Column("key", _("Result of"), value=lambda row: row.key or str(row.brand), link=True, place="name"),
        BadgeColumn("scope", _("Kind"), place="state"),
        MoneyColumn("step", _("Step"), currency="brand.base_currency"),
        MoneyColumn("closed", _("Closed"), currency="brand.base_currency", signed=True),
        MoneyColumn("floating", _("Floating profit"), currency="brand.base_currency", signed=True),
        AgoColumn("raised_at", _("Raised"), sort=False),
        Column("brand", _("Brand"), value="brand", place="rest"),
    ]
    filterset, default_order = DayResultFilter, "-id"
    is_searchable = False
    empty = Empty(
        _("No results above a step"),
        _("The steps are policies of each brand; they are checked as positions are read."),
        "gauge",
    )

    def queryset(self) -> QuerySet[DayResultAlert]:
        return day_result.alerts_visible_to(self.user).select_related("brand")
