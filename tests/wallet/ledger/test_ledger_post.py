"""`ledger.post`: what it writes, what it refuses, and what the database refuses to anyone else."""

import datetime as dt
import time
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from crm.errors import IdempotencyConflict, WrongState
from crm.models import Brand, FxRate
from crm.rates import fx
from tests.wallet.factories import available, entry, fund, house, raw
from wallet.choices.ledger import AccountKind, Layer, Phase
from wallet.ledger import posting
from wallet.ledger.fx_position import convert_minor, lines_of
from wallet.ledger.posting import InsufficientFunds, InvalidJournal, Line
from wallet.ledger.verification import verify
from wallet.models import Account, Journal, Posting

pytestmark = pytest.mark.django_db


def test_a_journal_is_written_with_its_postings(cast, wallet, suspense):
    done = posting.post(
        entry(cast, Line(suspense, -50_000), Line(wallet, 50_000), description="Opening"), actor=cast.finance
    )
    assert done.is_new
    journal = Journal.objects.get(pk=done.journal_id)
    assert (journal.description, journal.actor, journal.phase) == ("Opening", cast.finance, Phase.POSTED)
    assert list(journal.postings.values_list("line", "account", "amount_minor", "version", "balance_after")) == [
        (1, suspense.pk, -50_000, None, None),
        (2, wallet.pk, 50_000, 1, 50_000),
    ]
    assert posting.balances([wallet.pk, suspense.pk]) == {wallet.pk: 50_000, suspense.pk: -50_000}


def test_the_same_key_and_body_give_the_first_result(cast, wallet, suspense):
    lines = (Line(suspense, -100), Line(wallet, 100))
    first = posting.post(entry(cast, *lines))
    again = posting.post(entry(cast, *lines, description="another wording is the same body"))
    assert again.journal_id == first.journal_id
    assert not again.is_new
    assert posting.balance(wallet) == 100


def test_the_same_key_with_another_body_is_an_error(cast, wallet, suspense):
    posting.post(entry(cast, Line(suspense, -100), Line(wallet, 100)))
    with pytest.raises(IdempotencyConflict), transaction.atomic():
        posting.post(entry(cast, Line(suspense, -101), Line(wallet, 101)))
    assert posting.balance(wallet) == 100


def test_a_wallet_never_goes_below_zero(cast, wallet, suspense):
    fund(cast.client, 100)
    with pytest.raises(InsufficientFunds), transaction.atomic():
        posting.post(entry(cast, Line(wallet, -101), Line(suspense, 101)))
    posting.post(entry(cast, Line(wallet, -100), Line(suspense, 100)))
    assert posting.balance(wallet) == 0


@pytest.mark.parametrize("amounts", [(-100, 99), (100, 100), (-1, 2)])
def test_a_body_that_does_not_sum_to_zero_is_refused(cast, wallet, suspense, amounts):
    with pytest.raises(InvalidJournal), transaction.atomic():
        posting.post(entry(cast, Line(suspense, amounts[0]), Line(wallet, amounts[1])))
    assert not Journal.objects.exists()


def test_each_currency_must_sum_to_zero_on_its_own(cast, wallet):
    dollars = house(cast.brand, currency="USD")
    with pytest.raises(InvalidJournal), transaction.atomic():
        posting.post(entry(cast, Line(dollars, -100), Line(wallet, 100)))


def test_currencies_change_through_positions_at_a_named_rate(cast, wallet):
    fund(cast.client, 10_000)
    FxRate.objects.get_or_create(on=dt.date(2026, 11, 19), currency="USD", defaults={"rate": Decimal("1.1532")})
    dollars = posting.wallet_of(cast.client, "USD")
    positions = {c: house(cast.brand, AccountKind.FX_POSITION, c) for c in ("EUR", "USD")}
    done = posting.post(
        entry(
            cast,
            Line(wallet, -10_000),
            Line(positions["EUR"], 10_000),
            Line(positions["USD"], -10_830),
            Line(dollars, 10_830),
            rate=Decimal("1.083"),
            rate_on=dt.date(2026, 11, 20),
        )
    )
    journal = Journal.objects.get(pk=done.journal_id)
    assert (journal.fx_rate, journal.fx_rate_on) == (Decimal("1.083"), dt.date(2026, 11, 20))
    assert posting.balance(dollars) == 10_830


def test_an_account_of_another_brand_or_nothing_at_all_is_refused(cast, wallet):
    foreign = house(cast.other_brand)
    with pytest.raises(InvalidJournal), transaction.atomic():
        posting.post(entry(cast, Line(foreign, -100), Line(wallet, 100)))
    with pytest.raises(InvalidJournal), transaction.atomic():
        posting.post(entry(cast))


# Two-phase money


def test_reserved_money_can_not_be_spent_and_is_posted_once(cast, wallet, suspense):
    fund(cast.client, 500)
    held = posting.reserve(entry(cast, Line(wallet, -200), Line(suspense, 200), key="w:1:reserve"))
    assert (posting.balance(wallet), available(wallet)) == (500, 300)
    with pytest.raises(InsufficientFunds), transaction.atomic():
        posting.post(entry(cast, Line(wallet, -301), Line(suspense, 301), key="other"))
    reservation = Journal.objects.get(pk=held.journal_id)
    first = posting.settle(key="w:1:settle", reservation=reservation)
    assert not posting.settle(key="w:1:settle", reservation=reservation).is_new
    assert (posting.balance(wallet), available(wallet)) == (300, 300)
    assert first.is_new
    with pytest.raises(WrongState), transaction.atomic():
        posting.release(key="w:1:release", reservation=reservation)


def test_the_whole_balance_can_be_reserved_and_posted(cast, wallet, suspense):
    fund(cast.client, 200)
    held = posting.reserve(entry(cast, Line(wallet, -200), Line(suspense, 200)))
    posting.settle(key="settle", reservation=Journal.objects.get(pk=held.journal_id))
    assert (posting.balance(wallet), available(wallet)) == (0, 0)


def test_a_reservation_is_posted_in_part_and_the_rest_released(cast, wallet, suspense):
    fund(cast.client, 500)
    held = posting.reserve(entry(cast, Line(wallet, -200), Line(suspense, 200)))
    reservation = Journal.objects.get(pk=held.journal_id)
    posting.settle(key="part", reservation=reservation, lines=(Line(wallet, -150), Line(suspense, 150)))
    assert (posting.balance(wallet), available(wallet)) == (350, 350)
    wallet.balance.refresh_from_db()
    assert (wallet.balance.debits_pending, wallet.balance.credits_pending) == (0, 0)


def test_a_released_reservation_leaves_everything_as_it_was(cast, wallet, suspense):
    fund(cast.client, 500)
    held = posting.reserve(entry(cast, Line(wallet, -200), Line(suspense, 200)))
    done = posting.release(key="void", reservation=Journal.objects.get(pk=held.journal_id))
    assert (posting.balance(wallet), available(wallet)) == (500, 500)
    journal = Journal.objects.get(pk=done.journal_id)
    assert journal.phase == Phase.VOID
    assert set(journal.postings.values_list("layer", flat=True)) == {Layer.RELEASED}


def test_only_a_reservation_can_be_resolved(cast, wallet, suspense):
    done = posting.post(entry(cast, Line(suspense, -100), Line(wallet, 100)))
    with pytest.raises(WrongState), transaction.atomic():
        posting.settle(key="x", reservation=Journal.objects.get(pk=done.journal_id))


def test_pending_credits_do_not_count_as_available(cast, wallet, suspense):
    posting.reserve(entry(cast, Line(suspense, -100), Line(wallet, 100)))
    wallet.balance.refresh_from_db()
    assert (wallet.balance.credits_pending, available(wallet)) == (100, 0)


def test_a_journal_is_reversed_once_by_one_that_points_at_it(cast, wallet, suspense):
    done = posting.post(entry(cast, Line(suspense, -100), Line(wallet, 100)))
    journal = Journal.objects.get(pk=done.journal_id)
    back = posting.reverse(key="back", journal=journal, description="Wrong client")
    assert posting.balance(wallet) == 0
    assert Journal.objects.get(pk=back.journal_id).reverses == journal
    with pytest.raises(WrongState), transaction.atomic():
        posting.reverse(key="back:2", journal=journal, description="again")


# Batches and history


def test_a_batch_is_posted_in_order_in_one_call(cast, wallet, suspense, django_assert_num_queries):
    entries = [entry(cast, Line(suspense, -n), Line(wallet, n), key=f"batch:{n}") for n in range(1, 101)]
    with django_assert_num_queries(1):
        done = posting.post_many(entries)
    assert [one.is_new for one in done] == [True] * 100
    versions = Posting.objects.filter(account=wallet).order_by("version").values_list("version", "balance_after")
    assert list(versions) == [(n, n * (n + 1) // 2) for n in range(1, 101)]


def test_a_batch_is_all_or_nothing(cast, wallet, suspense):
    entries = [
        entry(cast, Line(suspense, -100), Line(wallet, 100), key="a"),
        entry(cast, Line(suspense, 101), Line(wallet, -101), key="b"),
    ]
    with pytest.raises(InsufficientFunds), transaction.atomic():
        posting.post_many(entries)
    assert not Journal.objects.exists()


def test_a_key_may_come_once_in_a_batch(cast, wallet, suspense):
    one = entry(cast, Line(suspense, -1), Line(wallet, 1))
    with pytest.raises(InvalidJournal), transaction.atomic():
        posting.post_many([one, one])


def test_a_batch_with_some_known_keys_writes_only_the_new_ones(cast, wallet, suspense):
    one = entry(cast, Line(suspense, -1), Line(wallet, 1), key="one")
    two = entry(cast, Line(suspense, -2), Line(wallet, 2), key="two")
    posting.post(one)
    assert [done.is_new for done in posting.post_many([two, one])] == [True, False]
    assert posting.balance(wallet) == 3


def test_history_keeps_its_own_times_but_never_goes_back(cast, wallet, suspense):
    start = dt.datetime(2026, 8, 1, tzinfo=dt.UTC)
    times = [start + dt.timedelta(days=n) for n in range(3)]
    entries = [entry(cast, Line(suspense, -100), Line(wallet, 100), key=f"h:{n}") for n in range(3)]
    posting.post_many(entries, posted_at=times)
    assert posting.balance(wallet, at=times[1]) == 200
    assert posting.balance(suspense, at=times[1]) == -200
    assert posting.balance(wallet, at=start - dt.timedelta(seconds=1)) == 0
    assert Journal.objects.filter(imported_at__isnull=False, business_on=start.date()).count() == 1


def test_history_names_the_time_that_it_would_rewrite(cast, wallet, suspense):
    posted_at = dt.datetime(2026, 8, 2, tzinfo=dt.UTC)
    before, after, future = (posted_at + dt.timedelta(seconds=n) for n in (-1, 1, 86_400 * 9_999))
    posting.post_many([entry(cast, Line(suspense, -1), Line(wallet, 1), key="there")], posted_at=[posted_at])
    for times, reason in (
        ([after, future], rf"journal b would .*, {future:%Y-%m-%d} 00:00:00\+00, is in the future, now is 2"),
        ([after, posted_at], r"b would .* is out of order, after 2026-08-02 00:00:01\+00 of journal a$"),
        (
            [before, after],
            r"a would .* 2026-08-01 23:59:59\+00, is before its account's last posting, at 2026-08-02 00:00:00\+00$",
        ),
    ):
        late = [entry(cast, Line(suspense, -1), Line(wallet, 1), key=key) for key in "ab"]
        with pytest.raises(InvalidJournal, match=reason), transaction.atomic():
            posting.post_many(late, posted_at=times)
    assert posting.balance(wallet) == 1


# What the database refuses to anyone


@pytest.mark.parametrize(
    ("postings", "constraint"),
    [
        ([], "journal_has_postings"),
        ([(100, None)], "journal_sums_to_zero_per_currency"),
        ([(-100, None), (101, None)], "journal_sums_to_zero_per_currency"),
        ([(0, None), (0, None)], "posting_moves_something"),
        ([(-100, None), (100, -1)], "no_posting_overdraws_a_bounded_account"),
    ],
)
def test_the_database_refuses_a_journal_whose_postings_make_none(cast, suspense, postings, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        raw("SELECT set_config('keelson.ledger', 'posting', true)")
        journal_id = raw(
            "INSERT INTO wallet_journal (brand_id, kind, phase, idempotency_key, request_hash, description, posted_at, "
            "business_on, content_hash) VALUES (%s, 'adjustment', 'posted', 'evil', '', '', now(), now(), '') RETURNING id",
            cast.brand.pk,
        )[0][0]
        for line, (amount, available_after) in enumerate(postings, 1):
            raw(
                "INSERT INTO wallet_posting (journal_id, line, account_id, currency, layer, amount_minor, posted_at, "
                "available_after) VALUES (%s, %s, %s, 'EUR', 0, %s, now(), %s)",
                journal_id,
                line,
                suspense.pk,
                amount,
                available_after,
            )
        raw("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("more", [(), (0,)])
def test_a_posting_that_moves_nothing_is_refused_at_once(cast, wallet, suspense, more):
    lines = [Line(suspense, 0), Line(wallet, 0), *(Line(suspense, amount) for amount in more)]
    with pytest.raises(InvalidJournal, match="moves something"), transaction.atomic():
        posting.post(entry(cast, *lines))


@pytest.mark.parametrize("others", ["currency", "brand"])
def test_a_posting_on_an_account_of_another_currency_or_brand_is_refused(cast, wallet, suspense, others):
    other = posting.house(
        AccountKind.SUSPENSE,
        brand_id=Brand.objects.create(code="other", name="Other").pk if others == "brand" else cast.brand.pk,
        currency="USD" if others == "currency" else "EUR",
    )
    for lines in ((Line(other, -100), Line(wallet, 100)), (Line(other, -50), Line(suspense, -50), Line(wallet, 100))):
        with pytest.raises(InvalidJournal), transaction.atomic():
            posting.post(entry(cast, *lines))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE wallet_posting SET amount_minor = amount_minor + 1",
        "DELETE FROM wallet_posting",
        "TRUNCATE wallet_posting CASCADE",
        "UPDATE wallet_journal SET description = 'x'",
        "DELETE FROM wallet_journal",
        "TRUNCATE wallet_journal CASCADE",
        "UPDATE wallet_balance SET credits_posted = credits_posted + 1",
        "DELETE FROM wallet_balance",
        "TRUNCATE wallet_balance",
        "UPDATE wallet_account SET is_bounded = false",
        "INSERT INTO wallet_posting SELECT journal_id, 3, account_id, currency, layer, 1, posted_at FROM wallet_posting",
        "INSERT INTO wallet_journal SELECT * FROM wallet_journal",
    ],
)
def test_the_ledger_can_not_be_changed_by_sql(cast, wallet, suspense, sql):
    posting.post(entry(cast, Line(suspense, -100), Line(wallet, 100)))
    with pytest.raises(DatabaseError), transaction.atomic():
        raw(sql)
    assert posting.balance(wallet) == 100


def test_the_orm_can_not_write_a_posting(cast, wallet, suspense):
    done = posting.post(entry(cast, Line(suspense, -100), Line(wallet, 100)))
    with pytest.raises(DatabaseError), transaction.atomic():
        Posting.objects.create(
            journal_id=done.journal_id,
            line=3,
            account=suspense,
            currency="EUR",
            amount_minor=5,
            posted_at=dt.datetime.now(dt.UTC),
        )


def test_two_accounts_of_one_owner_and_kind_can_not_exist(cast):
    first = posting.account_for(AccountKind.FEES, brand_id=cast.brand.pk, currency="EUR")
    assert posting.account_for(AccountKind.FEES, brand_id=cast.brand.pk, currency="EUR") == first
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(brand=cast.brand, kind=AccountKind.FEES, currency="EUR")
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(brand=cast.brand, kind=AccountKind.CLIENT_WALLET, currency="EUR", client=cast.client)


def test_money_between_currencies_names_its_rate(cast, wallet):
    fund(cast.client, 10_000)
    FxRate.objects.get_or_create(on=dt.date(2026, 11, 19), currency="USD", defaults={"rate": Decimal("1.1532")})
    dollars = posting.wallet_of(cast.client, "USD")
    conversion = convert_minor(10_000, fx.rate("EUR", "USD", on=dt.date(2026, 11, 20)), markup_basis_points=0)
    lines = lines_of(conversion, source=wallet, target=dollars)
    with pytest.raises(InvalidJournal, match="names no rate"), transaction.atomic():
        posting.post(entry(cast, *lines, key="fx:1"))
    posting.post(entry(cast, *lines, key="fx:1", rate=conversion.rate, rate_on=conversion.rate_on))
    assert posting.balance(dollars) == conversion.got_minor
    assert verify().problems == []


def test_a_reservation_that_has_expired_is_released_and_can_not_be_posted(cast, wallet, suspense):
    fund(cast.client, 1_000)
    lines = (Line(wallet, -400), Line(suspense, 400))
    soon, later = timezone.now() + dt.timedelta(milliseconds=50), timezone.now() + dt.timedelta(hours=1)
    first = posting.reserve(entry(cast, *lines, key="r:1", expires_at=soon))
    posting.reserve(entry(cast, *lines, key="r:2", expires_at=later))
    assert available(wallet) == 200
    time.sleep(0.06)
    reservation = Journal.objects.get(pk=first.journal_id)
    with pytest.raises(WrongState, match="expired"), transaction.atomic():
        posting.settle(key="r:1:settle", reservation=reservation)
    assert posting.release_expired() == 1
    assert available(wallet) == 600
    assert posting.release_expired() == 0
    assert verify().problems == []


@pytest.mark.parametrize(
    ("columns", "values", "constraint"),
    [
        ("phase", "'post'", "resolving_journal_names_what_it_resolves"),
        ("phase", "'void'", "resolving_journal_names_what_it_resolves"),
        ("phase", "'other'", "resolving_journal_names_what_it_resolves"),
        ("phase, resolves_id", "'posted', 1", "resolving_journal_names_what_it_resolves"),
        ("phase, resolves_id", "'pending', 1", "resolving_journal_names_what_it_resolves"),
        ("phase, fx_rate", "'posted', 1.5", "journal_rate_has_its_day"),
        ("phase, fx_rate_on", "'posted', now()", "journal_rate_has_its_day"),
        ("phase, fx_rate, fx_rate_on", "'posted', 0, now()", "journal_rate_has_its_day"),
        ("phase, fx_rate, fx_rate_on", "'posted', -1.5, now()", "journal_rate_has_its_day"),
        ("phase, expires_at", "'posted', now()", "only_a_reservation_expires"),
    ],
)
def test_the_database_refuses_a_journal_that_contradicts_itself(cast, columns, values, constraint):
    raw("SELECT set_config('keelson.ledger', 'posting', true)")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        raw(
            f"INSERT INTO wallet_journal (brand_id, kind, idempotency_key, request_hash, description, posted_at, "
            f"business_on, content_hash, {columns}) VALUES (%s, 'adjustment', 'evil', '', '', now(), now(), '', {values})",
            cast.brand.pk,
        )


@pytest.mark.parametrize("counter", ["version", "credits_posted", "debits_posted", "credits_pending", "debits_pending"])
def test_the_database_refuses_a_counter_below_zero(cast, wallet, counter):
    raw("SELECT set_config('keelson.ledger', 'posting', true)")
    refused = "balance_counters_are_not_negative|client_money_never_goes_below_zero_after_holds"
    with pytest.raises(IntegrityError, match=refused), transaction.atomic():
        raw(f"UPDATE wallet_balance SET {counter} = -1 WHERE account_id = %s", wallet.pk)


@pytest.mark.parametrize("change", ["credits_posted = 99", "debits_posted = 101", "debits_pending = 101"])
def test_the_database_refuses_a_balance_below_zero_after_holds(cast, wallet, change):
    fund(cast.client, 100)
    raw("SELECT set_config('keelson.ledger', 'posting', true)")
    raw("UPDATE wallet_balance SET debits_posted = 100 WHERE account_id = %s", wallet.pk)
    with pytest.raises(IntegrityError, match="client_money_never_goes_below_zero_after_holds"), transaction.atomic():
        raw(f"UPDATE wallet_balance SET {change} WHERE account_id = %s", wallet.pk)
