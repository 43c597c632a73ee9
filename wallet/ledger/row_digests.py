"""Computes one digest over all rows of an id range of journals, which a seal signs to prove that no row was changed.

A row is too little work to be handed out of PostgreSQL one by one: the server joins the values of each column of a
block, and the columns are hashed here (its own SHA-256 may be one without the processor's help).

Other rows must never give the same columns. Values of a fixed width need nothing between them; a text never holds a
zero byte; a currency holds no comma, and is counted; a word separates hashes, which sealed ones do not hold (2⁻⁶⁴); a
posting's flag marks which of its three balances are NULL, because those leave no trace; columns that are rarely filled
go as a record of their own. Line, layer and flag have room for whatever a smallint can be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import psycopg
from django.db import connection

# What is joined of a block stays in the processor's cache; at most 8,192 fit beside a brand in JOURNAL_ROWS.
JOURNALS_PER_BLOCK = 1024
# Before the hash: the way in which it is made. A seal whose digest was made in another way is proved journal by journal.
FORM = b"3"

RARE = "reverses_id, resolves_id, fx_rate, fx_rate_on, actor_id, imported_at, expires_at"
# Every column by its name: a new column of the table changes no digest.
JOURNAL_ROWS = f"""
SELECT count(*), string_agg(int8send(id - block.first + brand_id * 8192), NULL),
  string_agg(textsend(kind), '\\x00'), string_agg(textsend(phase), '\\x00'),
  string_agg(textsend(idempotency_key), '\\x00'), string_agg(textsend(description), '\\x00'),
  string_agg(timestamptz_send(posted_at), NULL), string_agg(date_send(business_on), NULL),
  string_agg(request_hash, 'keelson:'), string_agg(content_hash, 'keelson:'),
  string_agg(CASE WHEN ROW({RARE}) IS NULL THEN NULL ELSE record_send(ROW(id, {RARE})) END, NULL)
FROM (SELECT * FROM wallet_journal WHERE id BETWEEN block.first AND block.last ORDER BY id) j
"""  # noqa: S608 (our own names)
BALANCES = "version, balance_after, available_after"
FLAG = f"""CASE WHEN ROW({BALANCES}) IS NULL THEN 0 WHEN ROW({BALANCES}) IS NOT NULL THEN 1
  ELSE 8 + (version IS NULL)::int + (balance_after IS NULL)::int * 2 + (available_after IS NULL)::int * 4 END"""
LAYER_BITS, FLAG_BITS = 20, 4  # of the packed number: the last ones are layer and flag, and the last of them the flag
POSTING_ROWS = f"""
SELECT count(*),
  string_agg(int8send((journal_id - block.first) * 137438953472 + line * 1048576::bigint + (layer * 16 + {FLAG})), NULL),
  string_agg(int8send(account_id), NULL), string_agg(int8send(amount_minor), NULL), string_agg(currency, ','), count(currency),
  string_agg(timestamptz_send(posted_at), NULL), string_agg(int8send(version), NULL),
  string_agg(int8send(balance_after), NULL), string_agg(int8send(available_after), NULL)
FROM (SELECT * FROM wallet_posting WHERE journal_id BETWEEN block.first AND block.last ORDER BY journal_id, line) p
"""  # noqa: S608 (our own names)
BLOCKS = f"""
SELECT p.*, j.* FROM (
  SELECT first, least(first + %(size)s - 1, %(last)s) AS last FROM generate_series(%(begin)s::bigint, %(last)s, %(size)s) b (first)
) block, LATERAL ({JOURNAL_ROWS}) j, LATERAL ({POSTING_ROWS}) p
"""  # noqa: S608 (our own names)
POSTINGS, NUMBERS, JOURNALS = 0, slice(1, 4), 10  # places in a row of it: two counts, what `PostingColumns` holds


class RowsRead(NamedTuple):
    """The digest over the rows of an id range, and how many they are."""

    digest: bytes
    journals: int
    postings: int


class PostingColumns(NamedTuple):
    """Of a block of postings: journal, line, layer and flag in one number, account, minor units."""

    packed: np.ndarray
    accounts: np.ndarray
    amounts: np.ndarray


def rows_digest(
    first: int, last: int, *, on_postings: Callable[[PostingColumns], None] = lambda _columns: None
) -> RowsRead:
    """Compute the digest over all journals and postings in an id range, in memory for one block of them.

    on_postings: gets the postings of each block, for other work on them while they are in memory. It can't use this
    thread's connection.
    """
    digest, journals, postings = hashlib.sha256(), 0, 0
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:  # Django's own knows no binary answers
        values = {"begin": first, "last": last, "size": JOURNALS_PER_BLOCK}
        for columns in cursor.stream(BLOCKS, values, binary=True):
            journals += columns[JOURNALS]
            postings += columns[POSTINGS]
            for column in columns:
                value = _bytes(column)
                digest.update(b"%d:" % len(value))
                digest.update(value)
            on_postings(PostingColumns(*(_numbers(column) for column in columns[NUMBERS])))
    return RowsRead(FORM + digest.digest(), journals, postings)


def _numbers(column: bytes | None) -> np.ndarray:
    return np.frombuffer(column or b"", dtype=">i8").astype(np.int64)


def is_comparable(digest: bytes) -> bool:
    """Tell whether a seal's digest was made as `rows_digest` makes them now.

    The first form was a bare SHA-256 over another stream.
    """
    return len(digest) == len(FORM) + hashlib.sha256().digest_size and digest.startswith(FORM)


def _bytes(column: Any) -> bytes:
    if column is None:
        return b""
    return column if isinstance(column, bytes) else str(column).encode()
