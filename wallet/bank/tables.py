"""The list of a bank account's entries."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import BadgeColumn, Column, DateColumn, Empty, MoneyColumn, Table
from crm.web.requests import UserRequest
from wallet.bank import queries
from wallet.choices.bank import EntryState
from wallet.models import BankEntry, Psp


def _accounts(request: UserRequest) -> Any:
    return queries.bank_accounts_visible_to(request.user) if request else Psp.objects.none()


class BankEntryFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=EntryState.choices, label=_("State"), distinct=False)
    psp = django_filters.ModelChoiceFilter(queryset=_accounts, label=_("Account"))
    booked = django_filters.DateFromToRangeFilter(field_name="booked_on", label=_("Booked"))

    class Meta:
        model = BankEntry
        fields: list[str] = []


def _reference(row: BankEntry, _table: Table) -> str:
    reference = row.deposit.reference if row.deposit else row.order.reference if row.order else ""
    return format_html('<span class="mono">{}</span>', reference) if reference else ""


class BankEntryTable(Table):
    name, title, permission = "bank_entries", _("Bank entries"), "wallet.view_bankentry"
    subtitle = _("Entries from bank statements, matched by payment reference or assigned manually.")
    columns = [
        DateColumn("booked_on", _("Booked"), link=True, css="nowrap"),
        Column("psp", _("Account"), value="psp.name", css="nowrap"),
        MoneyColumn("amount_minor", _("Amount"), minor=True, signed=True),
        Column("party_name", _("Counterparty"), css="clip"),
        Column("text", _("Text"), css="clip muted"),
        BadgeColumn("state", _("State")),
        Column("reference", _("Assigned to"), render=_reference, css="nowrap"),
        Column("outcome", _("Note"), css="clip muted"),
    ]
    filterset = BankEntryFilter
    row_url_name = "wallet:bank_entry"
    search_hint = _("Bank reference or end-to-end reference")
    empty = Empty(
        _("No statements imported yet"),
        _("Import a bank statement to match incoming payments with deposits by reference."),
        "landmark",
    )

    def search(self, queryset: QuerySet[BankEntry], words: str) -> QuerySet[BankEntry]:
        return queryset.filter(bank_reference__iexact=words) | queryset.filter(end_to_end__iexact=words)

    def queryset(self) -> QuerySet[BankEntry]:
        return (
            queries.bank_entries_visible_to(self.user)
            .select_related("psp", "deposit", "order")
            .defer("sealed_party", "psp__sealed_credentials", "order__sealed_party")
        )
