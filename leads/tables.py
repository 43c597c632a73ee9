"""The list of leads: people who have not registered yet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clients.choices import SalesStatus, Stage
from clients.filters import YES_NO, PeopleFilter, agents_in_reach, narrowed_by_contact
from clients.models import Client
from clients.queries import around_visible_to, clients_visible_to
from clients.record.previews import CLIENT_PEEK
from clients.search import search_clients
from clients.tables import COUNTRY, MINE, NAME, OWNER, added_columns, fact_columns, only_shown
from crm.errors import DomainError
from crm.models import User
from crm.ui.table_parts import options
from crm.ui.tables import (
    AgoColumn,
    BulkAction,
    Column,
    EmailColumn,
    Empty,
    NumberColumn,
    PhoneColumn,
    QuickFilter,
    StatusColumn,
    Table,
)
from leads.choices import CHANGES_MAX, Experience
from leads.models import LeadFacts
from leads.pipeline import change_sales_status, statuses_offered


def statuses_after(table: Table, status: str) -> list[SalesStatus]:
    """Offer the next steps of the pipeline; none to those who may not take them."""
    return statuses_offered(table.user, status) if table.user.has_perm("leads.change_sales_status") else []


def change_status(row: Client, to: str, user: User) -> Client:
    """Move a lead along the pipeline from its row."""
    if to not in SalesStatus.values:
        raise DomainError(_now("Choose a status."))
    return change_sales_status(client_id=row.pk, to=SalesStatus(to), actor=user)


class LeadFilter(PeopleFilter):
    # `distinct` would sort every matching row before the first is shown.
    sales_status = django_filters.MultipleChoiceFilter(label=_("Status"), choices=SalesStatus.choices, distinct=False)
    is_refused = django_filters.ChoiceFilter(label=_("Refused"), choices=YES_NO, method="filter_refused")

    experience = django_filters.ChoiceFilter(
        label=_("Trading experience"), choices=Experience.choices, method="filter_experience"
    )
    intended_from = django_filters.NumberFilter(label=_("Intended deposit from"), method="filter_intended", min_value=0)

    def filter_experience(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        return rows.filter(pk__in=LeadFacts.objects.filter(experience=value).values("client_id"))

    def filter_intended(self, rows: QuerySet[Client], name: str, value: Decimal) -> QuerySet[Client]:
        return rows.filter(pk__in=LeadFacts.objects.filter(intended_deposit__gte=value).values("client_id"))

    def filter_refused(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        refused = LeadFacts.objects.filter(refusal__isnull=False).values("client_id")
        return rows.exclude(pk__in=refused) if value == "0" else rows.filter(pk__in=refused)


class LeadTable(Table):
    name, title = "leads", _("Leads")
    permission, export_permission = "leads.view_lead", "clients.export_client"
    columns = [
        NAME,
        NumberColumn("id", _("Number"), hidden=True),
        StatusColumn("sales_status", _("Status"), moves=statuses_after, verb=change_status),
        NumberColumn("score", _("Score"), sort=True, digits=0),
        COUNTRY,
        Column("language", _("Language"), css="center", hidden=True),
        Column("source", _("Source"), place="hide"),
        Column("campaign", _("Campaign"), css="clip short", place="hide"),
        OWNER,
        AgoColumn("last_contact_at", _("Last contact"), sort=True),
        AgoColumn("created_at", _("Received"), sort="id"),
        EmailColumn("email", _("E-mail"), hidden=True),
        PhoneColumn("phone", _("Phone"), hidden=True),
        Column("book", _("Book"), hidden=True),
        Column("brand", _("Brand"), hidden=True),
    ]
    filterset = LeadFilter
    quick_filters = [
        MINE,
        QuickFilter(_("New today"), {"received": "today"}),
        QuickFilter(_("Never contacted"), {"is_contacted": "0"}),
        QuickFilter(_("Waiting > 24 h"), {"is_contacted": "0", "received": "over24h"}),
        QuickFilter(_("Call back"), {"sales_status": SalesStatus.CALL_BACK}),
        QuickFilter(_("Interested"), {"sales_status": SalesStatus.INTERESTED}),
        QuickFilter(_("Refused"), {"is_refused": "1"}),
    ]
    peek = CLIENT_PEEK
    search_fields = ["search_text"]
    search_hint = _("Name, e-mail, phone or client number")
    default_order = "-id"
    ranges = {
        "id": ["owner", "campaign", "sales_status", "source", "country"],
        "score": ["score_from"],
        "last_contact_at": ["campaign", "language"],
    }
    has_index_for_each_order = True
    bulk_actions = [
        BulkAction(
            "assign",
            _("Assign"),
            "leads_assign",
            "leads.assign_lead",
            icon="user-check",
            fields="leads/_agent_choice.html",
        ),
        BulkAction(
            "status",
            _("Change status"),
            "leads_bulk_status",
            "leads.change_sales_status",
            icon="kanban",
            most=CHANGES_MAX,
        ),
        BulkAction("list", _("Add to list"), "leads_bulk_list", "clients.manage_segment", icon="tag", most=CHANGES_MAX),
        BulkAction(
            "task", _("Add follow-up"), "leads_bulk_task", "clients.log_call", icon="list-checks", most=CHANGES_MAX
        ),
        BulkAction("tag", _("Tag"), "leads_bulk_tag", "clients.change_client", icon="tags", most=CHANGES_MAX),
        BulkAction("mail", _("Send e-mail"), "leads_bulk_mail", "clients.log_call", icon="mail", most=CHANGES_MAX),
        BulkAction("start", _("Start automation"), "leads_bulk_start", "leads.manage_automation", icon="workflow"),
        BulkAction("dial", _("Call one by one"), "leads_dial", "clients.log_call", icon="phone"),
    ]
    empty = Empty(
        _("No leads yet"),
        _("Leads come from landing pages, the API and imports. Add one manually to start."),
        icon="user-plus",
        action=_("Add lead"),
        url_name="lead_new",
        permission="leads.add_lead",
    )

    def queryset(self) -> QuerySet[Client]:
        rows = clients_visible_to(self.user, is_searched=self.is_searched).filter(stage=Stage.LEAD)
        return rows.select_related("brand", "owner", "book").defer("search_text")

    def more_columns(self) -> list[Column]:
        return [*fact_columns(self.columns, ("clients", "leads")), *added_columns(self)]

    def lean(self, rows: QuerySet[Client]) -> QuerySet[Client]:
        return only_shown(self, rows)

    def candidates(self) -> QuerySet[Client] | None:
        rows = around_visible_to(self.user, is_narrowed=self.is_narrowed)
        return None if rows is None else rows.filter(stage=Stage.LEAD)

    def narrowed(self, wider: QuerySet[Client], filters: django_filters.FilterSet) -> QuerySet[Client]:
        return narrowed_by_contact(super().narrowed(wider, filters), self.order.path, filters)

    def search(self, queryset: QuerySet[Any], words: str) -> QuerySet[Any]:
        return search_clients(queryset, words)

    @property
    def agents(self) -> Any:
        """Who leads can be given to: for the bulk action's choice."""
        return options(agents_in_reach(self.user)) if self.actions else ""
