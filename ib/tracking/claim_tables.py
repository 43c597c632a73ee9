"""The queue of client claims."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import BadgeColumn, Column, Empty, PersonColumn, QuickFilter, Table, TimeColumn
from ib.models import ClientClaim
from ib.queries import partners_visible_to
from ib.tables import due_cell
from ib.tracking.choices import ClaimSource, ClaimState


class ClaimFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=ClaimState.choices, label=_("State"))
    source = django_filters.ChoiceFilter(choices=ClaimSource.choices, label=_("Source"))
    client = django_filters.NumberFilter(field_name="client_id", label=_("Client number"))

    class Meta:
        model = ClientClaim
        fields = ["state", "source", "client"]


class ClaimTable(Table):
    """Clients whom a partner says to have referred."""

    name, title, permission = "ib.claims", _("Client claims"), "ib.view_partner"
    subtitle = _("Clients whom partners claim as theirs, by form or through their affiliate network")
    columns = [
        TimeColumn("opened_at", _("Opened"), link=True),
        PersonColumn("partner", _("Partner"), value="partner.name"),
        Column("named", _("Client"), render=lambda row, table: f"#{row.client_id}" if row.client_id else row.named),
        Column("source", _("Source"), render=lambda row, table: str(row.get_source_display())),
        Column("reason", _("Reason"), css="clip"),
        BadgeColumn("state", _("State")),
        Column("due", _("Due"), render=lambda row, table: due_cell(row, table), export=False),
        Column("answer", _("Answer"), css="clip", hidden=True),
    ]
    filterset = ClaimFilter
    quick_filters = [QuickFilter(_("Open"), {"state": ClaimState.OPEN})]
    is_searchable = False
    row_url_name = "ib_claim"
    empty = Empty(_("No claims"), _("Partners can claim a client on their pages under Clients."), "split")

    def queryset(self) -> QuerySet[ClientClaim]:
        rows = ClientClaim.objects.filter(partner__in=partners_visible_to(self.user))
        return rows.select_related("partner__brand", "work")
