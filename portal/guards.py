"""The guard of every page in the client portal: a client's login, its one record, and nothing of anybody else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from clients.choices import Gate
from clients.country_rules.gates import may
from clients.models import Client
from clients.views.dialogs import back
from crm.accounts.guards import client_only
from crm.db.prepared import ByKey
from crm.models import Brand, User
from portal import consents

View = Callable[..., HttpResponse]
CLIENTS = ByKey(lambda: Client.objects.select_related("brand", "owner"), "user_id")
ACCEPTED: Final = "accepted_texts"
# Who doesn't accept new terms still reads them, sees their money and withdraws it.
OPEN_WITHOUT_CONSENT: Final = frozenset(
    "portal_consents portal_consent portal_wallet portal_withdraw portal_cancel_withdrawal portal_history portal_movement"
    " portal_statement portal_receipt portal_wallet_documents portal_wallet_document portal_security"
    " portal_chat portal_chat_write portal_chat_end portal_chat_earlier".split()
)


def client_required(view: View) -> View:
    """Guard `view(request, client, …)`: strangers sign in at their brand, staff and partners find nothing here.

    Every query of the view starts from this client; an id of somebody else's thing is 404. A client who hasn't accepted a
    new version of a required text is asked first.
    """

    @functools.wraps(view)
    def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        assert isinstance(request.user, User)
        client = CLIENTS.find(user_id=request.user.pk)
        if client is None:
            raise Http404
        request.brand = client.brand  # type: ignore[attr-defined]
        allowed = may(client, Gate.LOGIN)
        if not allowed:
            return not_served(request, client.brand, allowed.reason)
        if _must_accept_first(request, client):
            return back(request, reverse("portal_consents"))  # type: ignore[return-value]
        return view(request, client, *args, **kwargs)

    return client_only(never_cache(entered))


def not_served(request: HttpRequest, brand: Brand, reason: str) -> HttpResponse:
    """Tell a client that the portal isn't available to them, why, and how to reach the broker. They may sign out."""
    return render(request, "portal/not_served.html", {"brand": brand, "reason": reason}, status=403)


def _must_accept_first(request: HttpRequest, client: Client) -> bool:
    """Check whether a new version awaits this client's yes. Asked of the database once per session and version."""
    asked = consents.must_accept(client.brand, request.LANGUAGE_CODE)
    mark = sorted(version.pk for version in asked.values())
    if not asked or request.session.get(ACCEPTED) == mark:
        return False
    if request.resolver_match is not None and request.resolver_match.url_name in OPEN_WITHOUT_CONSENT:
        return False
    if consents.outstanding(client, asked):
        return True
    request.session[ACCEPTED] = mark
    return False
