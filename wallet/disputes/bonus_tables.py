"""The list of bonuses, with what disputes did to them."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, MoneyColumn, PersonColumn, TimeColumn
from wallet.choices.bonuses import BonusState
from wallet.core import queries
from wallet.disputes import bonus_disputes
from wallet.models import BonusGrant
from wallet.movements.tables import MovementTable, reference_of


class BonusFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=BonusState.choices, label=_("State"), distinct=False)
    returns = django_filters.ChoiceFilter(
        choices=[("undecided", _("Won, decision pending"))], label=_("Lost by chargeback"), method="filter_returns"
    )

    def filter_returns(self, rows: QuerySet[BonusGrant], _name: str, _value: str) -> QuerySet[BonusGrant]:
        return bonus_disputes.undecided_in(rows)

    class Meta:
        model = BonusGrant
        fields: list[str] = []


class BonusTable(MovementTable):
    name, title, permission = "bonuses", _("Bonuses"), "wallet.view_bonusgrant"
    subtitle = _("Bonus credit held separately from client wallets.")
    columns = [
        Column("reference", _("Reference"), render=reference_of, link=True, css="nowrap"),
        PersonColumn("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        Column("rule", _("Plan"), value="rule.plan.name"),
        MoneyColumn("amount_minor", _("Amount"), minor=True),
        MoneyColumn("held_minor", _("Held"), minor=True, sort=False),
        MoneyColumn("released_minor", _("Released"), minor=True),
        MoneyColumn("burned_minor", _("Lost"), minor=True),
        TimeColumn("expires_at", _("Expires")),
        AgoColumn("created_at", _("Granted")),
    ]
    filterset = BonusFilter
    row_url_name = "wallet:bonus"
    empty = Empty(_("No bonuses yet"), _("Bonuses granted by staff and campaigns appear here."), "coins")

    def search(self, queryset: QuerySet[BonusGrant], words: str) -> QuerySet[BonusGrant]:
        if words.upper().startswith("B-"):
            return queryset.filter(reference__istartswith=words)
        rows: QuerySet[BonusGrant] = super().search(queryset, words)
        return rows

    def queryset(self) -> QuerySet[BonusGrant]:
        return queries.bonuses_visible_to(self.user).select_related("client", "rule__plan").defer("client__search_text")
