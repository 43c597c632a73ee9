"""Between the client's own pockets: wallet and trading account, wallet and wallet. Between currencies a rate is quoted first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.errors import outcome_of
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from portal import money
from portal.forms_room import ExchangeForm, TransferForm
from portal.guards import client_required
from portal.views.money import me, new_key
from trading.choices import Ability
from trading.models import TradingAccount
from trading.platforms import capabilities
from trading.queries import accounts_of
from wallet.choices.transfers import Direction, QuoteFor
from wallet.deposits import method_offers
from wallet.models import Quote
from wallet.movements import queries
from wallet.transfers import exchanges
from wallet.transfers import verbs as transfers
from wallet.transfers.policies import can_transfer
from wallet.transfers.quotes import QuoteExpired, ask_quote

NOT_TYPED = frozenset({"quote", "csrfmiddlewaretoken"})


def _quote_of(request: HttpRequest) -> int | None:
    number = request.POST.get("quote", "")
    return int(number) if is_whole(number) else None


def _show_quote(
    request: HttpRequest, client: Client, quote: Quote, *, notice: str = "", back: str, **more: Any
) -> HttpResponse:
    """Show the promised rate with its time; confirming sends the same form with the quote's number."""
    left = max(0, int((quote.expires_at - timezone.now()).total_seconds()))
    context = {
        "client": client,
        "quote": quote,
        "seconds": left,
        "notice": notice,
        "back": back,
        "typed": [(name, value) for name, value in request.POST.items() if name not in NOT_TYPED],
        **more,
    }
    return render(request, "portal/quote.html", context)


# ── wallet ↔ trading account ────────────────────────────────────────────────────────────────────────────────────────


@client_required
def transfer(request: HttpRequest, client: Client) -> HttpResponse:
    """Move money to a trading account or back. Two forms on one page; each keeps what was typed."""
    every = accounts_of(me(request), client.pk)
    accounts = [account for account in every if _can_move(account)]
    direction = Direction.TO_WALLET if _direction(request) == "from" else Direction.TO_TRADING
    wallets = queries.wallets_of(client)
    form = TransferForm(
        request.POST or None,
        accounts=accounts,
        currencies=[wallet.currency for wallet in wallets],
        initial={
            "request_key": new_key(),
            "account": request.GET.get("account") or (accounts[0].pk if accounts else None),
        },
    )
    done = run_action(request, lambda: _move(request, client, form, direction), form=form, show_forbidden=True)
    if done:
        return done.result
    context = {
        "client": client,
        "form": form,
        "accounts": accounts,
        "wallets": wallets,
        "direction": "from" if direction == Direction.TO_WALLET else "to",
        "allowed": can_transfer(me(request), client),
        "why_none": _why_none(every),
        "many": len({wallet.currency for wallet in wallets} | {account.currency for account in accounts}) > 1,
    }
    return render(request, "portal/transfer.html", context, status=422 if form.errors else 200)


def _move(request: HttpRequest, client: Client, form: TransferForm, direction: Direction) -> HttpResponse:
    data, account = form.cleaned_data, form.cleaned_data["account"]
    common = {
        "client_id": client.pk,
        "trading_account_id": account.pk,
        "direction": direction,
        "request_key": data["request_key"],
        "actor": me(request),
    }
    if not data["wallet"] or data["wallet"] == account.currency:
        started = transfers.start_transfer(**common, amount=data["amount"])
        return redirect("portal_movement", reference=started.reference)
    notice, number = "", _quote_of(request)
    if number is not None:
        moved = outcome_of(lambda: transfers.start_transfer(**common, quote_id=number), only=QuoteExpired)
        if moved:
            return redirect("portal_movement", reference=moved.result.reference)
        notice = moved.message
    given, got = data["wallet"], account.currency
    if direction == Direction.TO_WALLET:
        given, got = got, given
    quote = ask_quote(
        client_id=client.pk,
        given=given,
        got=got,
        amount=data["amount"],
        actor=me(request),
        purpose=QuoteFor(direction.value),
        trading_account_id=account.pk,
    )
    return _show_quote(request, client, quote, notice=notice, back="portal_transfer", account=account)


def _direction(request: HttpRequest) -> str:
    return request.POST.get("direction") or request.GET.get("direction", "to")


def _can_move(account: TradingAccount) -> bool:
    return (
        account.state == "open" and not account.is_demo and bool(capabilities.can(account.server, Ability.MOVE_MONEY))
    )


def _why_none(accounts: list[TradingAccount]) -> str:
    """Explain to a client why there is no account that money could be moved to."""
    real = [account for account in accounts if not account.is_demo]
    if any(account.state == "open" for account in real):
        return _("You can't transfer money to your trading accounts from here. Please contact support.")
    if any(account.state in ("requested", "opening", "unknown") for account in real):
        return _("Your trading account is being opened. This takes a few seconds.")
    if accounts:
        return _("Demo money can't be transferred. Open a live trading account first.")
    return _("Your first account opens automatically once you're verified.")


# ── wallet ↔ wallet ─────────────────────────────────────────────────────────────────────────────────────────────────


@client_required
def exchange(request: HttpRequest, client: Client) -> HttpResponse:
    """Change money between wallets: the amount, then the quoted rate, then the exchange."""
    wallets = money.wallets_with_money(client)
    known = [wallet.currency for wallet in queries.wallets_of(client)]
    got = list(dict.fromkeys([*known, *method_offers.deposit_currencies(client)]))
    given = [wallet.currency for wallet in wallets] or known[:1]
    start = {
        "request_key": new_key(),
        "given": given[0],
        "got": next((code for code in got if code != given[0]), given[0]),
    }
    form = ExchangeForm(request.POST or None, given=given, got=got, initial=start)
    done = run_action(request, lambda: _exchange(request, client, form), form=form, show_forbidden=True)
    if done:
        return done.result
    context = {
        "client": client,
        "form": form,
        "wallets": wallets,
        "currencies": got,
        "allowed": can_transfer(me(request), client, to_trading=False),
    }
    return render(request, "portal/exchange.html", context, status=422 if form.errors else 200)


def _exchange(request: HttpRequest, client: Client, form: ExchangeForm) -> HttpResponse:
    data, notice, number = form.cleaned_data, "", _quote_of(request)
    if number is not None:
        exchanged = outcome_of(
            lambda: exchanges.exchange(
                client_id=client.pk, quote_id=number, request_key=data["request_key"], actor=me(request)
            ),
            only=QuoteExpired,
        )
        if exchanged:
            return redirect("portal_movement", reference=exchanged.result.reference)
        notice = exchanged.message
    quote = ask_quote(
        client_id=client.pk, given=data["given"], got=data["got"], amount=data["amount"], actor=me(request)
    )
    return _show_quote(request, client, quote, notice=notice, back="portal_exchange")
