"""Seals the ledger: from time to time everything posted so far is closed under a signed Merkle root.

Writers hold a shared advisory lock until they commit. The sealer takes it alone for one statement, so at that instant
no posting is in flight: the boundary it reads is complete, and whatever comes later has a later time. Balances of busy
house accounts are stored at that instant, so that reading one sums only what came after.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging

import psycopg
from django.db import OperationalError, connection, transaction

from crm.security import keys
from crm.security.audit.merkle import leaf_hash, root
from wallet.ledger.journal_proofs import wrong_journals
from wallet.ledger.row_digests import rows_digest
from wallet.models import LedgerSeal

logger = logging.getLogger(__name__)

WAIT_MS_MAX = 500
CHECKPOINT_POSTINGS_MIN = 50
BOUNDARY_LOCK = "keelson.ledger.seal"
SEALER_LOCK = "keelson.ledger.sealer"

KEEP_BALANCES = """
INSERT INTO wallet_checkpoint (account_id, at, balance_minor)
SELECT a.id, %(through)s, coalesce(c.balance_minor, 0) + s.total
FROM (SELECT DISTINCT account_id FROM wallet_posting WHERE journal_id BETWEEN %(first)s AND %(last)s) t
JOIN wallet_account a ON a.id = t.account_id AND NOT a.is_bounded
LEFT JOIN LATERAL (
  SELECT k.at, k.balance_minor FROM wallet_checkpoint k WHERE k.account_id = a.id ORDER BY k.at DESC LIMIT 1
) c ON true
JOIN LATERAL (
  SELECT sum(p.amount_minor) AS total, count(*) AS postings FROM wallet_posting p
  WHERE p.account_id = a.id AND p.version IS NULL AND p.layer = 0 AND p.posted_at > coalesce(c.at, '-infinity')
    AND p.posted_at <= %(through)s
) s ON s.postings >= %(minimum)s
"""


def seal_digest(
    *, previous: bytes, root_hash: bytes, journals: int, first: int, last: int, through: dt.datetime, rows: bytes = b""
) -> bytes:
    """Compute what is signed: over the root, its range, the digest of its rows, and the previous seal."""
    parts = [previous, root_hash, *(str(n).encode() for n in (journals, first, last)), through.isoformat().encode()]
    parts += [rows] if rows else []
    return hashlib.sha256(b"|".join(parts)).digest()


def merkle_root(first: int, last: int) -> tuple[bytes | None, int]:
    """Compute the root over the hashes of the journals in an id range; return it with their number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT content_hash FROM wallet_journal WHERE id BETWEEN %s AND %s ORDER BY id", [first, last])
        leaves = [leaf_hash(bytes(row[0])) for row in cursor]
    return (root(leaves) if leaves else None), len(leaves)


@transaction.atomic
def seal_pending() -> LedgerSeal | None:
    """Seal what was posted since the last seal; return None when there is nothing, or writers were too busy."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [SEALER_LOCK])
        if not cursor.fetchone()[0]:
            return None
    previous = LedgerSeal.objects.order_by("-id").first()
    first = previous.last_journal_id + 1 if previous else 1
    boundary = _boundary(first)
    if boundary is None:
        return None
    last, through = boundary
    for _pk, problem in wrong_journals(first, last):
        # What was changed before it was sealed is never signed; `verify_ledger` names all of it.
        logger.error("ledger not sealed: %s", problem)
        return None
    root_hash, journals = merkle_root(first, last)
    assert root_hash is not None
    rows = rows_digest(first, last).digest
    digest = seal_digest(
        previous=bytes(previous.seal_hash) if previous else b"",
        root_hash=root_hash,
        journals=journals,
        first=first,
        last=last,
        through=through,
        rows=rows,
    )
    seal = LedgerSeal.objects.create(
        previous=previous,
        through_at=through,
        first_journal_id=first,
        last_journal_id=last,
        journal_count=journals,
        root=root_hash,
        rows_digest=rows,
        seal_hash=digest,
        signature=keys.signing_key().sign(digest),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            KEEP_BALANCES, {"through": through, "first": first, "last": last, "minimum": CHECKPOINT_POSTINGS_MIN}
        )
    return seal


def _boundary(first: int) -> tuple[int, dt.datetime] | None:
    """Read the last journal and an instant with nothing in flight; None when nothing is new or writers are too busy."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {int(WAIT_MS_MAX)}")
            cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [BOUNDARY_LOCK])
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            return None
        raise
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT max(id), greatest(clock_timestamp(), max(posted_at)) FROM wallet_journal WHERE id >= %s",
                [first],
            )
            last, through = cursor.fetchone()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [BOUNDARY_LOCK])
    return None if last is None else (last, through)
