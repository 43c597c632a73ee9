"""For any condition and any client, SQL and Python agree: whom a search finds is exactly whom the check lets pass."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clients.facts import side_tables
from clients.models import Call, Client
from clients.vocabulary import CLIENT
from crm.conditions import FieldType, read
from crm.conditions.operators import BY_TYPE
from crm.errors import DomainError
from crm.models import Book, Brand, User
from kyc.models import KycFacts
from tests.examples import examples
from tests.kyc.categories.factories import categorise
from trading.models import TradingFacts
from wallet.models import WalletFacts

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
DAYS = [1, 2, 7, 30]
TEXTS = ["google", "Google", "goo", "meta", "ö%_"]
COUNTRIES = ["DE", "AT", "ES"]
SOME = {
    "country": COUNTRIES,
    "nationality": COUNTRIES,
    "stage": ["lead", "registered", "closed"],
    "sales_status": ["new", "callback", "no_answer"],
    "risk_rating": ["low", "high", "unrated"],
    "category": ["retail", "professional"],
    "restrictions": ["no_deposit", "no_withdrawal", "no_trading"],
}


def _instants() -> list[dt.datetime | None]:
    """Around every edge: to the microsecond, none at all, and the future."""
    edges = [NOW - dt.timedelta(days=days) for days in DAYS] + [NOW, dt.datetime(2026, 11, 20, tzinfo=dt.UTC)]
    step = dt.timedelta(microseconds=1)
    return [None, *(edge + shift for edge in edges for shift in (-step, step * 0, step))]


def _people(count: int = 30) -> None:
    rng = random.Random(20)
    brand = Brand.objects.create(
        code="prop", name="Prop", legal_name="Prop Ltd", jurisdiction="CY", support_email="help@prop.example"
    )
    book = Book.objects.create(brand=brand, name="Book")
    agent = User.objects.create(username="a@prop.example", email="a@prop.example", brand=brand)
    instants = _instants()
    rows = [
        Client(
            brand=brand,
            book=book,
            email=f"c{n}@prop.example",
            stage=rng.choice(["lead", "registered", "closed"]),
            registered_at=NOW,
            sales_status=rng.choice(SOME["sales_status"]),
            country=rng.choice(["", *COUNTRIES]),
            nationality=rng.choice(["", *COUNTRIES]),
            risk_rating=rng.choice(SOME["risk_rating"]),
            category=rng.choice(SOME["category"]),
            source=rng.choice(["", *TEXTS]),
            city=rng.choice(["", *TEXTS]),
            score=rng.choice([0, 1, 49, 50, 51]),
            kyc_level=rng.choice([0, 1, 2]),
            marketing_consent=rng.random() < 0.5,
            restrictions=rng.sample(SOME["restrictions"], rng.choice([0, 1, 2])),
            net_deposits=rng.choice([Decimal("-0.01"), Decimal(0), Decimal("49.99"), Decimal(50)]),
            last_trade_at=rng.choice(instants),
            first_deposit_at=rng.choice(instants),
            created_at=NOW,
        )
        for n in range(count)
    ]
    Client.objects.bulk_create(rows)
    for row in rows:
        if row.category != "retail":
            categorise(row.pk, row.category)
    _facts_beside(rng, list(Client.objects.filter(brand=brand)))
    calls = [
        Call(client_id=row.pk, agent=agent, direction="out", outcome="reached", started_at=at)
        for row in Client.objects.filter(brand=brand)
        if (at := rng.choice(instants)) is not None
    ]
    Call.objects.bulk_create(calls)


def _facts_beside(rng: random.Random, clients: list[Client]) -> None:
    """Give some clients rows in the side tables: each value may be the default, empty, or there is no row at all."""
    numbers = [0, 1, 50, 51]
    amounts = [Decimal(0), Decimal("-0.01"), Decimal("49.99"), Decimal(50)]
    instants = _instants()
    some = lambda: rng.sample(clients, len(clients) * 2 // 3)  # noqa: E731
    WalletFacts.objects.bulk_create(
        WalletFacts(
            client=client,
            deposits_count=rng.choice(numbers),
            last_deposit_at=rng.choice(instants),
            last_withdrawal_at=rng.choice(instants),
        )
        for client in some()
    )
    TradingFacts.objects.bulk_create(
        TradingFacts(
            client=client,
            equity=rng.choice(amounts),
            trades_closed=rng.choice(numbers),
            lots_closed=rng.choice(amounts),
        )
        for client in some()
    )
    KycFacts.objects.bulk_create(KycFacts(client=client, last_document_at=rng.choice(instants)) for client in some())


@st.composite
def comparisons(draw):
    field = draw(st.sampled_from(CLIENT.fields))
    operator = draw(st.sampled_from(BY_TYPE[field.type]))
    part = {"field": field.name, "is": operator.code}
    if operator.widget == "entries":
        return {**part, "value": draw(st.lists(st.sampled_from(SOME.get(field.name, TEXTS)), min_size=1, max_size=3))}
    values = {
        "number": st.sampled_from([0, 1, 50, "49.99", "-0.01", "50.00"]),
        "days": st.sampled_from(DAYS),
        "day": st.just("2026-11-20"),
        "text": st.sampled_from(TEXTS),
    }
    return {**part, "value": draw(values[operator.widget])} if operator.widget else part


happenings = st.builds(lambda days: {"happened": "call", "within_days": days}, st.sampled_from(DAYS))
expressions = st.recursive(
    st.one_of(comparisons(), happenings),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=4)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, max_size=4)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=8,
)


class BothWays(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        _people()
        cls.clients = list(Client.objects.select_related(*side_tables()))

    @settings(
        max_examples=examples(60),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(expressions)
    def test_whom_sql_finds_is_whom_python_lets_pass(self, part):
        try:
            condition = read({"version": 1, "all": [part]}, CLIENT)
        except DomainError:  # a contradiction, or nested too deeply
            return
        with CaptureQueriesContext(connection) as captured:
            found = set(Client.objects.filter(condition.q(NOW)).values_list("pk", flat=True))
        assert len(captured) <= 1
        assert found == {client.pk for client in self.clients if condition.holds(client, NOW)}
        opposite = read({"version": 1, "not": condition.stored()["all"][0]}, CLIENT)
        assert {client.pk for client in self.clients} - found == set(
            Client.objects.filter(opposite.q(NOW)).values_list("pk", flat=True)
        )
        assert condition.sentence()


@pytest.mark.parametrize("type_", list(FieldType))
def test_every_type_has_comparisons(type_):
    assert BY_TYPE[type_]
