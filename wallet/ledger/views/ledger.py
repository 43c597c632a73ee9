"""The ledger explorer: accounts with balances now or as of any instant, an account's history, a journal."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Any, cast

import django_filters
from django.db.models import QuerySet
from django.forms import DateTimeInput
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext as _said
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_POST

from clients.record.access import log_access
from crm.choices import AccessKind
from crm.files.jobs import start_job
from crm.i18n import formats
from crm.models import Brand
from crm.money.amounts import from_minor
from crm.security.scope import reach_of
from crm.ui.columns import DASH
from crm.ui.tables import Column, Empty, Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from wallet.choices import account_owners
from wallet.choices.ledger import AccountKind, JournalKind, Phase
from wallet.core import queries
from wallet.ledger import policies
from wallet.ledger import posting as ledger
from wallet.ledger.account_history import HistoryForm, history_page
from wallet.ledger.journal_seals import proof_of, seal_of
from wallet.ledger.manual_journals import LINES_MAX, belongs_to_a_movement
from wallet.models import Account, Balance, Journal, OpeningBalances, Posting
from wallet.movements import queries as movements_queries

POSTINGS_SHOWN = 200


def read_instant(text: str) -> dt.datetime | None:
    """Parse a date and time from the address, in the reader's zone; None when it is empty or invalid."""
    try:
        at = parse_datetime(text) if text else None
    except ValueError:
        return None
    if at is None:
        return None
    return timezone.make_aware(at) if timezone.is_naive(at) else at


def _brands(request: UserRequest) -> Any:
    return Brand.objects.filter(pk__in=reach_of(request.user).whole_brands) if request else Brand.objects.none()


class AccountFilter(django_filters.FilterSet):
    kind = django_filters.MultipleChoiceFilter(choices=AccountKind.choices, label=_("Kind"))
    currency = django_filters.CharFilter(lookup_expr="iexact", label=_("Currency"))
    brand = django_filters.ModelChoiceFilter(queryset=_brands, label=_("Brand"))
    as_of = django_filters.CharFilter(
        method="any_row", label=_("Balances as of"), widget=DateTimeInput(attrs={"type": "datetime-local"})
    )

    class Meta:
        model = Account
        fields: list[str] = []

    def any_row(self, queryset: QuerySet[Account], _name: str, _value: str) -> QuerySet[Account]:
        """Not a filter of rows: it is the instant of the balances."""
        return queryset


def _side(side: str) -> Any:
    """Show a balance on its side: what the broker owes as a credit, what it holds or spent as a debit."""

    def render_side(row: Account, table: AccountTable) -> Any:
        minor = table.balances.get(row.pk, 0)
        if not minor or (minor > 0) != (side == "credit"):
            return DASH
        return formats.money(from_minor(abs(minor), row.currency), row.currency)

    return render_side


class AccountTable(Table):
    name, title, permission = "ledger_accounts", _("Ledger"), "wallet.view_account"
    subtitle = _("Every account with its balance, now or at any point in time.")
    columns = [
        Column("kind", _("Account"), value="get_kind_display", link=True),
        Column("owner", _("Owner"), render=lambda row, table: table.owner(row)),
        Column("brand", _("Brand"), value="brand.name"),
        Column("currency", _("Currency")),
        Column("debit", _("Debit"), render=_side("debit"), css="end num"),
        Column("credit", pgettext_lazy("ledger", "Credit"), render=_side("credit"), css="end num"),
    ]
    filterset = AccountFilter
    row_url_name = "wallet:ledger_account"
    default_order = "is_bounded"  # the house's accounts first, then the clients' wallets
    search_hint = _("Client")
    empty = Empty(_("No accounts yet"), _("Accounts are created automatically when money first moves."), "book-open")

    def queryset(self) -> QuerySet[Account]:
        return (
            queries.accounts_visible_to(self.user)
            .select_related("brand", "client", "psp")
            .defer("client__search_text", "psp__sealed_credentials")
        )

    def search(self, queryset: QuerySet[Account], words: str) -> QuerySet[Account]:
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

    def owner(self, row: Account) -> str:
        """Whose it is; the page's owners are named together."""
        if not self._named:
            account_owners.warm(cast(list[Account], list(self.page.rows)))
            self._named = True
        return row.owner_label

    _named = False

    def row_url(self, row: Any) -> str:
        url = super().row_url(row)
        return f"{url}?{urlencode({'as_of': self.params.get('as_of', '')})}" if self.as_of else url


class LedgerPage(TableView):
    table = AccountTable
    template_name = "wallet/ledger/ledger.html"


def _account(request: UserRequest, pk: int) -> Account:
    rows = queries.accounts_visible_to(request.user).select_related("brand", "client", "psp")
    return queries.one_of(rows, pk, request.user, "wallet.view_account")


def _note(request: UserRequest, account: Account, kind: AccessKind) -> None:
    """Record a view of a client's wallet in the access log."""
    if account.client is not None:
        log_access(request.user, account.client, f"wallet.account:{account.pk}", kind=kind)


@staff_page("wallet.view_account")
def account_page(request: UserRequest, pk: int) -> HttpResponse:
    account = _account(request, pk)
    _note(request, account, AccessKind.VIEW)
    as_of, form = read_instant(request.GET.get("as_of", "")), HistoryForm(request.GET)
    context = {
        "account": account,
        "as_of": as_of,
        "as_of_text": request.GET.get("as_of", ""),
        "form": form,
        "narrows": form.narrows,
        "balance": from_minor(ledger.balance(account, at=as_of), account.currency),
        "counters": Balance.objects.filter(pk=account.pk).first() if account.is_bounded and as_of is None else None,
        "page": history_page(account, until=as_of, cursor=request.GET.get("cursor", ""), form=form),
        "has_cursor": bool(request.GET.get("cursor")),
    }
    return render(request, "wallet/ledger/ledger_account.html", context)


@require_POST
@staff_page("wallet.export_money")
def account_export(request: UserRequest, pk: int) -> HttpResponseBase:
    """Start the job that writes the history as it is shown, with its filters and as of its instant, as CSV."""
    account = _account(request, pk)
    _note(request, account, AccessKind.EXPORT)
    as_of = read_instant(request.POST.get("as_of", "")) or timezone.now()
    filters = {name: request.POST[name] for name in HistoryForm.base_fields if request.POST.get(name)}
    job = start_job(
        "wallet.account_history",
        owner=request.user,
        title=_said("History of %(account)s") % {"account": account},
        parameters={
            "account_id": account.pk,
            "as_of": as_of.isoformat(),
            "filters": filters,
            "zone": timezone.get_current_timezone_name(),
        },
    )
    return redirect("job", pk=job.pk)


def _journal(request: UserRequest, pk: int) -> Journal:
    rows = queries.journals_visible_to(request.user).select_related(
        "brand", "actor", "reverses", "resolves", "reversed_by", "resolved_by", "manual"
    )
    return queries.one_of(rows, pk, request.user, "wallet.view_journal")


def _opening_of(journal: Journal) -> OpeningBalances | None:
    """Find the opening balances that a journal is a part of."""
    if journal.kind != JournalKind.OPENING:
        return None
    return OpeningBalances.objects.filter(reference=journal.idempotency_key.split(":")[1]).first()


@staff_page("wallet.view_journal")
def journal_page(request: UserRequest, pk: int) -> HttpResponse:
    """Show a journal; `?proof=1` builds the seal's tree and shows the hashes up to its signed root."""
    journal = _journal(request, pk)
    rows = Posting.objects.filter(journal=journal).select_related("journal", "account__client", "account__psp")
    postings = list(
        rows.defer("account__client__search_text", "account__psp__sealed_credentials").order_by("line")[
            : POSTINGS_SHOWN + 1
        ]
    )
    account_owners.warm([posting.account for posting in postings])
    seal = seal_of(journal)
    wants_proof = seal is not None and bool(request.GET.get("proof"))
    context = {
        "journal": journal,
        "postings": postings[:POSTINGS_SHOWN],
        "has_more": len(postings) > POSTINGS_SHOWN,
        "opening": _opening_of(journal),
        "movement": movements_queries.movement_of(request.user, journal),
        "seal": seal,
        "proof": proof_of(journal, seal) if seal is not None and wants_proof else None,
        "wants_proof": wants_proof,
        "may_reverse": journal.phase in (Phase.POSTED, Phase.POST)
        and len(postings) <= LINES_MAX
        and not hasattr(journal, "reversed_by")
        and not belongs_to_a_movement(journal)
        and policies.can_write_journal(request.user, journal.brand_id).allowed,
    }
    return render(request, "wallet/ledger/journal.html", context)
