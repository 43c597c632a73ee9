"""`verify_ledger` finds nothing in a sound ledger, and names the row after someone tampered with triggers off."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from tests.wallet.factories import fund, house, raw, without_triggers
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting, seals
from wallet.ledger.posting import Entry, Line
from wallet.ledger.verification import verify
from wallet.models import Account, Checkpoint, Journal, LedgerSeal

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(cast) -> dict[str, int]:
    """A wallet with four journals on it (one of them reserved and posted), a house-only journal, and a seal over all."""
    wallet = fund(cast.client, 1_000)
    suspense, fees = house(cast.brand), house(cast.brand, AccountKind.FEES)

    def entry(key: str, *lines: Line) -> Entry:
        return Entry(key=key, kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines)

    held = posting.reserve(entry("hold", Line(wallet, -300), Line(suspense, 300)))
    posting.settle(key="take", reservation=Journal.objects.get(pk=held.journal_id))
    last = posting.post(entry("last", Line(wallet, -50), Line(fees, 50)))
    houses = posting.post(entry("house", Line(suspense, -70), Line(fees, 70)))
    seals.seal_pending()
    return {
        "wallet": wallet.pk,
        "last": last.journal_id,
        "house": houses.journal_id,
        "fees": fees.pk,
        "suspense": suspense.pk,
    }


def test_a_sound_ledger_holds(books):
    verdict = verify()
    assert verdict.problems == []
    assert (verdict.journals, verdict.seals, verdict.unsealed) == (5, 1, 0)


def run() -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_ledger", stdout=out, stderr=err, no_color=True)
    except SystemExit as done:
        return int(done.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_the_command_exits_zero_when_it_holds_and_one_when_not(books):
    code, out, _err = run()
    assert code == 0
    assert "The ledger holds." in out
    without_triggers("UPDATE wallet_posting SET amount_minor = amount_minor - 1 WHERE journal_id = %s", books["last"])
    code, _out, err = run()
    assert code == 1
    assert f"journal {books['last']}" in err.splitlines()[0]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_ledger", "--json", stdout=out)
    assert json.loads(out.getvalue())["holds"] is False


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("UPDATE wallet_posting SET amount_minor = amount_minor * 2 WHERE journal_id = %(last)s", "journal %(last)s"),
        (
            "UPDATE wallet_posting SET amount_minor = amount_minor + 1 WHERE journal_id = %(last)s AND line = 1",
            "journal %(last)s does not sum to zero in EUR: 1 minor units",
        ),
        ("UPDATE wallet_posting SET amount_minor = amount_minor * 2 WHERE journal_id = %(house)s", "journal %(house)s"),
        ("UPDATE wallet_posting SET posted_at = posted_at - interval '1 day' WHERE journal_id = %(last)s", "%(last)s"),
        ("DELETE FROM wallet_posting WHERE journal_id = %(last)s", "journal %(last)s (last) has no postings"),
        ("DELETE FROM wallet_posting WHERE journal_id = %(last)s AND line = 1", "journal %(last)s"),
        ("UPDATE wallet_journal SET description = 'x' WHERE id = %(last)s", "journal %(last)s (last) was changed"),
        ("UPDATE wallet_journal SET idempotency_key = 'y' WHERE id = %(last)s", "journal %(last)s"),
        ("UPDATE wallet_journal SET actor_id = 1 WHERE id = %(house)s", "journal %(house)s"),
        ("UPDATE wallet_posting SET balance_after = 1 WHERE account_id = %(wallet)s AND version = 1", "balance 1/"),
        ("UPDATE wallet_posting SET version = 9 WHERE account_id = %(wallet)s AND version = 5", "has version 9"),
        ("UPDATE wallet_balance SET credits_posted = 5000 WHERE account_id = %(wallet)s", "account %(wallet)s"),
        ("UPDATE wallet_balance SET debits_pending = 5 WHERE account_id = %(wallet)s", "account %(wallet)s"),
        ("DELETE FROM wallet_balance WHERE account_id = %(wallet)s", "account %(wallet)s"),
        ("UPDATE wallet_ledgerseal SET journal_count = 4", "ledger seal"),
    ],
)
def test_a_tampered_row_is_named(books, sql, names):
    without_triggers(sql % books)
    verdict = verify()
    assert any(names % books in problem for problem in verdict.problems), verdict.problems


def test_a_house_journal_removed_without_a_trace_breaks_the_seal(books):
    for table, column in (("wallet_posting", "journal_id"), ("wallet_journal", "id")):
        without_triggers(f"DELETE FROM {table} WHERE {column} = {books['house']}")
    assert "are not those that were sealed (4 now, 5 then)" in verify().problems[0]


def with_fitting_hashes(journal: int) -> None:
    """What somebody with the owner's rights would do after changing a row: hashes are no secret."""
    without_triggers(
        "UPDATE wallet_journal j SET request_hash = ledger_request_hash(kind, phase, brand_id, reverses_id, resolves_id, "
        "fx_rate, fx_rate_on, (SELECT string_agg(account_id || ':' || currency || ':' || layer || ':' || amount_minor, "
        f"',' ORDER BY line) FROM wallet_posting WHERE journal_id = j.id)) WHERE id = {journal}"
    )
    without_triggers(
        "UPDATE wallet_journal SET content_hash = ledger_content_hash(id, idempotency_key, posted_at, business_on, "
        f"description, actor_id, request_hash, expires_at) WHERE id = {journal}"
    )


def test_a_journal_rewritten_with_fitting_hashes_breaks_the_seal(books):
    """The seal's signature is a secret."""
    without_triggers(f"UPDATE wallet_posting SET amount_minor = amount_minor * 2 WHERE journal_id = {books['house']}")
    with_fitting_hashes(books["house"])
    assert [problem[:13] for problem in verify().problems] == [f"ledger seal {LedgerSeal.objects.get().pk}"[:13]]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE wallet_posting SET amount_minor = amount_minor + 1 WHERE line = 1 AND journal_id = {}", "sum to zero"),
        ("UPDATE wallet_posting SET currency = 'USD' WHERE journal_id = {}", "no account of its currency"),
    ],
)
def test_what_is_wrong_in_itself_is_never_sealed(cast, books, sql, words):
    """Once sealed its digest answers for it, so it is looked at before."""
    fees, suspense = (posting.Account.objects.get(pk=books[name]) for name in ("fees", "suspense"))
    fresh = posting.post(
        Entry(key="x", kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=(Line(suspense, -9), Line(fees, 9)))
    )
    without_triggers(sql.format(fresh.journal_id))
    with_fitting_hashes(fresh.journal_id)
    assert seals.seal_pending() is None
    assert any(words in problem for problem in verify().problems)


@pytest.mark.parametrize(
    "change",
    [
        "version = version + 1",
        "version = NULL",
        "balance_after = balance_after + 1",
        "available_after = 0",
        "posted_at = now() - interval '1 day'",
    ],
)
@pytest.mark.parametrize("earlier", [0, 1])
def test_what_does_not_follow_the_posting_before_it_is_never_sealed(cast, books, change, earlier):
    """Whether that one is sealed already or new as well."""
    wallet, suspense = (posting.Account.objects.get(pk=books[name]) for name in ("wallet", "suspense"))
    for number in range(earlier + 1):
        fresh = posting.post(
            Entry(
                key=f"x{number}",
                kind=JournalKind.ADJUSTMENT,
                brand_id=cast.brand.pk,
                lines=(Line(wallet, -9), Line(suspense, 9)),
            )
        )
    without_triggers(f"UPDATE wallet_posting SET {change} WHERE journal_id = {fresh.journal_id} AND line = 1")
    assert seals.seal_pending() is None
    assert any(f"journal {fresh.journal_id}" in problem for problem in verify().problems)


def test_seals_chain_and_cover_everything_once(cast, books):
    assert seals.seal_pending() is None
    fund(cast.client, 5, key="more")
    second = seals.seal_pending()
    first = second.previous
    assert second.first_journal_id == first.last_journal_id + 1
    assert verify().holds
    without_triggers(f"UPDATE wallet_ledgerseal SET previous_id = NULL WHERE id = {second.pk}")
    assert "one is missing" in verify().problems[0]


def test_nothing_can_be_brought_into_a_sealed_time(cast, books):
    past = LedgerSeal.objects.get().through_at
    entry = Entry(
        key="late",
        kind=JournalKind.ADJUSTMENT,
        brand_id=cast.brand.pk,
        lines=(Line(house(cast.brand), -1), Line(house(cast.brand, AccountKind.FEES), 1)),
    )
    with pytest.raises(posting.InvalidJournal, match="is sealed, through 20"), transaction.atomic():
        posting.post_many([entry], posted_at=[past])


def test_a_busy_house_account_gets_a_checkpoint_and_reads_only_what_came_after(cast):
    suspense, fees = house(cast.brand), house(cast.brand, AccountKind.FEES)

    def entries(first: int, last: int) -> list[Entry]:
        return [
            Entry(
                key=f"n:{n}",
                kind=JournalKind.PSP_FEE,
                brand_id=cast.brand.pk,
                lines=(Line(suspense, -n), Line(fees, n)),
            )
            for n in range(first, last)
        ]

    posting.post_many(entries(1, 61))
    seals.seal_pending()
    assert set(Checkpoint.objects.values_list("account", "balance_minor")) == {(suspense.pk, -1830), (fees.pk, 1830)}
    middle = Journal.objects.order_by("-id").first().posted_at
    posting.post_many(entries(61, 71))
    assert posting.balance(fees) == sum(range(1, 71))
    assert posting.balance(fees, at=middle) == 1830
    seals.seal_pending()
    assert Checkpoint.objects.count() == 2, "ten more postings are not worth another row"
    assert verify().holds
    without_triggers("UPDATE wallet_checkpoint SET balance_minor = 7 WHERE account_id = %s", fees.pk)
    assert "checkpoint of account" in verify().problems[0]


def test_verify_reads_in_steps(books, monkeypatch):
    monkeypatch.setattr("wallet.ledger.journal_proofs.JOURNALS_PER_STEP", 2)
    monkeypatch.setattr("wallet.ledger.verification.ACCOUNTS_PER_STEP", 1)
    assert verify().holds
    assert raw("SELECT count(*) FROM wallet_journal")[0][0] == 5


def test_a_seal_cut_off_is_told_by_a_head_kept_elsewhere(cast, books):
    fund(cast.client, 5, key="more")
    seals.seal_pending()
    head = verify().head
    without_triggers(f"DELETE FROM wallet_ledgerseal WHERE id = {LedgerSeal.objects.latest('pk').pk}")
    assert verify().problems == [], "the journals stand there as not sealed yet"
    assert verify(head=head).problems == [
        f"the head {head} is not in the chain of ledger seals: seals were cut off or made anew"
    ]


def test_a_checkpoint_whose_seal_is_gone_is_named(books, monkeypatch):
    monkeypatch.setattr("wallet.ledger.seals.CHECKPOINT_POSTINGS_MIN", 1)
    posting.post(
        Entry(
            key="again",
            kind=JournalKind.ADJUSTMENT,
            brand_id=Journal.objects.first().brand_id,
            lines=(Line(Account.objects.get(pk=books["fees"]), -3), Line(Account.objects.get(pk=books["suspense"]), 3)),
        )
    )
    seal = seals.seal_pending()
    without_triggers(f"DELETE FROM wallet_ledgerseal WHERE id = {seal.pk}")
    assert "belongs to a ledger seal that is gone" in verify().problems[0]
