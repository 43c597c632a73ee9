"""Signing in. Staff by e-mail; clients and partners by e-mail at their brand (user name `brand/e-mail`)."""

from __future__ import annotations

from crm.choices import UserKind
from crm.models import Brand, User


def username_for(*, brand: Brand | None, email: str) -> str:
    """Return the unique user name of a login: the e-mail for staff, `brand/e-mail` for clients and partners."""
    email = email.strip().lower()
    return email if brand is None else f"{brand.code}/{email}"


def home_url(user: User) -> str:
    """Return where a person lands after signing in."""
    return {UserKind.CLIENT: "/portal/", UserKind.PARTNER: "/partners/"}.get(UserKind(user.kind), "/home/")


def sign_in_url(user: User | None) -> str:
    """Return where a person of this kind signs in: staff at one address, clients and partners at their brand's."""
    if user is not None and user.is_authenticated and not user.is_team and user.brand is not None:
        return f"/b/{user.brand.code}/login/"
    return "/accounts/login/"
