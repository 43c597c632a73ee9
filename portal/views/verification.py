"""Verification at the brand's KYC provider: start, go there, come back, and see how it stands."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from clients.choices import ClientKind
from clients.models import Client
from crm.models import User
from crm.ui.actions import run_action
from kyc.models import ProviderCheck
from kyc.providers import checks, lookups
from kyc.providers.choices import CLIENTS_TURN, OPEN_CHECKS, ProviderCheckState, VerifiedBy
from kyc.providers.modes import provider_of, verified_by
from kyc.providers.opinions import COVERED
from kyc.providers.queries import last_check_of
from kyc.queries import Requirement
from portal.guards import client_required

MAY_START = (ProviderCheckState.FAILED, ProviderCheckState.CANCELLED)


def card_for(client: Client) -> dict[str, Any] | None:
    """Collect what the card on the documents page shows; None where the brand checks documents itself. At most three queries."""
    if client.kind == ClientKind.COMPANY:
        return None
    decides = verified_by(client.brand)
    if decides == VerifiedBy.BUILT_IN:
        return None
    provider, check = provider_of(client.brand), last_check_of(client)
    if provider is None:
        return None
    state = check.state if check is not None else ""
    is_passed = check is not None and state == ProviderCheckState.PASSED
    return {
        "provider": check.provider if check is not None and state in OPEN_CHECKS else provider,
        "check": check,
        "state": state,
        "may_start": check is None or state in MAY_START or (is_passed and not checks.is_of_use(check)),
        "may_go_on": state in CLIENTS_TURN,
        "is_waiting": state in OPEN_CHECKS and state not in CLIENTS_TURN,
        "is_down": provider.failing_since is not None,
        "is_alone": decides == VerifiedBy.PROVIDER,
    }


def is_covered(card: dict[str, Any] | None, requirement: Requirement) -> bool:
    """Tell whether the provider, not an upload, is the way to a required document.

    An upload it is after all where the provider has passed the client without a proof of address, and where an officer has sent
    back a document of a check that was refused.
    """
    if card is None or not card["is_alone"] or not COVERED.issuperset(requirement.kinds):
        return False
    if card["state"] == ProviderCheckState.REFUSED:
        return requirement.state != "rejected"
    is_over = card["state"] == ProviderCheckState.PASSED and card["check"].has_pictures
    return not (is_over and requirement.slug == "address" and requirement.needs_client)


@client_required
@require_safe
def verification(request: HttpRequest, client: Client) -> HttpResponse:
    """Show how the verification stands; the page asks again while the provider checks."""
    card = card_for(client)
    if card is None:
        return redirect("portal_documents")
    return render(request, "portal/verification/verification.html", {"client": client, "card": card})


@require_POST
@client_required
def start(request: HttpRequest, client: Client) -> HttpResponse:
    """Start a check, or go on with the one that is open; then lead to the provider."""
    assert isinstance(request.user, User)
    user = request.user

    def begin() -> ProviderCheck:
        return checks.send_check(checks.start_check(client_id=client.pk, actor=user).pk)

    done = run_action(request, begin, show_forbidden=True)
    return redirect("portal_verification_go" if done and done.result.state in CLIENTS_TURN else "portal_verification")


@client_required
@require_safe
def go(request: HttpRequest, client: Client) -> HttpResponse:
    """Lead to the provider under a fresh link, which opens for half an hour and is kept nowhere."""
    check = last_check_of(client)
    if check is None or check.state not in CLIENTS_TURN:
        return redirect("portal_verification")
    check.client = client
    back = request.build_absolute_uri(reverse("portal_verification_back"))
    done = run_action(request, lambda: checks.link_for(check, return_url=back))
    if not done:
        return redirect("portal_verification")
    context = {"client": client, "provider": check.provider, "address": done.result}
    return render(request, "portal/verification/leaving.html", context)


@client_required
@require_safe
def back(request: HttpRequest, client: Client) -> HttpResponse:
    """Receive a client who comes back: what the address says counts for nothing, the provider is asked."""
    check = last_check_of(client)
    if check is not None and check.state in OPEN_CHECKS:
        lookups.look_up(check.pk)
    return redirect("portal_verification")
