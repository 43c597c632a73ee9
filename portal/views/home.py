"""The client portal: its front page, what happened, profile and security."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.choices import TimelineKind
from clients.models import Client
from crm.accounts.views import security_context
from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import wants_fragment
from crm.web.requests import UserRequest
from portal import consents, onboarding, queries
from portal.guards import client_required
from portal.views import front_page, level_card
from trading.accounts.portfolio import CURVE_DAYS, portfolio_of
from trading.choices import AccountState
from trading.queries import accounts_of
from wallet.bonuses.offers import promotions_for
from wallet.movements.queries import history_of, wallets_of

SHOWN = 6  # real accounts on the front page, and as many demo accounts
MOVEMENTS_SHOWN = 5
ACTIVITY_SHOWN = 5


@client_required
@require_safe
def dashboard(request: UserRequest, client: Client) -> HttpResponse:
    """Show equity with its curve, accounts, the next step, money and activity. Refreshes itself when something changes."""
    owned = accounts_of(request.user, client.pk)
    days = front_page.days_of(request.GET.get("days", ""))
    portfolio = portfolio_of(client, owned, days=days)
    cards = front_page.cards_of([account for account in owned if account.state != AccountState.ARCHIVED])
    progress, wallets = onboarding.progress_of(client), wallets_of(client)
    real = [card for card in cards if not card.account.is_demo]
    questions = front_page.questions_due(client)
    context = {
        "client": client,
        "progress": progress,
        "due": [requirement for requirement in progress.requirements if requirement.needs_client],
        "wallets": wallets,
        "has_money": any(wallet.available > 0 for wallet in wallets),
        "portfolio": portfolio,
        "curve": front_page.curve_of(portfolio),
        "days": days,
        "day_choices": CURVE_DAYS,
        "cards": real[:SHOWN],
        "demo_cards": [card for card in cards if card.account.is_demo][:SHOWN],
        "more": len(cards) > SHOWN,
        "next_step": front_page.next_step(progress, wallets, cards, questions),
        "questions": [(row, front_page.address_of(row)) for row in questions],
        "movements": history_of(client, limit=MOVEMENTS_SHOWN),
        "notice": consents.notice_for(client.brand, request.LANGUAGE_CODE),
        "promotions": promotions_for(client),
        "standing": level_card.standing_for(client),
        "activity": queries.activity(client, size=ACTIVITY_SHOWN, without=TimelineKind.PAYMENT),
    }
    return render(request, "portal/_dashboard.html" if wants_fragment(request) else "portal/dashboard.html", context)


@client_required
@require_safe
def activity(request: HttpRequest, client: Client) -> HttpResponse:
    """Show everything that happened, page by page."""
    page = queries.activity(client, cursor=request.GET.get("cursor", ""))
    return render(request, "portal/activity.html", {"client": client, "activity": page, "is_paged": True})


@client_required
@require_safe
def security(request: HttpRequest, client: Client) -> HttpResponse:
    """Password, second factor, passkeys, sessions."""
    return render(request, "account/security.html", {"client": client, **security_context(request)})


@client_required
@require_safe
def profile(request: HttpRequest, client: Client) -> HttpResponse:
    """Show the client's details, what they agreed to, language, and where to change each."""
    context = {"client": client, "consents": consents.consents_of(client), "progress": onboarding.progress_of(client)}
    return render(request, "portal/profile.html", context)


@client_required
@require_POST
def marketing(request: HttpRequest, client: Client) -> HttpResponse:
    """Turn marketing e-mails on or off."""
    assert isinstance(request.user, User)
    is_wanted = request.POST.get("wanted") == "yes"
    user = request.user
    run_action(
        request,
        lambda: consents.change_marketing(client=client, actor=user, wanted=is_wanted),
        _("Saved.") if is_wanted else _("You're unsubscribed from news and offers."),
    )
    return redirect("portal_profile")
