"""The fixed cast of every test: two brands, two desks, one person per role, two clients and a stranger.

Import what a test needs as fixtures: conftest exports them all. `cast` makes everybody at once in few statements.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client as Browser
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
        username=email, email=email, password=PASSWORD, kind=UserKind.STAFF, brand=brand, desk=desk,
        first_name=first.title(), last_name="Tester", **fields,
    )  # fmt: skip
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
            username=username_for(brand=brand, email=email), email=email, password=PASSWORD, kind=UserKind.CLIENT,
            brand=brand, first_name=fields.get("first_name", ""), last_name=fields.get("last_name", ""),
        )  # fmt: skip
        fields = {"stage": "registered", "registered_at": now, **fields}
    client = Client(brand=brand, book=book, owner=book.owner, user=user, email=email, created_at=now, **fields)
    client.save()
    return client


@pytest.fixture
def cast(db: None) -> Cast:
    brand = Brand.objects.create(
        code="meridian", name="Meridian Markets", legal_name="Meridian Markets (Cyprus) Ltd", jurisdiction="CY",
        licence_number="000/00", base_currency="EUR", languages=["en", "de"], support_email="help@meridian.example",
    )  # fmt: skip
    other_brand = Brand.objects.create(
        code="southern", name="Southern Cross FX", legal_name="Southern Cross FX Pty Ltd", jurisdiction="AU",
        base_currency="USD", languages=["en"], support_email="help@southern.example",
    )  # fmt: skip
    desk = Desk.objects.create(brand=brand, name="German desk", languages=["de"], countries=["DE", "AT", "CH"])
    other_desk = Desk.objects.create(brand=brand, name="Spanish desk", languages=["es"], countries=["ES"])
    pool = Book.objects.create(brand=brand, desk=desk, name="German pool", is_pool=True)
    book = Book.objects.create(brand=brand, desk=desk, name="Alice's book")
    other_book = Book.objects.create(brand=brand, desk=other_desk, name="Bruno's book")
    agent = make_staff(
        "alice@meridian.example", Role.AGENT, brand=brand, desk=desk, reaches=book, languages=["de", "en"]
    )
    other_agent = make_staff(
        "bruno@meridian.example", Role.AGENT, brand=brand, desk=other_desk, reaches=other_book, languages=["es"]
    )
    Book.objects.filter(pk=book.pk).update(owner=agent)
    Book.objects.filter(pk=other_book.pk).update(owner=other_agent)
    book.owner, other_book.owner = agent, other_agent
    whole = {
        role.value: make_staff(f"{role.value}@meridian.example", role, brand=brand)
        for role in Role
        if role not in (Role.AGENT, Role.DESK_HEAD, Role.RETENTION)
    }
    client = make_client(
        brand=brand, book=book, email="clara@example.com", first_name="Clara", last_name="Weber", country="DE",
        language="de", phone="+4915112345678",
    )  # fmt: skip
    other_client = make_client(
        brand=brand, book=other_book, email="oscar@example.com", first_name="Óscar", last_name="Núñez", country="ES",
        language="es", phone="+34612345678",
    )  # fmt: skip
    assert client.user is not None and other_client.user is not None
    return Cast(
        brand=brand, other_brand=other_brand, desk=desk, other_desk=other_desk, book=book, other_book=other_book, pool=pool,
        agent=agent, other_agent=other_agent,
        retention=make_staff("rita@meridian.example", Role.RETENTION, brand=brand, desk=desk, reaches=book),
        desk_head=make_staff("dora@meridian.example", Role.DESK_HEAD, brand=brand, desk=desk, reaches=desk),
        second_finance=make_staff("frank@meridian.example", Role.FINANCE, brand=brand),
        client=client, other_client=other_client, client_user=client.user, other_client_user=other_client.user, **whole,
    )  # fmt: skip


def signed_in(user: User) -> Browser:
    """A test browser of a person who signed in and, for staff, passed the second factor."""
    browser = Browser()
    browser.force_login(user, backend="crm.accounts.backends.SignInBackend")
    if user.is_team:
        session = browser.session
        session["second_factor_of"] = user.pk
        session.save()
    return browser


@pytest.fixture
def browse():
    """`browse(user)` gives that person's signed-in test browser; `browse(None)` a stranger's."""
    return lambda user: signed_in(user) if user else Browser()
