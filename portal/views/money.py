"""Money in the client portal: wallets, paying in, paying out, moving to and from trading accounts, history, statements."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from crm.models import User
from crm.money.amounts import exponent
from crm.ui.actions import run_action
from crm.ui.views import wants_fragment
from crm.web import hosts
from portal import money, onboarding, paying
from portal.forms_room import DepositForm, StatementForm
from portal.guards import client_required
from portal.views import front_page
from wallet.bonuses import granting
from wallet.choices.deposits import DEPOSIT_ARRIVED, DepositState
from wallet.deposits import method_offers, unverified
from wallet.deposits import verbs as deposits
from wallet.deposits.policies import can_deposit
from wallet.documents import statement as statements
from wallet.models import Deposit, Exchange, Transfer
from wallet.movements import queries
from wallet.psp.values import HostedFields
from wallet.withdrawals.payout_results import parts_of

PAGE = 25
KEY_BYTES = 12
AMOUNT_CHARS = 24


def new_key() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


def me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


# ── overview and history ────────────────────────────────────────────────────────────────────────────────────────────


@client_required
@require_safe
def wallet(request: HttpRequest, client: Client) -> HttpResponse:
    """Show the wallets, and what moved lately. Refreshes itself when something moves."""
    context = {
        "client": client,
        "wallets": queries.wallets_of(client),
        "movements": queries.history_of(client, limit=8),
        "may_deposit": can_deposit(me(request), client),
        "blocked": unverified.why_not(client),
        "bonuses": [
            (grant, granting.how_it_becomes_free(grant))
            for grant in granting.grants_of(client, limit=10)
            if grant.held_minor
        ],
    }
    return render(request, "portal/_wallets.html" if wants_fragment(request) else "portal/wallet.html", context)


@client_required
@require_safe
def history(request: HttpRequest, client: Client) -> HttpResponse:
    """Show every movement, newest first, by keyset."""
    rows = queries.history_of(client, after=request.GET.get("after", ""), limit=PAGE + 1)
    shown = rows[:PAGE]
    context = {
        "client": client,
        "movements": shown,
        "next": shown[-1].cursor if len(rows) > PAGE else "",
        "statement": StatementForm(initial=StatementForm.last_month(client)),
    }
    return render(request, "portal/history.html", context)


@client_required
@require_POST
def order_statement(request: HttpRequest, client: Client) -> HttpResponse:
    """Start making the PDF; its page shows how far it is and then the download."""
    form = StatementForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Enter the first and last day of the period."))
        return redirect("portal_history")
    done = run_action(
        request,
        lambda: statements.order_statement(
            client=client,
            first=form.cleaned_data["first"],
            last=form.cleaned_data["last"],
            actor=me(request),
            language=request.LANGUAGE_CODE,
        ),
        show_forbidden=True,
    )
    if not done:
        return redirect("portal_history")
    return redirect("job", pk=done.result.pk)


# ── paying in ───────────────────────────────────────────────────────────────────────────────────────────────────────


@client_required
def deposit(request: HttpRequest, client: Client) -> HttpResponse:
    """Ask for the amount and one of the methods offered to this client, then lead to the provider's page."""
    allowed = can_deposit(me(request), client)
    currencies = method_offers.deposit_currencies(client)
    currency = _currency(request, client, currencies)
    offers = method_offers.offered(client, currency) if allowed else []
    start = {
        "currency": currency,
        "request_key": new_key(),
        "method": offers[0].method.pk if offers else None,
        "amount": request.GET.get("amount", "")[:AMOUNT_CHARS],  # typed before another currency was chosen
    }
    form = DepositForm(request.POST or None, currencies=currencies, offers=offers, initial=start)
    if allowed:
        done = run_action(request, lambda: _start_deposit(request, client, form), form=form, show_forbidden=True)
        if done:
            return done.result
    context = {
        "client": client,
        "form": form,
        "cards": paying.cards(offers),
        "allowed": allowed,
        "currency": currency,
        "quick": paying.quick_amounts(currency),
        "places": exponent(currency),
        "blocked": unverified.why_not(client) if allowed else "",
        "still_allowed": unverified.still_allowed(client) if allowed else None,
        "progress": onboarding.progress_of(client) if client.kyc_level == 0 else None,
        "questions": front_page.questions_before_deposits(client),
    }
    return render(request, "portal/deposit.html", context, status=422 if form.errors else 200)


def _currency(request: HttpRequest, client: Client, offered: list[str]) -> str:
    wished = request.POST.get("currency") or request.GET.get("currency", "")
    return wished if wished in offered else offered[0]


def _start_deposit(request: HttpRequest, client: Client, form: DepositForm) -> HttpResponse:
    data = form.cleaned_data
    started = deposits.start_deposit(
        client_id=client.pk,
        request=deposits.DepositRequest(
            psp_id=data["method"].psp_id, method=data["method"].code, amount=data["amount"], currency=data["currency"]
        ),
        request_key=data["request_key"],
        actor=me(request),
        locale=request.LANGUAGE_CODE[:2],
        return_url=hosts.for_reader(settings.BASE_URL, request).rstrip("/") + "/portal/wallet/{reference}/",
    )
    return redirect("portal_movement" if paying.is_paid_here(started) else "portal_pay", reference=started.reference)


@client_required
@require_safe
def pay(request: HttpRequest, client: Client, reference: str) -> HttpResponse:
    """Stop for a moment on the way to the provider: the page names where one goes, and goes on automatically."""
    payment = queries.deposit_of(me(request), reference)
    fields = paying.fields_of(payment)
    if fields is not None and money.describe_deposit(payment).is_moving:
        return _fields_page(request, client, payment, fields)
    if not payment.redirect_url or not money.describe_deposit(payment).is_moving:
        return redirect("portal_movement", reference=reference)
    return render(request, "portal/pay.html", {"client": client, "deposit": payment})


def _fields_page(request: HttpRequest, client: Client, deposit: Deposit, fields: HostedFields) -> HttpResponse:
    """Show the provider's own fields for the card: what is typed there never reaches us. This page alone may load its script."""
    context = {"client": client, "deposit": deposit, "fields": fields, "player": f"js/{fields.player}.js"}
    response = render(request, "portal/pay_fields.html", context)
    allowed = ("script-src", "style-src", "img-src", "connect-src", "frame-src", "form-action")
    response._csp_update = {name: list(fields.hosts) for name in allowed}  # type: ignore[attr-defined]
    return response


# ── one movement ────────────────────────────────────────────────────────────────────────────────────────────────────


@client_required
@require_safe
def movement(request: HttpRequest, client: Client, reference: str) -> HttpResponse:
    """Show a deposit, withdrawal or transfer: its steps, what we wait for, and live until it is over."""
    row = queries.movement_by_reference(me(request), reference)
    if row is None:
        raise Http404
    context: dict[str, Any] = {"client": client, "movement": row, "kind": row._meta.model_name}
    if isinstance(row, Deposit) and "redirectResult" in request.GET and paying.fields_of(row) is not None:
        # The card's bank sent the client back here: the fields' own page tells the provider so.
        return redirect(f"{reverse('portal_pay', args=[row.reference])}?{request.GET.urlencode()}")
    if isinstance(row, Transfer):
        status_text = money.describe_transfer(row)
    elif isinstance(row, Exchange):
        status_text = money.describe_exchange(row)
    elif isinstance(row, Deposit):
        status_text = money.describe_deposit(row)
    else:
        context["parts"] = parts = parts_of(row)
        status_text, context["movement"] = money.describe_request(parts), parts[0]
    context["how"] = paying.how_to_pay(row) if isinstance(row, Deposit) and status_text.is_moving else None
    context["told"] = status_text
    context["has_fields"] = (
        isinstance(row, Deposit) and row.state == DepositState.CREATED and bool(paying.fields_of(row))
    )
    context["has_receipt"] = isinstance(row, Deposit) and row.state in DEPOSIT_ARRIVED
    return render(request, "portal/_movement.html" if wants_fragment(request) else "portal/movement.html", context)
