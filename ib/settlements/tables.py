"""Lists of what settlement does without a person asking for it."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.ui.tables import (
    BadgeColumn,
    Column,
    Empty,
    MoneyColumn,
    NumberColumn,
    PersonColumn,
    QuickFilter,
    Table,
    TimeColumn,
)
from ib.choices import AutomaticPayoutState
from ib.models import AutomaticPayout
from ib.queries import partners_visible_to


class AutomaticPayoutFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=AutomaticPayoutState.choices, label=_("State"))
    partner = django_filters.CharFilter(field_name="partner__code", label=_("Partner code"))

    class Meta:
        model = AutomaticPayout
        fields = ["state", "partner"]


class AutomaticPayoutTable(Table):
    """Payouts by the schedule of partners' terms, and why one wasn't possible."""

    name, title, permission = "ib.payouts", _("Automatic payouts"), "ib.view_settlement"
    subtitle = _("Payouts that start by the schedule of a partner's settlement terms")
    columns = [
        TimeColumn("tried_at", _("Date"), link=True),
        PersonColumn("partner", _("Partner"), value="partner.name"),
        MoneyColumn("amount", _("Amount")),
        Column("destination", _("Paid to"), render=lambda row, table: str(row.place.label)),
        BadgeColumn("state", _("State")),
        Column("refusal", _("Reason"), css="clip"),
        NumberColumn("tries", _("Attempts")),
    ]
    filterset = AutomaticPayoutFilter
    quick_filters = [QuickFilter(pgettext_lazy("payouts", "Refused"), {"state": AutomaticPayoutState.REFUSED})]
    is_searchable = False
    empty = Empty(
        _("No automatic payouts yet"),
        _("A partner's settlement terms set whether and when their balance is paid out automatically."),
        "hand-coins",
    )

    def queryset(self) -> QuerySet[AutomaticPayout]:
        rows = AutomaticPayout.objects.filter(partner__in=partners_visible_to(self.user))
        return rows.select_related("partner")

    def row_url(self, row: AutomaticPayout) -> str:
        return reverse("ib_partner_tab", args=[row.partner_id, "settlements"])
