"""Lists of tickets: the queue, and those of one client."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clients.filters import brands_in_reach
from crm.i18n import formats
from crm.ui.columns import DASH
from crm.ui.tables import AgoColumn, BadgeColumn, BulkAction, Column, Empty, PersonColumn, QuickFilter, Table
from crm.ui.work_columns import WorkFilter, assign_action, clock_cell, work_columns
from support import policies
from support.choices import UNSOLVED, WITH_US, TicketCategory, TicketChannel, TicketState
from support.models import Ticket
from support.queries import tickets_visible_to

STAGES = {"ours": WITH_US, "unsolved": UNSOLVED, "over": (TicketState.SOLVED, TicketState.CLOSED, TicketState.MERGED)}


class TicketFilter(WorkFilter):
    stage = django_filters.ChoiceFilter(
        choices=[("ours", _("Awaiting us")), ("unsolved", _("Unsolved")), ("over", _("Solved or closed"))],
        label=_("Stage"),
        method="by_stage",
    )
    state = django_filters.MultipleChoiceFilter(choices=TicketState.choices, label=_("State"), distinct=False)
    category = django_filters.MultipleChoiceFilter(choices=TicketCategory.choices, label=_("Category"), distinct=False)
    channel = django_filters.MultipleChoiceFilter(choices=TicketChannel.choices, label=_("Channel"), distinct=False)
    replied = django_filters.ChoiceFilter(
        choices=[("0", _("Not yet")), ("late", _("Late"))], label=_("First reply"), method="by_first_reply"
    )
    brand = django_filters.ModelChoiceFilter(queryset=brands_in_reach, label=_("Brand"))

    class Meta:
        model = Ticket
        fields: list[str] = []

    def by_stage(self, rows: QuerySet[Ticket], _name: str, value: str) -> QuerySet[Ticket]:
        return rows.filter(state__in=STAGES[value])

    def by_first_reply(self, rows: QuerySet[Ticket], _name: str, value: str) -> QuerySet[Ticket]:
        if value == "0":
            return rows.filter(first_replied_at=None, state__in=UNSOLVED)
        late = rows.filter(first_replied_at=None, first_reply_due_at__lt=timezone.now(), state__in=UNSOLVED)
        return late | rows.filter(first_replied_at__gt=F("first_reply_due_at"))


def due_cell(row: Ticket, table: Table) -> Any:
    """Show the clock of the solution; that of a ticket that awaits its client is paused."""
    if row.state == TicketState.PENDING:
        return format_html('<span class="muted">{}</span>', gettext("Paused"))
    return clock_cell(row, table)


def first_reply_cell(row: Ticket, table: Table) -> Any:
    """Say by when the first reply is due, or how long it took."""
    if row.first_replied_at is not None:
        late = "neg" if row.first_replied_at > row.first_reply_due_at else ""
        took = formats.duration(row.first_replied_at - row.opened_at)
        return format_html('<span class="nowrap {}">{}</span>', late, gettext("After %(time)s") % {"time": took})
    if not row.is_unsolved:
        return DASH
    css = "neg" if row.first_reply_due_at < table.now else ""
    return format_html('<span class="nowrap {}">{}</span>', css, formats.ago(row.first_reply_due_at))


class TicketTable(Table):
    name, title, permission = "tickets", _("Tickets"), policies.SEES
    subtitle = _("Requests of the clients in your reach")
    columns = [
        Column("subject", _("Ticket"), link=True, value=lambda row: str(row), place="name"),
        PersonColumn("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        Column("category", _("Category"), value=lambda row: row.get_category_display()),
        Column("first_reply", _("First reply due"), render=first_reply_cell, export=False),
        Column("due", _("Solution due"), render=due_cell, export=False),
        *[column for column in work_columns() if column.name != "due"],
        AgoColumn("last_at", _("Last message"), sort=True),
        AgoColumn("opened_at", _("Opened"), sort=True, hidden=True),
        Column("channel", _("Channel"), value=lambda row: row.get_channel_display(), hidden=True),
        Column("rating", _("Rating"), hidden=True),
        Column("brand", _("Brand"), value="client.brand.name", place="hide", hidden=True),
    ]
    filterset, default_order, search_fields = TicketFilter, "-last_at", ["subject", "client__search_text"]
    quick_filters = [
        QuickFilter(_("Awaiting us"), {"stage": "ours"}),
        QuickFilter(_("Assigned to me"), {"assigned": "me", "stage": "unsolved"}),
        QuickFilter(_("Unassigned"), {"assigned": "nobody", "stage": "unsolved"}),
        QuickFilter(_("First reply late"), {"replied": "late", "stage": "unsolved"}),
        QuickFilter(_("Late"), {"clock": "late", "stage": "ours"}),
    ]
    bulk_actions: ClassVar[tuple[BulkAction, ...]] = (assign_action("tickets_assign"),)
    export_permission = None
    empty = Empty(_("No tickets"), _("Tickets appear here once clients open them in the portal."), "life-buoy")

    def queryset(self) -> QuerySet[Ticket]:
        return tickets_visible_to(self.user).select_related("client__brand", "work__claimed_by", "work__assigned_to")


class ClientTicketTable(TicketTable):
    name = "client-tickets"
    columns = [
        Column("subject", _("Ticket"), link=True, value=lambda row: str(row), place="name"),
        BadgeColumn("state", _("State")),
        Column("category", _("Category"), value=lambda row: row.get_category_display()),
        Column("assigned_to", _("Assigned to"), value="work.assigned_to"),
        AgoColumn("last_at", _("Last message"), sort=True),
        AgoColumn("opened_at", _("Opened"), sort=True),
        Column("rating", _("Rating")),
    ]
    quick_filters = [QuickFilter(_("Unsolved"), {"stage": "unsolved"})]
    bulk_actions = ()
    empty = Empty(_("No tickets"), _("Tickets of this client appear here."), "life-buoy")

    def queryset(self) -> QuerySet[Ticket]:
        return super().queryset().filter(client=self.scope["client_id"])
