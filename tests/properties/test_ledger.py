"""Properties of the ledger, for any journals: sums are zero, a bad one is refused, and a slow, obvious model agrees."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm.errors import DomainError, IdempotencyConflict, WrongState
from crm.models import Brand
from tests.cast import make_client
from tests.wallet.factories import raw
from wallet.choices.ledger import AccountKind, JournalKind, Phase
from wallet.ledger import posting, seals
from wallet.ledger.posting import Entry, InsufficientFunds, InvalidJournal, Line
from wallet.ledger.verification import verify
from wallet.models import Journal

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
AMOUNT = st.integers(-(10**12), 10**12).filter(bool)


def world() -> dict:
    from crm.models import Book

    brand = Brand.objects.create(
        code="prop", name="Prop", legal_name="Prop Ltd", jurisdiction="CY", support_email="help@prop.example"
    )
    book = Book.objects.create(brand=brand, name="Book")
    client = make_client(brand=brand, book=book, email="p@example.com", login=False)
    accounts = []
    for currency in ("EUR", "JPY"):
        accounts += [
            posting.wallet_of(client, currency),
            *(
                posting.house(kind, brand_id=brand.pk, currency=currency)
                for kind in (AccountKind.FEES, AccountKind.SUSPENSE)
            ),
        ]
    return {"brand": brand, "accounts": accounts}


def tried(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """The result, or the domain error; whatever failed is undone."""
    try:
        with transaction.atomic():
            return work(*arguments, **named)
    except DomainError as error:
        return error


class AnyJournal(TestCase):
    @QUICK
    @given(st.lists(st.tuples(st.integers(0, 5), AMOUNT), min_size=1, max_size=6))
    def test_a_journal_is_taken_exactly_when_it_sums_to_zero_per_currency_and_overdraws_nobody(self, lines):
        w = world()
        entry = Entry(
            key="any",
            kind=JournalKind.ADJUSTMENT,
            brand_id=w["brand"].pk,
            lines=tuple(Line(w["accounts"][place], amount) for place, amount in lines),
        )
        sums: dict[str, int] = defaultdict(int)
        running: dict[int, int] = defaultdict(int)
        overdrawn = False
        for place, amount in lines:
            account = w["accounts"][place]
            sums[account.currency] += amount
            running[account.pk] += amount
            overdrawn |= account.is_bounded and running[account.pk] < 0
        done = tried(posting.post, entry)
        if any(sums.values()):
            assert isinstance(done, InvalidJournal)
        elif overdrawn:
            assert isinstance(done, InsufficientFunds)
        else:
            assert done.is_new
            assert posting.balances(running) == running
        raw("SET CONSTRAINTS ALL IMMEDIATE")
        assert raw("SELECT 1 FROM wallet_posting GROUP BY journal_id, currency HAVING sum(amount_minor) <> 0") == []

    @QUICK
    @given(st.lists(st.tuples(st.integers(0, 5), AMOUNT), min_size=1, max_size=4))
    def test_the_database_itself_refuses_what_does_not_sum_to_zero(self, lines):
        """Raw INSERTs, past every check of Python and of the function."""
        w = world()
        sums: dict[str, int] = defaultdict(int)
        refused = False
        try:
            with transaction.atomic():
                raw("SELECT set_config('keelson.ledger', 'posting', true)")
                ((journal_id,),) = raw(
                    "INSERT INTO wallet_journal (brand_id, kind, phase, idempotency_key, request_hash, description, "
                    "posted_at, business_on, content_hash) "
                    "VALUES (%s, 'adjustment', 'posted', 'raw', '', '', now(), now(), '') RETURNING id",
                    w["brand"].pk,
                )
                for line, (place, amount) in enumerate(lines, start=1):
                    account = w["accounts"][place]
                    sums[account.currency] += amount
                    raw(
                        "INSERT INTO wallet_posting (journal_id, line, account_id, currency, layer, amount_minor, "
                        "posted_at) VALUES (%s, %s, %s, %s, 0, %s, now())",
                        journal_id,
                        line,
                        account.pk,
                        account.currency,
                        amount,
                    )
                raw("SET CONSTRAINTS ALL IMMEDIATE")
        except Exception as error:
            assert "does not sum to zero per currency" in str(error)
            refused = True
        assert refused == any(sums.values())


STEP = st.tuples(
    st.sampled_from(["pay_in", "pay_out", "reserve", "settle", "part", "release", "reverse", "again", "seal"]),
    st.integers(1, 1_000),
    st.integers(0, 7),
)


class Life:
    """One wallet, driven step by step, beside a slow and obvious model: numbers in dictionaries."""

    def __init__(self) -> None:
        w = world()
        self.brand, self.wallet, self.suspense = w["brand"], w["accounts"][0], w["accounts"][2]
        self.posted = 0
        self.held: dict[str, int] = {}
        self.reserved: dict[str, int] = {}
        self.journals: list[tuple[str, int]] = []

    @property
    def available(self) -> int:
        return self.posted - sum(self.held.values())

    def entry(self, key: str, amount: int) -> Entry:
        lines = (Line(self.suspense, -amount), Line(self.wallet, amount))
        return Entry(key=key, kind=JournalKind.ADJUSTMENT, brand_id=self.brand.pk, lines=lines)

    def pay_in(self, key: str, amount: int, _pick: int) -> None:
        assert tried(posting.post, self.entry(key, amount)).is_new
        self.posted += amount
        self.journals.append((key, amount))

    def pay_out(self, key: str, amount: int, _pick: int) -> None:
        done, affordable = tried(posting.post, self.entry(key, -amount)), amount <= self.available
        assert isinstance(done, posting.Posted if affordable else InsufficientFunds)
        if affordable:
            self.posted -= amount
            self.journals.append((key, -amount))

    def reserve(self, key: str, amount: int, _pick: int) -> None:
        done, affordable = tried(posting.reserve, self.entry(key, -amount)), amount <= self.available
        assert isinstance(done, posting.Posted if affordable else InsufficientFunds)
        if affordable:
            self.held[key] = self.reserved[key] = amount

    def settle(self, key: str, amount: int, pick: int) -> None:
        self._resolve(pick, posting.settle, key, None)

    def part(self, key: str, amount: int, pick: int) -> None:
        self._resolve(pick, posting.settle, key, amount)

    def release(self, key: str, amount: int, pick: int) -> None:
        self._resolve(pick, posting.release, key, 0)

    def _resolve(self, pick: int, act: Callable[..., Any], key: str, amount: int | None) -> None:
        if not self.reserved:
            return
        chosen = sorted(self.reserved)[pick % len(self.reserved)]
        whole = self.reserved[chosen]
        part = whole if amount is None else min(amount, whole)
        named = {"lines": (Line(self.wallet, -part), Line(self.suspense, part))} if amount else {}
        done = tried(act, key=key, reservation=Journal.objects.get(idempotency_key=chosen), **named)
        if chosen in self.held:
            assert isinstance(done, posting.Posted)
            del self.held[chosen]
            self.posted -= part
        else:
            assert isinstance(done, WrongState)

    def reverse(self, key: str, _amount: int, pick: int) -> None:
        if self.journals:
            source, moved = self.journals[pick % len(self.journals)]
            journal = Journal.objects.get(idempotency_key=source)
            if not isinstance(tried(posting.reverse, key=key, journal=journal, description=""), DomainError):
                self.posted -= moved
                assert self.available >= 0

    def again(self, _key: str, _amount: int, pick: int) -> None:
        if self.journals:
            source, moved = self.journals[pick % len(self.journals)]
            assert not tried(posting.post, self.entry(source, moved)).is_new
            assert isinstance(tried(posting.post, self.entry(source, moved + 1)), IdempotencyConflict)

    def seal(self, _key: str, _amount: int, _pick: int) -> None:
        seals.seal_pending()

    def agrees(self) -> bool:
        self.wallet.balance.refresh_from_db()
        balance = self.wallet.balance
        return (balance.posted_minor, balance.available_minor) == (self.posted, self.available)


class AnyLife(TestCase):
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(STEP, max_size=25))
    def test_any_life_of_a_wallet_agrees_with_the_obvious_model(self, steps):
        life = Life()
        for number, (what, amount, pick) in enumerate(steps):
            getattr(life, what)(f"step:{number}", amount, pick)
            assert life.agrees(), what
        assert verify().problems == []
        assert Journal.objects.filter(phase=Phase.PENDING, resolved_by__isnull=True).count() == len(life.held)


pytestmark = pytest.mark.django_db
