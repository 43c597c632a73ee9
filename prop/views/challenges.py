"""Staff pages: bought challenges as a list, and one with its accounts, days, rules and evidence."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render

from clients.queries import is_in_own_book
from crm.choices import AccessKind
from crm.security import access_log
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from prop.challenges.objectives import objectives_of
from prop.queries import challenges_visible_to
from prop.sentences import about_payouts, name_of, rules_of

DAYS_SHOWN = 60


@staff_page("prop.view_challenge")
def challenge_page(request: UserRequest, challenge_id: int) -> HttpResponse:
    """Show a challenge; the view is in the client's access log."""
    rows = challenges_visible_to(request.user).select_related("client__book", "version__programme", "coupon", "payment")
    challenge = rows.filter(pk=challenge_id).first()
    if challenge is None:
        raise Http404
    access_log.note(
        user=request.user,
        kind=AccessKind.VIEW,
        target=f"prop.challenge:{challenge.pk}",
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        in_book=is_in_own_book(request.user, challenge.client),
    )
    accounts = list(
        challenge.accounts.select_related("phase", "account__server", "breach", "challenge").order_by("-pk")
    )
    current = accounts[0]
    context = {
        "challenge": challenge,
        "accounts": [(row, name_of(row.phase)) for row in accounts],
        "current": current,
        "objectives": objectives_of(current),
        "days": list(current.days.order_by("-day")[:DAYS_SHOWN]),
        "rules": rules_of(current.phase),
        "payouts": about_payouts(challenge.version),
    }
    return render(request, "prop/challenge.html", context)
