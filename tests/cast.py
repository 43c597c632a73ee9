"""The fixed cast of every test: two brands, two desks, one person per role, two clients and a stranger.

Import what a test needs as fixtures: conftest exports them all. `make_cast` makes everybody at once in few statements.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.cached_db import SessionStore
from django.http import HttpRequest
from django.test import Client as Browser
from guardian.models import UserObjectPermission
from guardian.shortcuts import assign_perm

from clients.models import Client
from crm.accounts import username_for
from crm.choices import Role, UserKind
from crm.models import Book, Brand, Desk, User

PASSWORD = "correct horse battery"


@dataclass
class Cast:
    """Everyone. `agent` owns `book` at the German desk; `other_agent` owns `other_book` at the Spanish desk."""

    brand: Brand
    other_brand: Brand
    desk: Desk
    other_desk: Desk
    book: Book
    other_book: Book
    pool: Book
    agent: User
    other_agent: User
    retention: User
    desk_head: User
    kyc_officer: User
    mlro: User
    finance: User
    second_finance: User
    ib_manager: User
    support: User
    marketing: User
    auditor: User
    administrator: User
    client: Client
    other_client: Client
    client_user: User
    other_client_user: User

    def staff(self) -> dict[str, User]:
        return {role.value: getattr(self, role.value) for role in Role}


def make_staff(
    email: str, role: Role, *, brand: Brand, desk: Desk | None = None, reaches: Any = None, **fields: Any
) -> User:
    """A member of staff with a role; `reaches` is the brand, desk or book they are granted (default: the whole brand)."""
    first, _at, _host = email.partition("@")
    user = User.objects.create_user(
        username=email,
        email=email,
        password=PASSWORD,
        kind=UserKind.STAFF,
        brand=brand,
        desk=desk,
        first_name=first.title(),
        last_name="Tester",
        **fields,
    )
    user.groups.add(Group.objects.get(name=role.value))
    thing = brand if reaches is None else reaches
    assign_perm(f"crm.access_{thing._meta.model_name}", user, thing)
    return user


def make_client(*, brand: Brand, book: Book, email: str, login: bool = True, **fields: Any) -> Client:
    """A registered client with a portal login, or with `login=False` a lead."""
    now = dt.datetime.now(dt.UTC)
    user = None
    if login:
        user = User.objects.create_user(
            username=username_for(brand=brand, email=email),
            email=email,
            password=PASSWORD,
            kind=UserKind.CLIENT,
            brand=brand,
            first_name=fields.get("first_name", ""),
            last_name=fields.get("last_name", ""),
        )
        fields = {"stage": "registered", "registered_at": now, **fields}
    client = Client(brand=brand, book=book, owner=book.owner, user=user, email=email, created_at=now, **fields)
    client.save()
    return client


@dataclass
class _Hire:
    """One person of the staff, and what they are granted (None: their brand)."""

    name: str
    email: str
    role: Role
    desk: Desk | None = None
    reaches: Any = None
    languages: list[str] = field(default_factory=list)


def _hire(brand: Brand, hires: list[_Hire]) -> dict[str, User]:
    """The same as `make_staff` for each, in a handful of statements for all: most tests begin with these people."""
    password = make_password(PASSWORD)
    people = [
        User(
            username=hire.email,
            email=hire.email,
            password=password,
            kind=UserKind.STAFF,
            brand=brand,
            desk=hire.desk,
            first_name=hire.email.partition("@")[0].title(),
            last_name="Tester",
            languages=hire.languages,
        )
        for hire in hires
    ]
    User.objects.bulk_create(people)
    User.history.bulk_history_create(people)
    groups = dict(Group.objects.values_list("name", "pk"))
    User.groups.through.objects.bulk_create(
        User.groups.through(user=person, group_id=groups[hire.role.value])
        for person, hire in zip(people, hires, strict=True)
    )
    things = [hire.reaches or brand for hire in hires]
    kinds = {type(thing): ContentType.objects.get_for_model(thing) for thing in things}
    wanted = [f"access_{kind.model}" for kind in kinds.values()]
    grants = dict(Permission.objects.filter(codename__in=wanted).values_list("content_type", "pk"))
    UserObjectPermission.objects.bulk_create(
        UserObjectPermission(
            user=person,
            object_pk=str(thing.pk),
            content_type=kinds[type(thing)],
            permission_id=grants[kinds[type(thing)].pk],
        )
        for person, thing in zip(people, things, strict=True)
    )
    return {hire.name: person for hire, person in zip(hires, people, strict=True)}


def _bulk(*rows: Any) -> None:
    """Rows of one table and their first versions."""
    model = type(rows[0])
    model.objects.bulk_create(rows)
    model.history.bulk_history_create(rows)


def make_cast() -> Cast:
    brand = Brand(
        code="meridian",
        name="Meridian Markets",
        legal_name="Meridian Markets (Cyprus) Ltd",
        jurisdiction="CY",
        licence_number="000/00",
        base_currency="EUR",
        languages=["en", "de"],
        support_email="help@meridian.example",
    )
    other_brand = Brand(
        code="southern",
        name="Southern Cross FX",
        legal_name="Southern Cross FX Pty Ltd",
        jurisdiction="AU",
        base_currency="USD",
        languages=["en"],
        support_email="help@southern.example",
    )
    _bulk(brand, other_brand)
    desk = Desk(brand=brand, name="German desk", languages=["de"], countries=["DE", "AT", "CH"])
    other_desk = Desk(brand=brand, name="Spanish desk", languages=["es"], countries=["ES"])
    _bulk(desk, other_desk)
    pool = Book(brand=brand, desk=desk, name="German pool", is_pool=True)
    book = Book(brand=brand, desk=desk, name="Alice's book")
    other_book = Book(brand=brand, desk=other_desk, name="Bruno's book")
    _bulk(pool, book, other_book)
    staff = _hire(
        brand,
        [
            _Hire("agent", "alice@meridian.example", Role.AGENT, desk, book, ["de", "en"]),
            _Hire("other_agent", "bruno@meridian.example", Role.AGENT, other_desk, other_book, ["es"]),
            *(
                _Hire(role.value, f"{role.value}@meridian.example", role)
                for role in Role
                if role not in (Role.AGENT, Role.DESK_HEAD, Role.RETENTION)
            ),
            _Hire("retention", "rita@meridian.example", Role.RETENTION, desk, book),
            _Hire("desk_head", "dora@meridian.example", Role.DESK_HEAD, desk, desk),
            _Hire("second_finance", "frank@meridian.example", Role.FINANCE),
        ],
    )
    book.owner, other_book.owner = staff["agent"], staff["other_agent"]
    Book.objects.bulk_update([book, other_book], ["owner"])
    client = make_client(
        brand=brand,
        book=book,
        email="clara@example.com",
        first_name="Clara",
        last_name="Weber",
        country="DE",
        language="de",
        phone="+4915112345678",
    )
    other_client = make_client(
        brand=brand,
        book=other_book,
        email="oscar@example.com",
        first_name="Óscar",
        last_name="Núñez",
        country="ES",
        language="es",
        phone="+34612345678",
    )
    assert client.user is not None and other_client.user is not None
    return Cast(
        brand=brand,
        other_brand=other_brand,
        desk=desk,
        other_desk=other_desk,
        book=book,
        other_book=other_book,
        pool=pool,
        client=client,
        other_client=other_client,
        client_user=client.user,
        other_client_user=other_client.user,
        **staff,
    )


def signed_in(user: User) -> Browser:
    """A test browser of a person who signed in and, for staff and partners, passed the second factor."""
    browser, request = Browser(), HttpRequest()
    # As `force_login` does, which stores the session four times.
    request.session = SessionStore()
    if not user.is_client:
        request.session["second_factor_of"] = user.pk
    login(request, user, backend="crm.accounts.backends.SignInBackend")
    request.session.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key
    return browser


@pytest.fixture
def browse():
    """`browse(user)` gives that person's signed-in test browser; `browse(None)` a stranger's."""
    return lambda user: signed_in(user) if user else Browser()
