"""Signing in. Staff by e-mail; clients and partners by e-mail at their brand (`brand/e-mail`, `brand:partners/e-mail`)."""

from __future__ import annotations

from crm.choices import UserKind
from crm.models import Brand, User


def username_for(*, brand: Brand | None, email: str) -> str:
    """Return the unique user name of a login: the e-mail for staff, `brand/e-mail` for clients."""
    email = email.strip().lower()
    return email if brand is None else f"{brand.code}/{email}"


def partner_username(*, brand: Brand, email: str) -> str:
    """Return the user name of a partner's login, which is their own beside a client's with the same e-mail.

    No brand code has a colon, so that no client's user name is a partner's.
    """
    return f"{brand.code}:partners/{email.strip().lower()}"


def login_name(*, brand: Brand, email: str, for_partners: bool) -> str:
    """Find the login that an e-mail means at a brand's sign-in pages: who has two gets the one of the page they are on."""
    client, partner = username_for(brand=brand, email=email), partner_username(brand=brand, email=email)
    known = set(User.objects.filter(username__in=[client, partner]).values_list("username", flat=True))
    first, second = (partner, client) if for_partners else (client, partner)
    return second if second in known and first not in known else first


def home_url(user: User) -> str:
    """Return where a person lands after signing in."""
    return {UserKind.CLIENT: "/portal/", UserKind.PARTNER: "/partners/"}.get(UserKind(user.kind), "/home/")


def sign_in_url(user: User | None) -> str:
    """Return where a person of this kind signs in: staff at one address, clients and partners at their brand's."""
    if user is not None and user.is_authenticated and not user.is_team and user.brand is not None:
        return f"/b/{user.brand.code}/login/"
    return "/accounts/login/"
