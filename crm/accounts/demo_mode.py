"""Demo installations list one login per role and show the current code. Every function is empty unless settings.DEMO."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import F

from crm.choices import Role, UserKind
from crm.models import Brand, User


@dataclass(frozen=True)
class DemoLogin:
    label: str
    name: str
    email: str
    password: str


def staff_logins() -> list[DemoLogin]:
    """The first login of each role, in the roles' order."""
    if not settings.DEMO:
        return []
    from crm.demo import PASSWORD

    rows = (
        User.objects.filter(kind=UserKind.STAFF, is_active=True, groups__name__in=Role.values)
        .order_by("groups__name", "pk")
        .distinct("groups__name")
        .values_list("groups__name", "first_name", "last_name", "email")
    )
    first = {role: DemoLogin(str(Role(role).label), f"{a} {b}", email, PASSWORD) for role, a, b, email in rows}
    return [first[role] for role in Role.values if role in first]


def brand_logins(brand: Brand) -> list[DemoLogin]:
    """Two clients and two partners of a brand that have a known password; first those that the demo prints."""
    if not settings.DEMO:
        return []
    from crm.demo import PASSWORD

    found = []
    for kind in (UserKind.CLIENT, UserKind.PARTNER):
        rows = User.objects.filter(kind=kind, brand=brand, is_active=True).exclude(password__startswith="!")  # noqa: S106
        for user in rows.order_by(F("preferences__demo_login").desc(nulls_last=True), "pk")[:2]:
            found.append(DemoLogin(str(kind.label), user.get_full_name(), user.email, PASSWORD))
    return found


def current_code(user: User) -> str:
    """The six digits that the demo's authenticator app would show now; empty for secrets of real people."""
    if not settings.DEMO:
        return ""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
    from allauth.mfa.utils import decrypt

    from crm.demo import TOTP_SECRET

    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if row is None or decrypt(row.data["secret"]) != TOTP_SECRET:
        return ""
    counters = list(yield_hotp_counters_from_time())
    return format_hotp_value(hotp_value(TOTP_SECRET, counters[len(counters) // 2]))
