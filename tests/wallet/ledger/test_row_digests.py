"""The digest that a seal signs differs when any column of any row does, and for nothing else."""

import hashlib

import pytest
from django.db import connection

from crm.security import keys
from tests.wallet.factories import fund, house, raw, without_triggers
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting, row_digests, seals
from wallet.ledger.posting import Entry, Line
from wallet.ledger.row_digests import is_comparable, rows_digest
from wallet.ledger.verification import verify
from wallet.models import Journal, LedgerSeal

pytestmark = pytest.mark.django_db

JOURNAL = {
    "id": "id + 100",
    "brand_id": "brand_id + 1",
    "kind": "'x'",
    "phase": "'x'",
    "idempotency_key": "'x'",
    "request_hash": "sha256('x')",
    "description": "'x'",
    "posted_at": "posted_at + interval '1 microsecond'",
    "business_on": "business_on + 1",
    "reverses_id": "9",
    "resolves_id": "9",
    "fx_rate": "1.5",
    "fx_rate_on": "'2026-01-01'",
    "actor_id": "7",
    "imported_at": "'2026-01-01'",
    "expires_at": "'2026-01-01'",
    "content_hash": "sha256('x')",
}
POSTING = {
    "journal_id": "journal_id + 100",
    "line": "line + 5",
    "account_id": "account_id + 1",
    "currency": "'USD'",
    "layer": "1",
    "amount_minor": "amount_minor + 1",
    "posted_at": "posted_at + interval '1 microsecond'",
    "version": "coalesce(version + 50, 1)",
    "balance_after": "coalesce(balance_after + 1, 1)",
    "available_after": "coalesce(available_after + 1, 1)",
}


@pytest.fixture
def last(cast) -> int:
    """The last of a few journals, on a wallet and on house accounts."""
    wallet = fund(cast.client, 1_000)
    suspense, fees = house(cast.brand), house(cast.brand, AccountKind.FEES)
    for number, line in enumerate((Line(wallet, -50), Line(suspense, -60), Line(wallet, -70))):
        kind, brand = JournalKind.ADJUSTMENT, cast.brand.pk
        posted = posting.post(
            Entry(key=f"j{number}", kind=kind, brand_id=brand, lines=(line, Line(fees, -line.amount_minor)))
        )
    return posted.journal_id


def everything() -> bytes:
    return rows_digest(1, Journal.objects.latest("pk").pk + 200).digest


def without_constraints(*changes: str) -> None:
    """Rows as no constraint allows them: somebody who owns the tables takes the constraints away."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("wallet_journal", "wallet_posting"):
            cursor.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'u')", [table]
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}"')
        for column in ("currency", "account_id"):
            cursor.execute(f"ALTER TABLE wallet_posting ALTER {column} DROP NOT NULL")
        cursor.execute("ALTER TABLE wallet_posting ALTER currency TYPE text")
    for sql in changes:
        without_triggers(sql)


@pytest.mark.parametrize("column", JOURNAL)
def test_a_changed_column_of_a_journal_changes_the_digest(last, column):
    before = everything()
    without_constraints()
    without_triggers(f"UPDATE wallet_journal SET {column} = {JOURNAL[column]} WHERE id = {last}")
    assert everything() != before


@pytest.mark.parametrize("column", POSTING)
@pytest.mark.parametrize("line", [1, 2], ids=["wallet", "house"])
def test_a_changed_column_of_a_posting_changes_the_digest(last, column, line):
    before = everything()
    without_constraints()
    without_triggers(
        f"UPDATE wallet_posting SET {column} = {POSTING[column]} WHERE journal_id = {last} AND line = {line}"
    )
    assert everything() != before


def test_every_column_of_both_tables_is_in_the_digest():
    for table, columns in (("wallet_journal", JOURNAL), ("wallet_posting", POSTING)):
        sql = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        assert {name for (name,) in raw(sql, table)} == set(columns)


@pytest.mark.parametrize(
    "change",
    [
        # A value that wanders to another row leaves the joined column as it was.
        *(
            f"UPDATE wallet_posting SET {column} = CASE line WHEN 2 THEN (SELECT {column} FROM wallet_posting"
            f" WHERE journal_id = {{last}} AND line = 1) END WHERE journal_id = {{last}}"
            for column in ("version", "balance_after", "available_after")
        ),
        "UPDATE wallet_posting SET version = o.version, balance_after = o.balance_after, available_after = o.available_after"
        " FROM wallet_posting o WHERE o.journal_id = wallet_posting.journal_id AND o.line = 3 - wallet_posting.line"
        " AND wallet_posting.journal_id = {last}",
        # So does a boundary that moves between texts, codes and hashes.
        "UPDATE wallet_posting SET currency = CASE line WHEN 1 THEN 'EUR,EUR' END WHERE journal_id = {last}",
        "UPDATE wallet_posting SET currency = CASE line WHEN 1 THEN 'EU' ELSE 'REUR' END WHERE journal_id = {last}",
        "UPDATE wallet_journal SET description = CASE id WHEN {last} THEN substr(description, 2) ELSE description || 'A' END"
        " WHERE id IN ({last}, {last} - 1)",
        "UPDATE wallet_journal SET content_hash = CASE id WHEN {last} THEN substr(content_hash, 2) ELSE content_hash ||"
        " (SELECT substr(content_hash, 1, 1) FROM wallet_journal WHERE id = {last}) END WHERE id IN ({last}, {last} - 1)",
        # And numbers that would carry into their neighbours.
        "UPDATE wallet_posting SET layer = 1 - 32768, line = line + 1 WHERE journal_id = {last} AND line = 2",
        "UPDATE wallet_posting SET layer = -16, line = 3 WHERE journal_id = {last} AND line = 2",
        "UPDATE wallet_posting SET line = -32767 WHERE journal_id = {last} AND line = 2",
        "UPDATE wallet_journal SET brand_id = brand_id - 1, id = id + 8192 WHERE id = {last}",
        "UPDATE wallet_posting SET account_id = NULL WHERE journal_id = {last} AND line = 2",
        "DELETE FROM wallet_posting WHERE journal_id = {last} AND line = 2",
        "DELETE FROM wallet_journal WHERE id = {last}",
        "INSERT INTO wallet_posting (journal_id, line, account_id, currency, layer, amount_minor, posted_at)"
        " SELECT {last} + 1, 1, account_id, 'EUR', 0, 5, posted_at FROM wallet_posting WHERE journal_id = {last} AND line = 2",
    ],
)
def test_what_leaves_the_joined_values_alike_changes_the_digest_all_the_same(last, change):
    before = everything()
    without_constraints(change.format(last=last))
    assert everything() != before


def test_rows_that_were_not_changed_give_the_digest_again(last):
    before = everything()
    without_triggers(f"UPDATE wallet_posting SET amount_minor = amount_minor WHERE journal_id = {last - 1}")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE wallet_journal ADD COLUMN later integer DEFAULT 3")
    assert everything() == before, "neither the order on disk nor a new column says anything"
    assert rows_digest(last, last)[1:] == (1, 2)


def test_a_range_of_many_blocks_is_read_whole(last, monkeypatch):
    before = rows_digest(1, last)
    monkeypatch.setattr(row_digests, "JOURNALS_PER_BLOCK", 2)
    again = rows_digest(1, last)
    assert (again.journals, again.postings) == (before.journals, before.postings) == (4, 8)
    for line in (1, 2):
        without_triggers(f"UPDATE wallet_posting SET amount_minor = 9 WHERE journal_id = {last} AND line = {line}")
        assert rows_digest(1, last).digest != again.digest


def test_a_seal_whose_digest_was_made_in_the_first_way_is_proved_by_its_journals(last):
    seal = seals.seal_pending()
    assert is_comparable(bytes(seal.rows_digest))
    first_form = hashlib.sha256(b"as the rows went over the wire").digest()
    hashed = seals.seal_digest(
        previous=b"",
        root_hash=bytes(seal.root),
        journals=seal.journal_count,
        first=seal.first_journal_id,
        last=seal.last_journal_id,
        through=seal.through_at,
        rows=first_form,
    )
    without_triggers(
        "UPDATE wallet_ledgerseal SET rows_digest = %s, seal_hash = %s, signature = %s",
        first_form,
        hashed,
        keys.signing_key().sign(hashed),
    )
    assert not is_comparable(bytes(LedgerSeal.objects.get().rows_digest))
    assert verify().problems == []
    without_triggers(f"UPDATE wallet_journal SET description = 'x' WHERE id = {last}")
    assert f"journal {last} (j2) was changed" in verify().problems[0]


def test_nobody_turns_a_seal_into_one_of_the_first_form(last):
    """Its digest is part of what is signed."""
    seal = seals.seal_pending()
    without_triggers("UPDATE wallet_ledgerseal SET rows_digest = %s", bytes(seal.rows_digest)[1:])
    assert f"ledger seal {seal.pk} was changed: its hash does not chain" in verify().problems
