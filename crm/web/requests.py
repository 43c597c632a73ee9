"""The request of a page behind sign-in, for the type checker."""

from __future__ import annotations

from django.http import HttpRequest

from crm.models import User


class UserRequest(HttpRequest):
    """A request whose `user` is one of ours: `LoginRequired` and the guards let nobody else in.

    Django makes every request an `HttpRequest`; this name only says what the middleware has seen to.
    """

    user: User
