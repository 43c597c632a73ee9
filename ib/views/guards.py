"""Who may open a partner's own pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

from ib.queries import partner_of

View = Callable[..., HttpResponseBase]


def partner_page(view: View) -> View:
    """Guard a partner's page: strangers go to sign in, everyone else but partners gets 404. The view gets the partner."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, partner_of(request.user), *args, **kwargs)

    return guarded
