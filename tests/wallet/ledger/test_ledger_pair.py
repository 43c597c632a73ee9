"""The database's shorter way for a journal of two postings: row for row what a batch writes, and nothing else."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from crm.errors import IdempotencyConflict
from tests.wallet.factories import entry, fund, house, raw
from wallet.choices.ledger import AccountKind
from wallet.ledger import posting
from wallet.ledger.posting import InsufficientFunds, Line
from wallet.ledger.verification import verify
from wallet.models import Balance, Journal, Posting

pytestmark = pytest.mark.django_db


def test_a_pair_is_written_exactly_as_a_batch_writes_it(cast, wallet, suspense):
    """The database has a shorter way for two postings: row for row the same, hashes included."""
    fees, other = house(cast.brand, AccountKind.FEES), posting.wallet_of(cast.other_client, "EUR")
    pairs = [
        (Line(suspense, -5_000), Line(wallet, 5_000)),
        (Line(wallet, 700), Line(suspense, -700)),
        (Line(wallet, -300), Line(other, 300)),
        (Line(other, -120), Line(fees, 120)),
        (Line(fees, 20), Line(wallet, -20)),
        (Line(fees, -9), Line(suspense, 9)),
    ]
    columns = "line, account_id, currency, layer, amount_minor"
    for number, lines in enumerate(pairs):
        before = {pk: Balance.objects.get(pk=pk) for pk in (wallet.pk, other.pk)}
        one = entry(cast, *lines, key=f"pair:{number}", description="ä")
        pair, batch = posting.post(one), posting.post_many([replace(one, key=f"batch:{number}")])[0]
        rows = [
            raw(
                f"SELECT {columns}, version, balance_after, available_after FROM wallet_posting"
                f" WHERE journal_id = {done.journal_id} ORDER BY line"
            )
            for done in (pair, batch)
        ]
        for first, second in zip(*rows, strict=True):
            assert first[:5] == second[:5]
            if first[5] is not None:  # the batch came after: the same step further on
                balance = before[first[1]]
                assert (first[5], first[6] - balance.posted_minor) == (balance.version + 1, first[4])
                assert (second[5], second[6] - first[6], second[7] - first[7]) == (first[5] + 1, first[4], first[4])
            else:
                assert second[5:] == (None, None, None)
        journals = Journal.objects.in_bulk([pair.journal_id, batch.journal_id])
        assert journals[pair.journal_id].request_hash == journals[batch.journal_id].request_hash
        again, other_body = posting.post(one), replace(one, lines=(Line(suspense, -1), Line(fees, 1)))
        assert again == posting.Posted(pair.journal_id, False)
        with pytest.raises(IdempotencyConflict), transaction.atomic():
            posting.post(other_body)
    assert verify().problems == []


def test_a_pair_that_was_booked_is_the_first_result_even_when_the_wallet_is_empty_now(cast, wallet, suspense):
    fund(cast.client, 100)
    spend = entry(cast, Line(wallet, -100), Line(suspense, 100), key="spend")
    first = posting.post(spend)
    assert posting.post(spend) == posting.Posted(first.journal_id, False)
    assert Balance.objects.get(pk=wallet.pk).version == 2


def test_a_repeated_credit_leaves_the_counters_as_they_were(cast, wallet, suspense):
    credit = entry(cast, Line(suspense, -100), Line(wallet, 100), key="credit")
    posting.post(credit)
    posting.post(credit)
    balance = Balance.objects.get(pk=wallet.pk)
    assert (balance.version, balance.credits_posted, balance.debits_posted) == (1, 100, 0)
    assert verify().problems == []


@pytest.mark.parametrize("up", [True, False], ids=["to the later account", "to the earlier account"])
def test_between_two_wallets_a_known_key_is_the_first_result_and_a_short_one_leaves_no_trace(cast, wallet, up):
    other = posting.wallet_of(cast.other_client, "EUR")
    source, target = sorted((wallet, other), key=lambda account: account.pk, reverse=not up)
    fund(source.client, 100)
    spend = entry(cast, Line(source, -100), Line(target, 100), key="spend")
    first = posting.post(spend)
    before = list(Balance.objects.order_by("pk").values_list("pk", "version", "credits_posted", "debits_posted"))
    assert posting.post(spend) == posting.Posted(first.journal_id, False)  # the source is empty by now
    back = entry(cast, Line(target, -100), Line(source, 100), key="spend")
    with pytest.raises(IdempotencyConflict), transaction.atomic():
        posting.post(back)  # and the target is not
    with pytest.raises(InsufficientFunds), transaction.atomic():
        posting.post(entry(cast, Line(source, -1), Line(target, 1), key="short"))
    after = list(Balance.objects.order_by("pk").values_list("pk", "version", "credits_posted", "debits_posted"))
    assert after == before
    assert posting.post(replace(back, key="back")).is_new
    assert not posting.post(spend).is_new
    assert verify().problems == []


@pytest.mark.parametrize("again", [False, True])
def test_what_may_write_postings_ends_with_the_function(cast, wallet, suspense, again):
    """In the same transaction, after a new journal and after one that was there already."""
    one = entry(cast, Line(suspense, -100), Line(wallet, 100), key="ended")
    for _time in range(2 if again else 1):
        posting.post(one)
    assert raw("SELECT current_setting('keelson.ledger', true)")[0][0] == ""
    with pytest.raises(DatabaseError, match="balance is written by ledger_post only"), transaction.atomic():
        raw("UPDATE wallet_balance SET version = version + 1 WHERE account_id = %s", wallet.pk)


def test_a_posting_between_two_wallets_is_never_timed_before_the_last_of_either(cast, wallet):
    other = posting.wallet_of(cast.other_client, "EUR")
    for client in (cast.client, cast.other_client):
        fund(client, 100)
    later = timezone.now() + dt.timedelta(hours=1)  # as a clock that was set back would leave it
    for ahead in (wallet, other):
        raw("SELECT set_config('keelson.ledger', 'posting', true)")
        raw("UPDATE wallet_balance SET last_posted_at = %s WHERE account_id = %s", later, ahead.pk)
        raw("SELECT set_config('keelson.ledger', '', true)")
        done = posting.post(entry(cast, Line(wallet, -1), Line(other, 1), key=f"ahead:{ahead.pk}"))
        assert set(Posting.objects.filter(journal_id=done.journal_id).values_list("posted_at", flat=True)) == {later}
        assert set(Balance.objects.values_list("last_posted_at", flat=True)) == {later}
        later += dt.timedelta(hours=1)
