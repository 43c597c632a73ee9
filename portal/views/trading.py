"""Trading accounts in the client portal: the list, one account, opening another, password and leverage."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from crm.accounts.guards import confirmed
from crm.security.compression import keep_plain
from crm.ui.actions import run_action
from crm.ui.charts import Chart, Series
from crm.ui.views import wants_fragment
from portal import platforms
from portal.forms_room import OpenAccountForm, PlatformPasswordForm, RequestForm
from portal.guards import client_required
from portal.views.money import me, new_key
from prop.queries import account_types_sold, on_sale
from trading import queries
from trading.accounts import changes as accounts
from trading.accounts import opening, request_rules, requests
from trading.choices import Ability, AccountState, RequestKind, RequestState
from trading.models import AccountRequest, AccountType, TradingAccount
from trading.platforms import capabilities, downloads

DEALS_PAGE = 25


def together(client: Client, accounts: list[TradingAccount]) -> dict[str, Any]:
    """Sum what all of a client's accounts are worth, for the line below them."""
    return {"total": queries.totals_of(client, accounts, []), "has_demo": any(account.is_demo for account in accounts)}


@client_required
@require_safe
def account_list(request: HttpRequest, client: Client) -> HttpResponse:
    """Show the client's accounts with equity; refreshes itself."""
    owned = queries.accounts_of(me(request), client.pk)
    context = {"client": client, "accounts": owned, **together(client, owned)}
    if wants_fragment(request):
        return render(request, "portal/_accounts.html", context)
    context["sells_challenges"] = on_sale(client).exists() or client.challenges.exists()
    return render(request, "portal/accounts.html", context)


def _own(request: HttpRequest, client: Client, account_id: int) -> TradingAccount:
    account = queries.get_account(me(request), account_id)
    if account.client_id != client.pk:
        raise Http404
    return account


@client_required
@require_safe
def account(request: HttpRequest, client: Client, account_id: int) -> HttpResponse:
    """Show one account: figures, equity curve, open positions, deals."""
    shown = _own(request, client, account_id)
    if wants_fragment(request):
        context = {"client": client, "account": shown, **_figures(shown)}
        answer = render(request, "portal/_account_figures.html", context)
        if "opening" in request.GET and shown.state == AccountState.OPEN:
            answer["HX-Refresh"] = "true"  # now there is more on the page than its figures
        return answer
    return _page(request, client, shown)


def _page(
    request: HttpRequest,
    client: Client,
    account: TradingAccount,
    *,
    password_form: PlatformPasswordForm | None = None,
    asked: tuple[str, RequestForm] | None = None,
) -> HttpResponse:
    """Show the account's page; with a form that was wrong its dialog is open again and keeps what was typed."""
    deals, following = _deals(request, account)
    asks = [(kind, form) for kind in RequestKind if (form := RequestForm(account=account, kind=kind.value)).is_possible]
    must_ask = any(kind == RequestKind.PASSWORD for kind, _form in asks)
    if asked is not None:
        asks = [(kind, asked[1] if kind == asked[0] else form) for kind, form in asks]
    is_live = account.state == AccountState.OPEN
    may_set_password = is_live and not must_ask and bool(capabilities.can(account.server, Ability.SET_PASSWORDS))
    context: dict[str, Any] = {
        "client": client,
        "account": account,
        **_figures(account),
        "deals": deals,
        "next": following,
        "chart": _chart(request, account),
        "unverified": Ability.MOVE_MONEY in capabilities.unverified(account.server),
        "left_to_us": platforms.left_to_us(account.server) if is_live else [],
        "may_move": is_live and not account.is_demo and bool(capabilities.can(account.server, Ability.MOVE_MONEY)),
        "may_set_password": may_set_password,
        "first_steps": platforms.first_steps(account, may_set_password=may_set_password)
        if is_live and not deals
        else None,
        "downloads": downloads.of_server(account.server) if is_live and deals else [],
        "sign_in": platforms.sign_in(account) if is_live and not account.missing_since else None,
        "password_form": password_form or PlatformPasswordForm(server=account.server),
        "password_hint": platforms.password_hint(account),
        "request_forms": asks if is_live or asked else [],
        "requests": [
            (one, request_rules.what(one), platforms.why_it_waits(one)) for one in queries.requests_of(account)
        ],
    }
    is_wrong = password_form is not None or asked is not None
    return render(request, "portal/account.html", context, status=422 if is_wrong else 200)


def _figures(account: TradingAccount) -> dict[str, Any]:
    return {"positions": queries.positions_of(account)}


def _deals(request: HttpRequest, account: TradingAccount) -> tuple[list[Any], str]:
    rows = queries.deals_of_account(me(request), account.pk)
    at, _bar, number = request.GET.get("after", "").rpartition("_")
    try:
        since = dt.datetime.fromisoformat(at)
        rows = rows.filter(Q(executed_at__lt=since) | Q(executed_at=since, id__lt=int(number)))
    except ValueError:
        pass
    page = list(rows[: DEALS_PAGE + 1])
    shown = queries.with_price_digits(page[:DEALS_PAGE])
    return shown, f"{shown[-1].executed_at.isoformat()}_{shown[-1].pk}" if len(page) > DEALS_PAGE else ""


def _chart(request: HttpRequest, account: TradingAccount) -> Chart | None:
    curve = queries.equity_curve(me(request), account.pk)
    if len(curve.at) < 2:
        return None
    return Chart(
        id="equity",
        x=curve.at,
        series=[
            Series(_("Equity"), curve.equity, kind="area", unit=account.currency),
            Series(pgettext("portal", "Balance"), curve.balance, tone="neutral", kind="step", unit=account.currency),
        ],
    )


def by_platform(offers: list[queries.Offer]) -> list[queries.Offer]:
    """Sort offers so that a platform's types are side by side, platforms in the order of their first type in the brand's list."""
    kinds = list(dict.fromkeys(offer.account_type.server.kind for offer in offers))
    return sorted(offers, key=lambda offer: kinds.index(offer.account_type.server.kind))


@client_required
def open_account(request: HttpRequest, client: Client) -> HttpResponse:
    """Choose a type and a leverage. What is not offered yet says why."""
    sold = account_types_sold(client)
    offered = queries.offers_for(me(request), client)
    offers = by_platform([each for each in offered if each.account_type.pk not in sold])
    wished = request.POST.get("account_type") or request.GET.get("type", "")
    offer = next(
        (candidate for candidate in offers if candidate.decision and str(candidate.account_type.pk) == wished), None
    )
    chosen = offer.account_type if offer else None
    form = None
    if offer is not None and chosen is not None:
        form = OpenAccountForm(
            request.POST or None,
            chosen=chosen,
            ladder=offer.ladder,
            initial={"account_type": chosen, "request_key": new_key()},
        )
        done = run_action(
            request,
            lambda: opening.request_account(
                client_id=client.pk,
                account_type_id=chosen.pk,
                leverage=form.cleaned_data["leverage"],
                request_key=f"portal:{client.pk}:{form.cleaned_data['request_key']}"[:60],
                actor=me(request),
            ),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect("portal_account", account_id=done.result.pk)
    # Simulated money comes with a challenge only: who looks for a free demo account must not search in vain.
    lacks_demo = any(each.account_type.is_demo for each in offered) and not any(o.account_type.is_demo for o in offers)
    context = {
        "client": client,
        "chosen": chosen,
        "form": form,
        "lacks_demo": lacks_demo,
        "sells_challenges": lacks_demo and on_sale(client).exists(),
        **_choices(request, offers, chosen),
    }
    return render(request, "portal/open_account.html", context, status=422 if form and form.errors else 200)


def _choices(request: HttpRequest, offers: list[queries.Offer], chosen: AccountType | None) -> dict[str, Any]:
    """Choose which offers are compared: those of one platform, with real money or demo money; the chosen type's go first."""
    wants_demo = chosen.is_demo if chosen else request.GET.get("money") == "demo"
    has_both = len({offer.account_type.is_demo for offer in offers}) == 2
    if not has_both:
        wants_demo = bool(offers) and offers[0].account_type.is_demo
    alike = [offer for offer in offers if offer.account_type.is_demo == wants_demo]
    platforms_offered = {
        offer.account_type.server.kind: offer.account_type.server.get_kind_display() for offer in alike
    }
    wished = chosen.server.kind if chosen else request.GET.get("platform", "")
    platform = wished if wished in platforms_offered else next(iter(platforms_offered), "")
    return {
        "offers": [offer for offer in alike if offer.account_type.server.kind == platform],
        "platform": platform,
        "platforms": platforms_offered,
        "wants_demo": wants_demo,
        "has_both": has_both,
    }


@client_required
@require_POST
@sensitive_variables("password")
def set_password(request: HttpRequest, client: Client, account_id: int) -> HttpResponse:
    return _set_password(request, client, account_id)


@confirmed
def _set_password(request: HttpRequest, client: Client, account_id: int) -> HttpResponse:
    """Set a new trading password, shown once on the answer and kept nowhere."""
    account = _own(request, client, account_id)
    form = PlatformPasswordForm(request.POST, server=account.server)
    done = run_action(
        request,
        lambda: accounts.reset_password(
            account_id=account.pk, actor=me(request), password=form.cleaned_data["password"]
        ),
        form=form,
        field="password",
        show_forbidden=True,
    )
    if done:
        context = {
            "client": client,
            "account": account,
            "password": done.result,
            "hint": platforms.password_hint(account),
            "sign_in": platforms.sign_in(account),
            "downloads": downloads.of_server(account.server),
            "may_move": not account.is_demo and bool(capabilities.can(account.server, Ability.MOVE_MONEY)),
        }
        answer = render(request, "portal/password_shown.html", context)
        add_never_cache_headers(answer)
        keep_plain(answer)
        return answer
    return _page(request, client, account, password_form=form)


@client_required
@require_POST
def make_request(request: HttpRequest, client: Client, account_id: int, kind: str) -> HttpResponse:
    """Ask for another leverage or type, or to close the account: granted at once, or a person decides and says why."""
    account = _own(request, client, account_id)
    if kind not in RequestKind.values:
        raise Http404
    form = RequestForm(request.POST, account=account, kind=kind)
    done = run_action(
        request,
        lambda: requests.ask(
            account_id=account.pk,
            kind=RequestKind(kind),
            actor=me(request),
            reason=form.cleaned_data["reason"],
            leverage=form.cleaned_data.get("leverage"),
            account_type_id=form.cleaned_data.get("account_type"),
        ),
        form=form,
        show_forbidden=True,
    )
    if done:
        _tell(request, done.result)
        return redirect("portal_account", account_id=account_id)
    if not form.is_possible:  # its dialog is not on the page
        messages.error(request, " ".join(str(message) for errors in form.errors.values() for message in errors))
        return redirect("portal_account", account_id=account_id)
    return _page(request, client, account, asked=(kind, form))


def _tell(request: HttpRequest, made: AccountRequest) -> None:
    if made.state == RequestState.GRANTED:
        messages.success(request, _("Done: %(what)s") % {"what": request_rules.what(made)})
    else:
        why = platforms.why_it_waits(made)
        messages.info(request, _("Request received. We'll reply within one working day. %(why)s") % {"why": why})


@client_required
@require_POST
def withdraw_request(request: HttpRequest, client: Client, account_id: int, request_id: int) -> HttpResponse:
    """Withdraw a client's own request on an account."""
    account = _own(request, client, account_id)
    if not account.requests.filter(pk=request_id).exists():
        raise Http404
    run_action(
        request,
        lambda: requests.withdraw(request_id=request_id, actor=me(request)),
        _("Request cancelled."),
        show_forbidden=True,
    )
    return redirect("portal_account", account_id=account_id)
