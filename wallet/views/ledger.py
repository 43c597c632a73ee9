"""The ledger explorer: accounts with balances now or as of any instant, an account's history, a journal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import django_filters
from django.db.models import F
from django.db.models.fields.tuple_lookups import TupleLessThan
from django.forms import DateTimeInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from crm.money import from_minor
from crm.ui import formats
from crm.ui.columns import DASH
from crm.ui.tables import Column, Empty, Table
from crm.ui.views import TableView, staff_page
from wallet import ledger, queries
from wallet.choices import AccountKind
from wallet.models import Account, Balance, Journal, Posting

PAGE_SIZE = 50


def read_instant(text: str) -> dt.datetime | None:
    """A date and time from the address, in the reader's zone; None when it is empty or makes no sense."""
    try:
        at = parse_datetime(text) if text else None
    except ValueError:
        return None
    if at is None:
        return None
    return timezone.make_aware(at) if timezone.is_naive(at) else at


class AccountFilter(django_filters.FilterSet):
    kind = django_filters.MultipleChoiceFilter(choices=AccountKind.choices, label=_("Kind"))
    currency = django_filters.CharFilter(lookup_expr="iexact", label=_("Currency"))
    brand = django_filters.NumberFilter(label=_("Brand number"))
    as_of = django_filters.CharFilter(
        method="any_row", label=_("Balances as of"), widget=DateTimeInput(attrs={"type": "datetime-local"})
    )

    class Meta:
        model = Account
        fields: list[str] = []

    def any_row(self, queryset: Any, _name: str, _value: str) -> Any:
        """Not a filter of rows: it is the instant of the balances."""
        return queryset


def _side(wanted: str) -> Any:
    """A balance is shown on its side: what the house owes as a credit, what it holds or spent as a debit."""

    def render_side(row: Account, table: AccountTable) -> Any:
        minor = table.balances.get(row.pk, 0)
        if not minor or (minor > 0) != (wanted == "credit"):
            return DASH
        return formats.money(from_minor(abs(minor), row.currency), row.currency)

    return render_side


class AccountTable(Table):
    name, title, permission = "ledger_accounts", _("Ledger"), "wallet.view_account"
    subtitle = _("Every account with its balance, now or as of any instant.")
    columns = [
        Column("kind", _("Account"), value="get_kind_display", link=True),
        Column("owner", _("Owner"), value="owner_label"),
        Column("brand", _("Brand"), value="brand.name"),
        Column("currency", _("Currency")),
        Column("debit", _("Debit"), render=_side("debit"), css="end num"),
        Column("credit", _("Credit"), render=_side("credit"), css="end num"),
    ]
    filterset = AccountFilter
    row_url_name = "wallet:ledger_account"
    default_order = "is_bounded"  # the house's accounts first, then the clients' wallets
    search_hint = _("Client")
    empty = Empty(_("No accounts yet"), _("Accounts open by themselves when money first moves."), "book-open")

    def queryset(self) -> Any:
        return (
            queries.accounts_visible_to(self.user)
            .select_related("brand", "client", "psp")
            .defer("client__search_text", "psp__sealed_credentials")
        )

    def search(self, queryset: Any, words: str) -> Any:
        for word in words.lower().split()[:4]:
            queryset = queryset.filter(client__search_text__contains=word)
        return queryset

    @cached_property
    def as_of(self) -> dt.datetime | None:
        return read_instant(self.params.get("as_of", ""))

    @cached_property
    def balances(self) -> dict[int, int]:
        """Of the shown page, in one query."""
        return ledger.balances([row.pk for row in self.page.rows], at=self.as_of)

    def row_url(self, row: Any) -> str:
        url = super().row_url(row)
        return f"{url}?{urlencode({'as_of': self.params.get('as_of', '')})}" if self.as_of else url


class LedgerPage(TableView):
    table = AccountTable
    template_name = "wallet/ledger.html"


@dataclass(frozen=True, slots=True)
class HistoryPage:
    rows: Sequence[Posting]
    next_cursor: str


def history_page(account: Account, *, until: dt.datetime | None, cursor: str) -> HistoryPage:
    """An account's postings, newest first, by position: the cursor is the last row's place."""
    rows = Posting.objects.filter(account=account).select_related("journal")
    if until is not None:
        rows = rows.filter(posted_at__lte=until)
    place = _read_cursor(cursor)
    if place is not None:
        rows = rows.filter(TupleLessThan((F("posted_at"), F("journal_id"), F("line")), place))
    found = list(rows.order_by("-posted_at", "-journal_id", "-line")[: PAGE_SIZE + 1])
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    next_cursor = f"{last.posted_at.isoformat()}|{last.journal_id}|{last.line}" if last else ""
    return HistoryPage(found[:PAGE_SIZE], next_cursor)


def _read_cursor(cursor: str) -> tuple[dt.datetime, int, int] | None:
    try:
        at, journal_id, line = cursor.split("|")
        return dt.datetime.fromisoformat(at), int(journal_id), int(line)
    except ValueError:
        return None


@staff_page("wallet.view_account")
def account_page(request: HttpRequest, pk: int) -> HttpResponse:
    rows = queries.accounts_visible_to(request.user).select_related("brand", "client", "psp")
    account: Account = queries.one_of(rows, pk, request.user, "wallet.view_account")
    as_of = read_instant(request.GET.get("as_of", ""))
    context = {
        "account": account, "as_of": as_of, "as_of_text": request.GET.get("as_of", ""),
        "balance": from_minor(ledger.balance(account, at=as_of), account.currency),
        "counters": Balance.objects.filter(pk=account.pk).first() if account.is_bounded and as_of is None else None,
        "page": history_page(account, until=as_of, cursor=request.GET.get("cursor", "")),
    }  # fmt: skip
    return render(request, "wallet/ledger_account.html", context)


@staff_page("wallet.view_journal")
def journal_page(request: HttpRequest, pk: int) -> HttpResponse:
    rows = queries.journals_visible_to(request.user).select_related(
        "brand", "actor", "reverses", "resolves", "reversed_by", "resolved_by"
    )
    journal: Journal = queries.one_of(rows, pk, request.user, "wallet.view_journal")
    postings = list(
        Posting.objects.filter(journal=journal).select_related("account__client", "account__psp").order_by("line")[:200]
    )
    context = {"journal": journal, "postings": postings, "movement": queries.movement_of(request.user, journal)}
    return render(request, "wallet/journal.html", context)
