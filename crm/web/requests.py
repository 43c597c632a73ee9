"""What pages read from a request: who sent it, for the type checker, and the list that a bulk action came from."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from crm.models import User


class UserRequest(HttpRequest):
    """A request whose `user` is one of ours: `LoginRequired` and the guards let nobody else in.

    Django makes every request an `HttpRequest`; this name only says what the middleware has seen to.
    """

    user: User


def list_of_origin(request: HttpRequest) -> str:
    """Return the address of the list, filters and page included, that a bulk action was started from; "" without one."""
    address = request.POST.get("list", "") if request.method == "POST" else ""
    is_ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_ours else ""
