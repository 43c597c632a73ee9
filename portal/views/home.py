"""The trader's room: its front page, what happened, profile and security."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from crm.accounts.views import security_context
from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import wants_fragment
from crm.web.requests import UserRequest
from portal import consents, onboarding, queries
from portal.guards import client_required
from portal.views.trading import together
from trading.queries import accounts_of
from wallet.movements.queries import wallets_of

SHOWN = 6  # accounts on the front page


@client_required
@require_safe
def dashboard(request: UserRequest, client: Client) -> HttpResponse:
    """Money, accounts, the next step, what happened. Refreshes itself when something changes."""
    accounts = [account for account in accounts_of(request.user, client.pk) if account.state != "archived"]
    context = {
        "client": client,
        "progress": onboarding.progress_of(client),
        "wallets": wallets_of(client),
        "accounts": accounts[:SHOWN],
        "more": len(accounts) > SHOWN,
        **together(client, accounts),
        "activity": queries.activity(client, size=8),
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
