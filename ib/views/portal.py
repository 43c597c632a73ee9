"""The partner pages: what a partner sees of their own network, clients and money."""

from __future__ import annotations

import secrets
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from crm import approvals
from crm.accounts.guards import confirmed
from crm.accounts.views import password_by_link
from crm.choices import LinkKind
from crm.money import amounts
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import embedded_table, wants_fragment
from crm.web.requests import UserRequest
from ib import explain, figures, settlement
from ib import payouts as payout
from ib.agreements.scopes import which_and_why
from ib.applications import applying
from ib.applications.agreement import accepted_files
from ib.choices import AccrualState, AutomaticPayoutState, PartnerRight, PayoutSchedule, PayoutTo
from ib.forms import PayOutForm
from ib.models import Accrual, AutomaticPayout, CommissionDispute, Partner, PayoutRequest, Settlement
from ib.partner_pages.downloads import csv_of
from ib.partner_pages.remedies import remedy
from ib.partner_pages.tables import MyClientsTable, MyEarningsTable, MyNetworkTable, MyPayoutsTable, MySettlementsTable
from ib.queries import of_deals, partners_visible_to
from ib.settlements import disputes
from ib.settlements.automatic_payouts import instruction_of
from ib.settlements.credit_notes import documents_of
from ib.settlements.cycles import next_settlement
from ib.settlements.lines import settlement_of
from ib.settlements.terms import described, schedule_of, terms_of
from ib.team.rights import has_right
from ib.views.guards import partner_page
from ib.views.network import branch_rows
from ib.views.portal_unpaid import VIEW, earnings_tabs, unpaid_page
from trading.models import TradingAccount

DISPUTES_SHOWN = 5
CSV_LISTS: dict[str, type[Table]] = {"settlements": MySettlementsTable, "payouts": MyPayoutsTable}


def _table_page(request: UserRequest, table: Table, template: str, **context: Any) -> HttpResponseBase:
    if request.GET.get("export") == "csv":
        return csv_of(table)
    if wants_fragment(request):
        return embedded_table(request, table)
    return render(request, template, {"table": table, **context})


@partner_page(PartnerRight.SEE_NETWORK)
def network(request: UserRequest, partner: Partner) -> HttpResponseBase:
    return render(
        request,
        "partners/network.html",
        {
            "partner": partner,
            "invite_url": applying.invite_url(partner, request) if has_right(PartnerRight.INVITE, request.user) else "",
            "top": figures.nodes([partner], brand_id=partner.brand_id, level=1),
            "branch": figures.branch(partner.pk, brand_id=partner.brand_id),
        },
    )


@partner_page(PartnerRight.SEE_NETWORK)
def network_list(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show today's sub-partners as a list that is searched, sorted and downloaded, however large the tree."""
    table = MyNetworkTable(request.user, request.GET, path=request.path)
    return _table_page(request, table, "partners/table.html", partner=partner)


@partner_page(PartnerRight.SEE_NETWORK)
def branch(request: UserRequest, partner: Partner, partner_id: int) -> HttpResponseBase:
    """Show the partners directly below one of the network, as rows of the tree."""
    below = partners_visible_to(request.user).filter(pk=partner_id).first()
    if below is None:
        raise Http404
    return branch_rows(request, below, is_staff_page=False)


@partner_page(PartnerRight.SEE_CLIENTS)
def clients(request: UserRequest, partner: Partner) -> HttpResponseBase:
    table = MyClientsTable(request.user, request.GET, path=request.path)
    return _table_page(request, table, "partners/table.html", partner=partner, claims_url=reverse("partner_claims"))


@partner_page(PartnerRight.SEE_MONEY)
def earnings(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show each trade with what it earned, or what wasn't paid grouped by its reason."""
    if request.GET.get("view") == VIEW:
        return unpaid_page(request, partner)
    table = MyEarningsTable(request.user, request.GET, path=request.path)
    return _table_page(request, table, "partners/table.html", partner=partner, tabs=earnings_tabs(), tab="trades")


@partner_page(PartnerRight.SEE_MONEY)
def trade(request: HttpRequest, partner: Partner, accrual_id: int) -> HttpResponseBase:
    """Explain one trade: lots × rate × share, or why it was not paid."""
    accrual = Accrual.objects.select_related("version__plan").filter(pk=accrual_id, partner=partner).first()
    if accrual is None:
        raise Http404
    return render(
        request,
        "partners/trade.html",
        {
            "accrual": accrual,
            # What the partners below agreed among several is theirs.
            "steps": explain.explain(accrual, agreement=which_and_why(accrual) if accrual.level == 1 else ""),
            "remedy": remedy(accrual.reason) if accrual.state == AccrualState.EXCLUDED else "",
            "platform": _platform_of(accrual),
            "settlement": settlement_of(accrual),
            "dispute": CommissionDispute.objects.filter(partner=partner, deal_id=accrual.deal_id).first(),
            "next_at": next_settlement(terms_of(partner), partner.brand, accrual.closed_at),
            "others": Accrual.objects.filter(of_deals([accrual.deal_id]), partner=partner).exclude(pk=accrual.pk)[:10],
        },
    )


@partner_page(PartnerRight.DISPUTE)
@require_POST
def dispute(request: UserRequest, partner: Partner, accrual_id: int) -> HttpResponse:
    """Dispute what a trade earned: it isn't settled until the broker has answered."""
    if not Accrual.objects.filter(pk=accrual_id, partner=partner).exists():
        raise Http404
    run_action(
        request,
        lambda: disputes.open_dispute(
            partner_id=partner.pk, accrual_id=accrual_id, reason=request.POST.get("reason", ""), actor=request.user
        ),
        _("Dispute opened. We'll review the commission and answer you."),
    )
    return redirect("partner_trade", accrual_id)


def _platform_of(accrual: Accrual) -> str:
    """Name the broker's platform on which the trade was made, e.g. `cTrader`."""
    account = TradingAccount.objects.filter(pk=accrual.account_id).select_related("server").only("server__kind").first()
    return account.server.get_kind_display() if account else ""


@partner_page(PartnerRight.SEE_MONEY)
def settlement_page(request: UserRequest, partner: Partner, settlement_id: int) -> HttpResponseBase:
    row = Settlement.objects.filter(pk=settlement_id, partner=partner).first()
    if row is None:
        raise Http404
    table = MySettlementTrades(request.user, request.GET, path=request.path, scope={"settlement_id": row.pk})
    if wants_fragment(request):
        return embedded_table(request, table)
    context = {"settlement": row, "steps": explain.explain_settlement(row), "table": table, **documents_of(row)}
    return render(request, "partners/settlement.html", context)


class MySettlementTrades(MyEarningsTable):
    name = "partners.settlement_trades"
    filterset = None  # type: ignore[assignment]  # one settlement needs no filters


@partner_page(PartnerRight.SEE_MONEY, change=PartnerRight.PAY_OUT)
def payouts(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show the balance, what was credited month by month, and payout requests with their state; take new requests."""
    if request.GET.get("export") in CSV_LISTS:
        return csv_of(CSV_LISTS[request.GET["export"]](request.user))
    balances = settlement.balances_of(partner)
    payable = {currency: amount for currency, amount in balances.items() if amount > 0}
    form = PayOutForm(
        request.POST or None,
        currencies=list(payable),
        offers=payout.offers(partner, list(payable)),
        initial={
            "request_key": secrets.token_hex(12),
            "holder": partner.client.full_name if partner.client else "",
            "amount": next(iter(payable.values())) if len(payable) == 1 else None,
        },
    )
    if request.method == "POST" and form.is_valid():
        pay = _pay if form.destination.to == PayoutTo.WALLET else confirmed(_pay)
        answer = pay(request, partner, form)
        if answer is not None:
            return answer
    table = MySettlementsTable(request.user, request.GET, path=reverse("partner_payouts"))
    if wants_fragment(request):
        return embedded_table(request, table)
    made = list(MyPayoutsTable(request.user).queryset().order_by("-id")[:20])
    states = payout.states_of(made)
    agreed = terms_of(partner)
    return render(
        request,
        "partners/payouts.html",
        {
            "partner": partner,
            "money": _money_rows(partner, balances),
            "payable": payable,
            "form": form,
            "table": table,
            "terms": described(agreed, partner.currency),
            "has_agreement": accepted_files(partner).exists(),
            "next_at": next_settlement(agreed, partner.brand),
            "requests": PayoutRequest.objects.filter(partner=partner).exclude(state="approved")[:5],
            "disputes": CommissionDispute.objects.filter(partner=partner, deal_id__isnull=False)[:DISPUTES_SHOWN],
            "instruction": instruction_of(partner),
            "is_automatic": agreed.payout_schedule != PayoutSchedule.REQUEST,
            "schedule": schedule_of(agreed),
            "refused": AutomaticPayout.objects.filter(partner=partner, state=AutomaticPayoutState.REFUSED),
            "is_frozen": disputes.is_frozen(partner.pk),
            "payouts": [
                (request_row, PayoutTo(request_row.destination.partition(":")[0]), states.get(request_row.pk))
                for request_row in made
            ],
        },
        status=422 if form.errors else 200,
    )


def _money_rows(partner: Partner, balances: dict[str, Decimal]) -> list[dict[str, Any]]:
    """List per currency what is there, and what it comes from: credited so far, paid out so far, not settled yet."""
    credited = dict(
        Settlement.objects.filter(partner=partner).values_list("currency").annotate(Sum("amount")).order_by()
    )
    paid = dict(partner.payouts.values_list("currency").annotate(Sum("amount")).order_by())
    waiting = {row.currency: row.amount for row in figures.not_settled(partner)}
    carried = dict(Settlement.objects.filter(partner=partner, next__isnull=True).values_list("currency", "carried_out"))
    currencies = sorted({*balances, *credited, *waiting} or {partner.currency})
    return [
        {
            "currency": currency,
            "balance": balances.get(currency, Decimal(0)),
            "credited": credited.get(currency, Decimal(0)),
            "paid": paid.get(currency, Decimal(0)),
            "waiting": waiting.get(currency, Decimal(0)),
            "carried": amounts.quantize(carried.get(currency, Decimal(0)), currency, rounding=ROUND_FLOOR),
        }
        for currency in currencies
    ]


def _pay(request: UserRequest, partner: Partner, form: PayOutForm) -> Any:
    """Redirect after the payout; None when it was refused and the form says why.

    Money that goes on from the wallet asks for the password again, as in the client portal.
    """
    data, destination = form.cleaned_data, form.destination
    messages = {
        PayoutTo.WALLET: _("Paid to your wallet."),
        PayoutTo.ACCOUNT: _("Payout sent to your trading account."),
        PayoutTo.BANK: _("Payout to your bank account requested. We'll review it like any withdrawal."),
    }
    waits = _("Payout requested. It's paid once we've approved it.")
    done = run_action(
        request,
        lambda: payout.pay_out(
            partner_id=partner.pk,
            amount=data["amount"],
            currency=data["currency"],
            actor=request.user,
            request_key=data["request_key"],
            destination=destination,
        ),
        lambda made: waits if isinstance(made, PayoutRequest) else messages[destination.to],
        form=form,
    )
    return redirect("partner_payouts") if done else None


@partner_page(PartnerRight.PAY_OUT)
@require_POST
def withdraw_request(request: UserRequest, partner: Partner, request_id: int) -> HttpResponse:
    """Withdraw a payout request that nobody has decided yet."""
    if not PayoutRequest.objects.filter(pk=request_id, partner=partner).exists():
        raise Http404
    run_action(
        request,
        lambda: approvals.withdraw(PayoutRequest, request_id, actor=request.user),
        _("Payout request withdrawn."),
    )
    return redirect("partner_payouts")


@never_cache
@sensitive_post_parameters("password1", "password2")
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Let an invited partner choose a password, and sign them in."""
    answer = password_by_link(request, token, kind=LinkKind.INVITATION, template="partners/welcome.html", ask_again="")
    if isinstance(answer, HttpResponse):
        return answer
    response: HttpResponse = perform_password_login(request, {"username": answer.username}, Login(user=answer))
    return response
