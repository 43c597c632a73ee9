"""Who a page is for. Everybody else is sent to sign in (strangers) or finds nothing there (other kinds of people).

@staff_only            staff, second factor shown (the middleware sees to it)
@client_only           clients in the client portal
@partner_only          partners
@signed_in             anybody signed in
@confirmed             whoever it is has just shown password or second factor again (sensitive actions)
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.decorators import reauthentication_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from crm.choices import UserKind
from crm.models import User

View = Callable[..., HttpResponse]


def _only(*kinds: UserKind, sign_in: Callable[[HttpRequest], str]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not isinstance(request.user, User):
                back = request.get_full_path() if request.method == "GET" else ""
                address = sign_in(request)
                return redirect(f"{address}?{urlencode({'next': back})}" if back else address)
            if kinds and request.user.kind not in kinds:
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def brand_sign_in(request: HttpRequest) -> str:
    """Return the sign-in page of the brand this browser used last; without one, the page that lists the brands."""
    code = request.COOKIES.get("brand", "")
    if code and code.replace("-", "").replace("_", "").isalnum():
        return f"/b/{code}/login/"
    return "/b/"


def _staff_sign_in(request: HttpRequest) -> str:
    return "/accounts/login/"


staff_only = _only(UserKind.STAFF, sign_in=_staff_sign_in)
client_only = _only(UserKind.CLIENT, sign_in=brand_sign_in)
partner_only = _only(UserKind.PARTNER, sign_in=brand_sign_in)
signed_in = _only(sign_in=_staff_sign_in)


def confirmed(view: View) -> View:
    """Guard a sensitive action: the person shows password or second factor again, unless they did within five minutes.

    A POST is kept and repeated after the confirmation. For a page's own checks: `crm.accounts.guards.confirmed`.
    """
    guarded: View = reauthentication_required(view, app="crm.accounts")
    return guarded
