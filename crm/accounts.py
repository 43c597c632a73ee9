"""Signing in. Staff by e-mail; clients and partners by e-mail at their brand (user name `brand/e-mail`)."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from crm import access_log
from crm.choices import AccessKind, UserKind
from crm.models import Brand, User


def username_for(*, brand: Brand | None, email: str) -> str:
    """The unique user name of a login: the e-mail for staff, `brand/e-mail` for clients and partners."""
    email = email.strip().lower()
    return email if brand is None else f"{brand.code}/{email}"


def home_url(user: User) -> str:
    """Where a person lands after signing in."""
    return {UserKind.CLIENT: "/portal/", UserKind.PARTNER: "/partners/"}.get(UserKind(user.kind), "/home/")


class KeelsonAccountAdapter(DefaultAccountAdapter):
    """No public sign-up through allauth: clients register in the trader's room, staff are created by administrators."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        assert isinstance(request.user, User)
        return home_url(request.user)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_login")

    def clean_username(self, username: str, shallow: bool = False) -> str:
        return username.strip().lower()

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> Any:
        access_log.note(user=user, kind=AccessKind.LOGIN, brand_id=user.brand_id, target=f"user:{user.pk}")
        return super().post_login(request, user, **kwargs)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        access_log.note(user=None, kind=AccessKind.LOGIN_FAILED, target=str(credentials.get("username", ""))[:80])
        super().authentication_failed(request, **credentials)
