"""Many writers at the same time: real threads, real connections, committed transactions."""

import datetime as dt

import pytest
from django.db import transaction

from crm.errors import IdempotencyConflict
from tests.wallet.factories import at_once, available, fund, house
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.ledger.posting import Entry, InsufficientFunds, Line
from wallet.models import Journal, Posting

pytestmark = pytest.mark.django_db(transaction=True)


def post(cast, key: str, *lines: Line) -> posting.Posted:
    with transaction.atomic():
        return posting.post(Entry(key=key, kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines))


def test_posting_outside_a_transaction_is_refused(cast):
    wallet, suspense = posting.wallet_of(cast.client, "EUR"), house(cast.brand)
    lines = (Line(suspense, -1), Line(wallet, 1))
    with pytest.raises(RuntimeError):
        posting.post(Entry(key="x", kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines))


@pytest.mark.parametrize("bounded", [True, False])
def test_two_at_once_with_the_same_key_book_once(cast, bounded):
    target = posting.wallet_of(cast.client, "EUR") if bounded else house(cast.brand, AccountKind.FEES)
    suspense = house(cast.brand)
    done = at_once(lambda _n: post(cast, "same", Line(suspense, -100), Line(target, 100)), 8)
    assert len({one.journal_id for one in done}) == 1
    assert sum(one.is_new for one in done) == 1
    assert posting.balance(target) == 100


def test_two_at_once_with_the_same_key_and_other_bodies_leave_one(cast):
    wallet, suspense = posting.wallet_of(cast.client, "EUR"), house(cast.brand)
    done = at_once(lambda n: post(cast, "same", Line(suspense, -100 - n), Line(wallet, 100 + n)), 6)
    assert sum(isinstance(one, posting.Posted) for one in done) == 1
    assert sum(isinstance(one, IdempotencyConflict) for one in done) == 5
    assert Journal.objects.count() == 1


def test_of_fifty_spenders_exactly_the_affordable_ones_pass(cast):
    wallet, suspense = fund(cast.client, 1_000), house(cast.brand)

    def spend(number: int):
        with transaction.atomic():
            entry = Entry(
                key=f"spend:{number}",
                kind=JournalKind.WITHDRAWAL,
                brand_id=cast.brand.pk,
                lines=(Line(wallet, -90), Line(suspense, 90)),
            )
            return posting.reserve(entry)

    done = at_once(spend, 50, threads=16)
    assert sum(isinstance(one, posting.Posted) for one in done) == 11
    assert sum(isinstance(one, InsufficientFunds) for one in done) == 39
    assert available(wallet) == 10


def test_twenty_writers_on_one_house_account_do_not_wait_for_each_other_or_lose_anything(cast):
    hot = house(cast.brand, AccountKind.FEES)
    wallets = [posting.wallet_of(client, "EUR") for client in (cast.client, cast.other_client)]

    def write(number: int) -> None:
        for step in range(10):
            amount = number * 10 + step + 1
            post(cast, f"hot:{number}:{step}", Line(hot, -amount), Line(wallets[number % 2], amount))

    assert at_once(write, 20) == [None] * 20
    assert posting.balance(hot) == -sum(range(1, 201))
    assert sum(posting.balances([wallet.pk for wallet in wallets]).values()) == sum(range(1, 201))
    for wallet in wallets:
        by_version = list(
            Posting.objects.filter(account=wallet).order_by("version").values_list("version", "posted_at")
        )
        assert [version for version, _at in by_version] == list(range(1, 101))
        times = [at for _version, at in by_version]
        assert times == sorted(times), "the order of versions is the order of time"


def test_a_house_account_is_not_locked_while_another_posts_on_it(cast):
    hot, other = house(cast.brand, AccountKind.FEES), house(cast.brand)
    with transaction.atomic():
        entry = Entry(
            key="open", kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=(Line(hot, -1), Line(other, 1))
        )
        posting.post(entry)
        started = dt.datetime.now()
        assert at_once(lambda _n: post(cast, "beside", Line(hot, -2), Line(other, 2)), 1)[0].is_new
        assert dt.datetime.now() - started < dt.timedelta(seconds=2)
    assert posting.balance(hot) == -3


def test_opposite_transfers_do_not_deadlock(cast):
    one, two = fund(cast.client, 10_000), fund(cast.other_client, 10_000)

    def move(number: int):
        source, target = (one, two) if number % 2 else (two, one)
        return post(cast, f"move:{number}", Line(source, -10), Line(target, 10))

    assert all(isinstance(done, posting.Posted) for done in at_once(move, 40, threads=12))
    assert posting.balance(one) + posting.balance(two) == 20_000
