"""Trading accounts in the trader's room: the list, one account, opening another, password and leverage."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from crm.accounts.guards import confirmed
from crm.errors import DomainError
from crm.ui.charts import Chart, Series
from crm.ui.views import wants_fragment
from portal.forms_room import OpenAccountForm, PlatformPasswordForm, RequestForm
from portal.room import room
from portal.views.money import me, new_key
from trading import abilities, accounts, opening, queries, requests
from trading.choices import Ability, RequestKind, RequestState
from trading.models import TradingAccount

DEALS_PAGE = 25


@room
@require_safe
def account_list(request: HttpRequest, client: Client) -> HttpResponse:
    """The client's accounts with equity; refreshes itself."""
    context = {"client": client, "accounts": queries.accounts_of(me(request), client.pk)}
    return render(request, "portal/_accounts.html" if wants_fragment(request) else "portal/accounts.html", context)


def _own(request: HttpRequest, client: Client, account_id: int) -> TradingAccount:
    found = queries.get_account(me(request), account_id)
    if found.client_id != client.pk:
        raise Http404
    return found


@room
@require_safe
def account(request: HttpRequest, client: Client, account_id: int) -> HttpResponse:
    """One account: figures, equity curve, open positions, deals."""
    found = _own(request, client, account_id)
    context: dict[str, Any] = {"client": client, "account": found, **_figures(found)}
    if wants_fragment(request):
        return render(request, "portal/_account_figures.html", context)
    deals, following = _deals(request, found)
    asks = [(kind, form) for kind in RequestKind if (form := RequestForm(account=found, kind=kind.value)).is_possible]
    context |= {
        "deals": deals, "has_charges": any(deal.charges for deal in deals), "next": following,
        "chart": _chart(request, found), "password_form": PlatformPasswordForm(),
        "unverified": Ability.MOVE_MONEY in abilities.unverified(found.server),
        "lacking": [one for one in abilities.lacking(found.server) if one in abilities.OF_CLIENTS],
        "request_forms": asks, "must_ask_for_password": any(kind == RequestKind.PASSWORD for kind, _form in asks),
        "requests": [(one, requests.what(one), requests.words_of(one)) for one in queries.requests_of(found)],
    }  # fmt: skip
    return render(request, "portal/account.html", context)


def _figures(found: TradingAccount) -> dict[str, Any]:
    return {"positions": queries.positions_of(found)}


def _deals(request: HttpRequest, found: TradingAccount) -> tuple[list[Any], str]:
    rows = queries.deals_of_account(me(request), found.pk)
    at, _bar, number = request.GET.get("after", "").rpartition("_")
    try:
        since = dt.datetime.fromisoformat(at)
        rows = rows.filter(Q(executed_at__lt=since) | Q(executed_at=since, id__lt=int(number)))
    except ValueError:
        pass
    page = list(rows[: DEALS_PAGE + 1])
    shown = queries.with_price_digits(page[:DEALS_PAGE])
    return shown, f"{shown[-1].executed_at.isoformat()}_{shown[-1].pk}" if len(page) > DEALS_PAGE else ""


def _chart(request: HttpRequest, found: TradingAccount) -> Chart | None:
    curve = queries.equity_curve(me(request), found.pk)
    if len(curve.at) < 2:
        return None
    return Chart(
        id="equity", x=curve.at,
        series=[
            Series(_("Equity"), curve.equity, kind="area", unit=found.currency),
            Series(_("Balance"), curve.balance, tone="neutral", kind="step", unit=found.currency),
        ],
    )  # fmt: skip


@room
def open_account(request: HttpRequest, client: Client) -> HttpResponse:
    """Choose a type and a leverage. What is not offered yet says why."""
    offers = queries.offers_for(me(request), client)
    wished = request.POST.get("account_type") or request.GET.get("type", "")
    offer = next((one for one in offers if one.decision and str(one.account_type.pk) == wished), None)
    chosen = offer.account_type if offer else None
    form = None
    if offer is not None and chosen is not None:
        form = OpenAccountForm(
            request.POST or None,
            chosen=chosen,
            ladder=offer.ladder,
            initial={"account_type": chosen, "request_key": new_key()},
        )
        if request.method == "POST" and form.is_valid():
            try:
                opening.request_account(
                    client_id=client.pk, account_type_id=chosen.pk, leverage=form.cleaned_data["leverage"],
                    request_key=f"portal:{client.pk}:{form.cleaned_data['request_key']}", actor=me(request),
                )  # fmt: skip
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("Your account is being opened. It takes a few seconds."))
                return redirect("portal_accounts")
    context = {"client": client, "offers": offers, "chosen": chosen, "form": form}
    return render(request, "portal/open_account.html", context, status=422 if form and form.errors else 200)


@room
@require_POST
@sensitive_variables("password")
def set_password(request: HttpRequest, client: Client, account_id: int) -> HttpResponse:
    return _set_password(request, client, account_id)


@confirmed
def _set_password(request: HttpRequest, client: Client, account_id: int) -> HttpResponse:
    """A new trading password, shown once on the answer and kept nowhere."""
    found = _own(request, client, account_id)
    form = PlatformPasswordForm(request.POST)
    if form.is_valid():
        try:
            password = accounts.reset_password(
                account_id=found.pk, actor=me(request), password=form.cleaned_data["password"]
            )
        except DomainError as error:
            messages.error(request, error.message)
        else:
            context = {"client": client, "account": found, "password": password}
            return render(request, "portal/password_shown.html", context)
    return redirect("portal_account", account_id=account_id)


@room
@require_POST
def make_request(request: HttpRequest, client: Client, account_id: int, kind: str) -> HttpResponse:
    """Ask for another leverage or type, or to close the account: granted at once, or a person decides and says why."""
    found = _own(request, client, account_id)
    if kind not in RequestKind.values:
        raise Http404
    form = RequestForm(request.POST, account=found, kind=kind)
    if not form.is_valid():
        messages.error(request, _("Choose one of what is listed."))
        return redirect("portal_account", account_id=account_id)
    try:
        made = requests.ask(
            account_id=found.pk, kind=RequestKind(kind), actor=me(request), reason=form.cleaned_data["reason"],
            leverage=form.cleaned_data.get("leverage"), account_type_id=form.cleaned_data.get("account_type"),
        )  # fmt: skip
    except DomainError as error:
        messages.error(request, error.message)
    else:
        if made.state == RequestState.GRANTED:
            messages.success(request, _("Done."))
        else:
            why = " ".join(requests.words_of(made))
            messages.info(request, _("We have your wish and answer within one working day. %(why)s") % {"why": why})
    return redirect("portal_account", account_id=account_id)


@room
@require_POST
def withdraw_request(request: HttpRequest, client: Client, account_id: int, request_id: int) -> HttpResponse:
    """The client thinks better of it."""
    found = _own(request, client, account_id)
    if not found.requests.filter(pk=request_id).exists():
        raise Http404
    try:
        requests.withdraw(request_id=request_id, actor=me(request))
        messages.success(request, _("Your wish is withdrawn."))
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("portal_account", account_id=account_id)
