"""`verify_ledger` adds accounts up while it reads the digests' rows, and says what PostgreSQL's own sums would say."""

import pytest

from tests.wallet.factories import fund, house, without_triggers
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting, seals, turnovers, verification
from wallet.ledger.journal_proofs import rows
from wallet.ledger.posting import Entry, Line
from wallet.ledger.seal_digests import SealDigests
from wallet.ledger.verification import COUNTERS, verify
from wallet.models import Account, Journal, LedgerSeal

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(cast) -> Account:
    """A wallet that paid, was paid, holds in both directions, and had reservations taken, taken in part and voided; all of
    it sealed, with one payment after the seal."""
    wallet, fees = fund(cast.client, 10_000), house(cast.brand, AccountKind.FEES)

    def entry(key: str, minor: int) -> Entry:
        lines = (Line(wallet, minor), Line(fees, -minor))
        return Entry(key=key, kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines)

    for key, minor in (("spent", -300), ("got", 45)):
        posting.post(entry(key, minor))
    held = {
        key: posting.reserve(entry(key, minor))
        for key, minor in (("out", -200), ("in", 70), ("taken", -90), ("partly", -800), ("void", 33))
    }
    journals = {key: Journal.objects.get(pk=reserved.journal_id) for key, reserved in held.items()}
    posting.settle(key="take", reservation=journals["taken"])
    posting.settle(key="part", reservation=journals["partly"], lines=(Line(wallet, -500), Line(fees, 500)))
    posting.release(key="undo", reservation=journals["void"])
    seals.seal_pending()
    posting.post(entry("later", -7))
    return wallet


def read() -> SealDigests:
    digests = SealDigests(deep=False)
    digests.read()
    return digests


def differences(known: turnovers.TurnoverSnapshot) -> list[tuple]:
    return rows(COUNTERS, after=0, through=Account.objects.latest("pk").pk, **known._asdict())


def test_what_was_read_with_the_digests_agrees_with_every_balance(wallet):
    digests = read()
    known = digests.turnovers.known(0, digests.turnovers.highest, read_through=digests.through)
    assert str(wallet.pk) in known.ids
    assert differences(known) == []
    assert differences(known._replace(through_journal=digests.through - 1)) != [], "a journal is counted twice"


@pytest.mark.parametrize("counter", ["version", "credits_posted", "debits_posted", "credits_pending", "debits_pending"])
def test_a_counter_that_is_one_off_gets_the_same_words_either_way(wallet, counter, monkeypatch):
    without_triggers(f"UPDATE wallet_balance SET {counter} = {counter} + 1 WHERE account_id = {wallet.pk}")
    by_reading = verify().problems
    assert [words.split(" counts")[0] for words in by_reading] == [f"balance of account {wallet.pk}"]
    monkeypatch.setattr(turnovers, "IDS_MAX", 0)
    assert read().turnovers.known(0, wallet.pk, read_through=1) == turnovers.TurnoverSnapshot()
    assert verify().problems == by_reading


def test_accounts_beyond_the_memory_are_added_up_by_postgresql(wallet, monkeypatch):
    monkeypatch.setattr(turnovers, "IDS_MAX", wallet.pk - 1)
    monkeypatch.setattr(verification, "ACCOUNTS_PER_STEP", 1)
    assert verify().holds
    without_triggers(f"UPDATE wallet_balance SET credits_posted = credits_posted + 1 WHERE account_id = {wallet.pk}")
    assert not verify().holds


def test_a_seal_that_is_missing_puts_no_account_in_the_wrong(cast, wallet):
    """What it covered was not read with a digest."""
    second = seals.seal_pending()
    fund(cast.client, 5, key="more")
    seals.seal_pending()
    without_triggers(f"DELETE FROM wallet_ledgerseal WHERE id = {second.pk}")
    assert not read().turnovers.is_whole
    problems = verify().problems
    assert any("one is missing" in words for words in problems)
    assert not any("balance of account" in words for words in problems)


@pytest.mark.parametrize(
    "change", ["balance_after = NULL", "layer = 3", "version = NULL", "layer = -1"], ids=lambda change: change
)
def test_postings_that_can_not_be_told_are_left_to_postgresql(wallet, change, monkeypatch):
    last = LedgerSeal.objects.get().last_journal_id
    without_triggers(f"UPDATE wallet_posting SET {change} WHERE journal_id = {last - 4} AND account_id = {wallet.pk}")
    found = verify().problems
    assert found
    monkeypatch.setattr(turnovers, "IDS_MAX", 0)
    assert verify().problems == found


def test_a_journal_before_the_first_is_named(wallet):
    first = Journal.objects.earliest("pk").pk
    without_triggers(f"UPDATE wallet_posting SET journal_id = -3 WHERE journal_id = {first}")
    without_triggers(f"UPDATE wallet_journal SET id = -3 WHERE id = {first}")
    assert any("journal -3 or postings of it are there" in words for words in verify().problems)
