"""The demo brokerage: a seeded generator in parts, one per app, each through set-based writes that hold all invariants.

`manage.py load_demo` makes the context below and calls `<app>.demo.load(demo)` in the order of ORDER. The same seed and
day give the same brokerage.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from guardian.models import UserObjectPermission

from crm.accounts import demo_mode
from crm.accounts.demo_mode import PASSWORD, TOTP_SECRET
from crm.audit_codes import CrmAction
from crm.choices import Role, UserKind
from crm.files import svg
from crm.models import Book, Brand, Desk, FxRate, LegalEntity, TextProposal, User
from crm.money.bank_days import is_bank_day
from crm.rates import fx
from crm.security import audit
from crm.staff.brand_look import Drawing, change_look
from crm.staff.policy_changes import known, write_value
from crm.texts.publishing import write_version
from crm.texts.risk_warning import RISK_WARNING

ORDER = [
    "clients",
    "leads",
    "kyc",
    "compliance",
    "trading",
    "wallet",
    "ib",
    "prop",
    "support",
    "monitoring",
    "risk",
    "portal",
    "reports",
]
DAYS = 92

Progress = Callable[[str, int, int], None]


@dataclass
class Demo:
    """What the parts share. `rng` is seeded; `now` is the instant the demo tells as today; ids stay in memory."""

    rng: random.Random
    now: dt.datetime
    progress: Progress
    scale: float = 1.0
    brands: list[Brand] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)
    agents: list[User] = field(default_factory=list)
    heads: list[User] = field(default_factory=list)
    by_role: dict[str, list[User]] = field(default_factory=dict)
    books: dict[int, Book] = field(default_factory=dict)  # by owner id
    pools: dict[int, Book] = field(default_factory=dict)  # by desk id
    outlier: User | None = None  # the agent who opened 150 records in one afternoon
    extra: dict[str, Any] = field(default_factory=dict)  # what one part leaves for the parts above it

    @property
    def since(self) -> dt.datetime:
        return self.now - dt.timedelta(days=DAYS)

    def count(self, full: int) -> int:
        """Scale a size of the full demo down for tests; at least one."""
        return max(1, round(full * self.scale))


LOOKS = Path(__file__).parent / "looks"
BRANDS: list[dict[str, Any]] = [
    {
        "code": "meridian",
        "name": "Meridian Markets",
        "legal_name": "Meridian Markets (Cyprus) Ltd",
        "jurisdiction": "CY",
        "licence_number": "000/00",
        "base_currency": "EUR",
        "languages": ["en", "de", "es"],
        "default_language": "en-gb",
        "time_zone": "Europe/Nicosia",
        "support_email": "support@meridian.example",
        "colour": "#1d4ed8",
        "accent_colour": "#0f766e",
        "loss_percentage": 74,
    },
    {
        "code": "southern",
        "name": "Southern Cross FX",
        "legal_name": "Southern Cross FX Pty Ltd",
        "jurisdiction": "AU",
        "licence_number": "AFSL 000000",
        "base_currency": "USD",
        "languages": ["en"],
        "default_language": "en-gb",
        "time_zone": "Australia/Sydney",
        "support_email": "support@southern.example",
        "colour": "#0e7490",
        "accent_colour": "#b45309",
    },
]
OWN_RISK_WARNINGS = {
    "southern": {
        "en": "Trading margin FX and CFDs carries a high level of risk and may not be suitable for all investors.",
        "de": "Der Handel mit FX und CFDs auf Margin ist mit hohem Risiko verbunden und nicht für alle Anleger geeignet.",
    }
}
DESKS = [
    ("meridian", "DACH desk", ["de", "en"], ["DE", "AT", "CH"], "Europe/Berlin", 15),
    ("meridian", "Iberia desk", ["es", "en"], ["ES", "PT", "IT", "FR"], "Europe/Madrid", 13),
    ("southern", "APAC desk", ["en"], ["AU", "NZ", "SG", "MY"], "Australia/Sydney", 12),
]
AGENT_NAMES = {
    "DACH desk": [
        "Anna Schmidt",
        "Jonas Becker",
        "Lena Hoffmann",
        "Felix Wagner",
        "Mia Schulz",
        "Paul Richter",
        "Laura Klein",
        "Max Wolf",
        "Sophie Neumann",
        "Tim Braun",
        "Julia Zimmermann",
        "David Krüger",
        "Nina Hartmann",
        "Erik Lange",
        "Clara Werner",
    ],
    "Iberia desk": [
        "Lucía García",
        "Mateo Fernández",
        "Sofía Martín",
        "Hugo Ruiz",
        "Paula Díaz",
        "Daniel Moreno",
        "Carla Ortega",
        "Javier Romero",
        "Inês Costa",
        "Marco Ricci",
        "Elena Vidal",
        "Pablo Castro",
        "Nora Iglesias",
    ],
    "APAC desk": [
        "Olivia Harris",
        "Jack Nguyen",
        "Chloe Campbell",
        "Liam Kelly",
        "Grace Tan",
        "Noah Singh",
        "Ruby Walker",
        "Ethan Chen",
        "Zoe Mitchell",
        "Lucas Wong",
        "Amelia Reid",
        "Oscar Bennett",
    ],
}
WHOLE_BRAND_ROLES = [
    (Role.KYC_OFFICER, "kyc", "Katharina Vogel"),
    (Role.MLRO, "mlro", "Martin Lindqvist"),
    (Role.FINANCE, "finance", "Frida Olsen"),
    (Role.FINANCE, "finance2", "George Petrou"),
    (Role.IB_MANAGER, "ib", "Isabel Moreau"),
    (Role.SUPPORT, "support", "Samuel Price"),
    (Role.MARKETING, "marketing", "Maya Rossi"),
    (Role.AUDITOR, "auditor", "Arthur Quinn"),
    (Role.ADMINISTRATOR, "admin", "Ada Keeler"),
    (Role.ADMINISTRATOR, "admin2", "Boris Novak"),
]


def load_rates(*, since: dt.date, until: dt.date) -> None:
    """Load the ECB's shipped history, and repeat its last day for every bank day until today: a demo is of today.

    Stablecoins have a price of their own. From tomorrow on rates come from the sandbox's feed.
    """
    fx.load_bundled_rates(since=since)
    newest = FxRate.objects.exclude(currency__in=fx.CRYPTO).order_by("-on").first()
    if newest is None:
        return
    now, last = timezone.now(), list(FxRate.objects.filter(on=newest.on).exclude(currency__in=fx.CRYPTO))
    days = [newest.on + dt.timedelta(days=number) for number in range(1, (until - newest.on).days + 1)]
    rows = [
        FxRate(on=day, currency=row.currency, rate=row.rate, source="Demo", loaded_at=now)
        for day in days
        if is_bank_day(day)
        for row in last
    ]
    FxRate.objects.bulk_create(rows, ignore_conflicts=True)
    dollars = FxRate.objects.filter(currency="USD", on__gte=since).values_list("on", "rate")
    coins = [
        FxRate(on=on, currency=coin, rate=rate * Decimal("1.0004"), source="Demo", loaded_at=now)
        for on, rate in dollars
        for coin in ("USDT", "USDC")
    ]
    FxRate.objects.bulk_create(coins, ignore_conflicts=True)


@transaction.atomic
def _brand(demo: Demo, fields: dict[str, Any]) -> Brand:
    entity = LegalEntity.objects.create(
        name=fields["legal_name"], jurisdiction=fields["jurisdiction"], licence_number=fields["licence_number"]
    )
    brand = Brand.objects.create(legal_entity=entity, **fields)
    for key, minor in (("withdrawal_four_eyes_minor", 10_000), ("withdrawal_auto_approve_minor", 5_000)):
        write_value(brand, known(key), minor, demo.since.date(), actor=None, reason="Agreed with finance before launch")
    for language, body in OWN_RISK_WARNINGS.get(brand.code, {}).items():
        own = TextProposal(key=RISK_WARNING.key, language=language, body=body, reason="As published on our website")
        write_version(brand, own, actor=None, approved_by=None)
    return brand


def load_house(demo: Demo) -> None:
    """Brands, desks, everyone who works there, their roles, grants, books and second factor."""
    demo.progress("Brands, desks and staff", 0, 1)
    load_rates(since=(demo.since - dt.timedelta(days=40)).date(), until=demo.now.date())
    demo.brands = [_brand(demo, fields) for fields in BRANDS]
    by_code = {brand.code: brand for brand in demo.brands}
    staff = _Staff(demo)
    for brand_code, name, languages, countries, zone, agents in DESKS:
        brand = by_code[brand_code]
        desk = Desk.objects.create(brand=brand, name=name, languages=languages, countries=countries, time_zone=zone)
        demo.desks.append(desk)
        demo.pools[desk.pk] = Book.objects.create(brand=brand, desk=desk, name=f"{name} pool", is_pool=True)
        head_email = f"head.{name.split()[0].lower()}@{brand_code}.example"
        demo.heads.append(staff.add(head_email, f"Helen {name.split()[0]}", Role.DESK_HEAD, brand, desk, reach=desk))
        for number, full_name in enumerate(AGENT_NAMES[name][: max(3, demo.count(agents))]):
            _add_agent(demo, staff, number, full_name, brand, desk)
    for role, login, full_name in WHOLE_BRAND_ROLES:
        user = staff.add(f"{login}@keelson.example", full_name, role, demo.brands[0], None, reach=demo.brands[0])
        staff.reach(user, demo.brands[1])
    staff.grant_all()
    for brand in demo.brands:
        _dress(brand)
    demo.outlier = next(user for user in demo.agents if user.email.startswith("erik.lange") or user is demo.agents[-1])
    audit.record(actor=None, action=CrmAction.DEMO_LOADED, target=demo.brands[0], after={"staff": User.objects.count()})
    demo.progress("Brands, desks and staff", 1, 1)


def _dress(brand: Brand) -> None:
    """Give a brand its logo and picture, so that the two differ at a glance."""
    drawings = [
        Drawing(*svg.rebuilt((LOOKS / f"{brand.code}-{name}.svg").read_bytes())) for name in ("logo", "picture")
    ]
    change_look(
        brand_id=brand.pk,
        actor=None,
        colour=brand.colour,
        accent_colour=brand.accent_colour,
        logo=drawings[0],
        picture=drawings[1],
    )
    brand.refresh_from_db()


def _add_agent(demo: Demo, staff: _Staff, number: int, full_name: str, brand: Brand, desk: Desk) -> None:
    role = Role.RETENTION if number % 4 == 3 else Role.AGENT
    email = f"{_ascii(full_name)}@{brand.code}.example"
    languages = desk.languages if number % 3 else [desk.languages[0]]
    user = staff.add(email, full_name, role, brand, desk, languages=languages)
    book = Book.objects.create(brand=brand, desk=desk, name=f"{full_name}'s book", owner=user)
    staff.reach(user, book)
    demo.books[user.pk] = book
    demo.agents.append(user)


def _ascii(name: str) -> str:
    from anyascii import anyascii

    return anyascii(name).lower().replace(" ", ".").replace("'", "")


class _Staff:
    """Creates staff in one go: one password hash, grants and second factors written in bulk."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.password = make_password(PASSWORD)
        self.grants: list[tuple[User, Any]] = []
        self.groups = {group.name: group for group in Group.objects.all()}

    def add(
        self,
        email: str,
        full_name: str,
        role: Role,
        brand: Brand,
        desk: Desk | None,
        *,
        reach: Any = None,
        **fields: Any,
    ) -> User:
        first_name, _space, last_name = full_name.partition(" ")
        user = User.objects.create(
            username=email,
            email=email,
            password=self.password,
            kind=UserKind.STAFF,
            brand=brand,
            desk=desk,
            first_name=first_name,
            last_name=last_name,
            time_zone=desk.time_zone if desk else brand.time_zone,
            **fields,
        )
        user.groups.add(self.groups[role.value])
        self.demo.by_role.setdefault(role.value, []).append(user)
        if reach is not None:
            self.reach(user, reach)
        return user

    def reach(self, user: User, thing: Any) -> None:
        self.grants.append((user, thing))

    def grant_all(self) -> None:
        from allauth.mfa.models import Authenticator
        from allauth.mfa.utils import encrypt
        from django.contrib.auth.models import Permission

        types = {model: ContentType.objects.get_for_model(model) for model in (Brand, Desk, Book)}
        permissions = {
            model: Permission.objects.get(content_type=types[model], codename=f"access_{model._meta.model_name}")
            for model in types
        }
        UserObjectPermission.objects.bulk_create(
            [
                UserObjectPermission(
                    user=user,
                    permission=permissions[type(thing)],
                    content_type=types[type(thing)],
                    object_pk=str(thing.pk),
                )
                for user, thing in self.grants
            ]
        )
        users = {user.pk: user for user, _thing in self.grants}
        Authenticator.objects.bulk_create(
            [
                Authenticator(user=user, type=Authenticator.Type.TOTP, data={"secret": encrypt(TOTP_SECRET)})
                for user in users.values()
            ]
        )
        audit.record_many(
            [
                {
                    "actor": None,
                    "action": CrmAction.ACCESS_GRANTED,
                    "target": user,
                    "after": {f"access_{thing._meta.model_name}": thing.pk, "name": str(thing)},
                }
                for user, thing in self.grants
            ]
        )


def load(demo: Demo) -> list[tuple[str, float]]:
    """Load every part; returns each part's name and seconds. Raises when the database already has a brand."""
    import time
    from importlib import import_module
    from importlib.util import find_spec

    from crm.errors import WrongState

    if Brand.objects.exists():
        raise WrongState("This database already has brands; the demo is loaded into an empty one only.")
    timings = []
    for name, part in [("crm", load_house), *[(app, None) for app in ORDER]]:
        started = time.monotonic()
        if part is None:
            if not find_spec(f"{name}.demo"):
                continue
            part = import_module(f"{name}.demo").load
        part(demo)
        timings.append((name, time.monotonic() - started))
    for app in ORDER:
        # What a part can tell only once the others are there, e.g. when a client really paid in for the first time.
        finish = getattr(import_module(f"{app}.demo"), "finish", None) if find_spec(f"{app}.demo") else None
        if finish is not None:
            started = time.monotonic()
            finish(demo)
            timings.append((f"{app}, last", time.monotonic() - started))
    return timings


@dataclass(frozen=True)
class Login:
    """A login that the demo offers: who, where to sign in, and as whom."""

    label: str
    name: str
    username: str
    path: str


def logins() -> list[Login]:
    """One login per role (two where four eyes are needed), a client with money, and a partner.

    Read from the database, so a restart shows them again.
    """
    rows = [
        Login(label, str(user), user.username, "/accounts/login/") for label, user in demo_mode.staff_of_each_role()
    ]
    for kind in (UserKind.CLIENT, UserKind.PARTNER):
        people = User.objects.filter(kind=kind, is_active=True, preferences__demo_login=True).select_related("brand")
        for user in people.order_by("pk")[:2]:
            assert user.brand is not None
            rows.append(Login(f"{kind.label} of {user.brand}", str(user), user.email, f"/b/{user.brand.code}/login/"))
    return rows
