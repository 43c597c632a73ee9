"""Exchange rates: each currency's newest rate with its source and age, the feeds, and what brands add."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.approvals.queries import proposal_of
from crm.choices import ApprovalState
from crm.models import Brand
from crm.money.amounts import Money
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.core import limits, queries
from wallet.ledger import fx_position
from wallet.ledger.forms import RateForm
from wallet.models import Exchange, RateEntry, Transfer
from wallet.movements.history import story_of
from wallet.movements.views import note_view
from wallet.transfers import policies as transfers_policies
from wallet.transfers import rate_entries, rate_watch


@staff_page("wallet.view_account")
def rates_page(request: UserRequest) -> HttpResponse:
    return _page(request, RateForm(initial={"on": timezone.now().date()}))


def _page(request: UserRequest, form: RateForm) -> HttpResponse:
    user = request.user
    brands = Brand.objects.filter(pk__in=reach_of(request.user).whole_brands).order_by("name")
    terms = [
        {
            "brand": brand,
            "percent": fx_position.markup_of(brand) / 100,
            "bank_days": limits.limit(brand, "fx_rate_bank_days_max"),
            "once": Money.of_minor(limits.limit(brand, "fx_exchange_max_minor"), brand.base_currency),
            "daily": Money.of_minor(limits.limit(brand, "fx_exchange_per_day_minor"), brand.base_currency),
        }
        for brand in brands
    ]
    context = {
        "feeds": [(feed, rate_watch.is_stale(feed)) for feed in rate_watch.feeds()],
        "rates": rate_watch.current_rates(
            bank_days_max=min((limits.limit(brand, "fx_rate_bank_days_max") for brand in brands), default=1)
        ),
        "terms": terms,
        "form": form,
        "may_enter": transfers_policies.can_enter_rate(user),
        "entries": [
            proposal_of(entry, user)
            for entry in RateEntry.objects.filter(state=ApprovalState.PENDING).select_related("requested_by")[:20]
        ],
    }
    return render(request, "wallet/transfers/rates.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page("wallet.write_journal")
def enter_rate(request: UserRequest) -> HttpResponse:
    form = RateForm(request.POST)
    done = run_action(
        request,
        lambda: rate_entries.propose_rate(actor=request.user, **form.cleaned_data),
        _("Rate entered. Awaiting second approval."),
        form=form,
    )
    return redirect("wallet:rates") if done else _page(request, form)


@staff_page("wallet.view_transfer")
def transfer_page(request: UserRequest, transfer_id: int) -> HttpResponse:
    rows = queries.transfers_visible_to(request.user).select_related("client__brand", "requested_by", "quote")
    transfer: Transfer = queries.one_of(rows, transfer_id, request.user, "wallet.view_transfer")
    note_view(request, transfer)
    context = {"transfer": transfer, "movement": transfer, "story": story_of(transfer)}
    return render(request, "wallet/transfers/transfer.html", context)


@staff_page("wallet.view_transfer")
def exchange_page(request: UserRequest, exchange_id: int) -> HttpResponse:
    rows = queries.exchanges_visible_to(request.user).select_related("client__brand", "requested_by", "quote")
    exchange: Exchange = queries.one_of(rows, exchange_id, request.user, "wallet.view_transfer")
    note_view(request, exchange)
    context = {"exchange": exchange, "movement": exchange, "quote": exchange.quote, "story": story_of(exchange)}
    return render(request, "wallet/transfers/exchange.html", context)
