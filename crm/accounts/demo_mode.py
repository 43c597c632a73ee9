"""Demo installations list one login per role and show the current code. Every function is empty unless settings.DEMO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from crm.choices import Role, UserKind
from crm.models import Brand, User


@dataclass(frozen=True)
class DemoLogin:
    label: str
    name: str
    email: str
    password: str


PASSWORD = "keelson-demo-2026"  # noqa: S105 — printed by `make demo`; production has no demo
TOTP_SECRET = "KEELSONDEMO22222"  # noqa: S105 — the demo's second factor, shown on its sign-in page

# What one of them starts the other one has to approve: a visitor needs both.
FOUR_EYES: Final = (Role.FINANCE, Role.ADMINISTRATOR)


def staff_of_each_role() -> list[tuple[str, User]]:
    """(label, person): the first login of each role in the roles' order, and a second one where four eyes are needed."""
    found = []
    for role in Role:
        people = User.objects.filter(kind=UserKind.STAFF, is_active=True, groups__name=role.value).order_by("pk")
        for number, user in enumerate(people[: 2 if role in FOUR_EYES else 1]):
            found.append((_("%(role)s (second user)") % {"role": role.label} if number else str(role.label), user))
    return found


def staff_logins() -> list[DemoLogin]:
    """List the logins that the sign-in page of a demo shows, one per role; none outside a demo."""
    if not settings.DEMO:
        return []
    return [DemoLogin(label, user.get_full_name(), user.email, PASSWORD) for label, user in staff_of_each_role()]


def brand_logins(brand: Brand) -> list[DemoLogin]:
    """Two clients and two partners of a brand that have a known password; first those that the demo prints."""
    if not settings.DEMO:
        return []
    found = []
    for kind in (UserKind.CLIENT, UserKind.PARTNER):
        rows = User.objects.filter(kind=kind, brand=brand, is_active=True).exclude(password__startswith="!")  # noqa: S106
        for user in rows.order_by(F("preferences__demo_login").desc(nulls_last=True), "pk")[:2]:
            found.append(DemoLogin(str(kind.label), user.get_full_name(), user.email, PASSWORD))
    return found


def current_code(user: User) -> str:
    """Compute the six digits that the demo's authenticator app would show now; "" for secrets of real people."""
    if not settings.DEMO:
        return ""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
    from allauth.mfa.utils import decrypt

    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if row is None or decrypt(row.data["secret"]) != TOTP_SECRET:
        return ""
    counters = list(yield_hotp_counters_from_time())
    code: str = format_hotp_value(hotp_value(TOTP_SECRET, counters[len(counters) // 2]))
    return code
