"""Closing batches. Writers never wait for one another or for the sealer: a seal takes what is committed and has no leaf yet."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm.db.bulk import copy_rows
from crm.models import AuditEvent, AuditLeaf, AuditSeal
from crm.security import keys
from crm.security.audit.merkle import leaf_hash, root

BATCH_ROWS_MAX = 50_000
# One canonical text per row, made by PostgreSQL: the same expression seals and verifies, whatever the client library.
ROW_TEXT = """
concat_ws('|', e.id, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), coalesce(e.actor_id, 0),
  encode(convert_to(e.actor_label, 'UTF8'), 'hex'), e.action, e.target_type,
  encode(convert_to(e.target_id, 'UTF8'), 'hex'), coalesce(e.client_id, 0), coalesce(e.brand_id, 0),
  coalesce(host(e.ip), ''), encode(convert_to(e.request_id, 'UTF8'), 'hex'), e.is_encrypted, encode(sha256(e.body), 'hex'))
"""
# A row is pending while it has no leaf, so a transaction that commits late is sealed late, never skipped. The search starts
# at the horizon of the last seal: transactions older than that had ended by then, and everything of theirs is sealed.
PENDING = f"""
SELECT e.id, {ROW_TEXT} FROM crm_auditevent e
WHERE e.transaction_id >= %s AND NOT EXISTS (SELECT 1 FROM crm_auditleaf l WHERE l.event_id = e.id)
ORDER BY e.id LIMIT {BATCH_ROWS_MAX}
"""  # noqa: S608 — constants of this module only


def seal_digest(*, previous: bytes, root_hash: bytes, leaf_count: int, sealed_at: str) -> bytes:
    """Hash what a seal signs: the seal before, the root over its rows, their number and the time."""
    return hashlib.sha256(b"|".join([previous, root_hash, str(leaf_count).encode(), sealed_at.encode()])).digest()


def unsealed(most: int) -> tuple[int, dt.datetime | None]:
    """Count the rows that wait for their seal, up to `most`, and return when the oldest of them was written."""
    rows = AuditEvent.objects.filter(
        ~Exists(AuditLeaf.objects.filter(event_id=OuterRef("pk"))), transaction_id__gte=_horizon()
    ).order_by("id")
    times = list(rows.values_list("at", flat=True)[:most])
    return len(times), min(times, default=None)


def _horizon() -> int:
    """Return the transaction from which on a row can be unsealed."""
    last = AuditSeal.objects.order_by("-id").values_list("horizon", flat=True).first()
    return last or 0


@transaction.atomic
def seal_pending() -> AuditSeal | None:
    """Seal what is finished and unsealed; None when there is nothing. One sealer at a time (advisory lock)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.audit.seal'))")
    previous = AuditSeal.objects.order_by("-id").first()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        oldest_running = cursor.fetchone()[0]
        # After a restore into another cluster transaction ids start again: search everything once.
        horizon = previous.horizon if previous and previous.horizon <= oldest_running else 0
        cursor.execute(PENDING, [horizon])
        rows = cursor.fetchall()
    if not rows:
        return None
    hashes = [leaf_hash(text.encode()) for _pk, text in rows]
    sealed_at = timezone.now()
    root_hash = root(hashes)
    digest = seal_digest(
        previous=bytes(previous.seal_hash) if previous else b"",
        root_hash=root_hash,
        leaf_count=len(rows),
        sealed_at=sealed_at.isoformat(),
    )
    seal = AuditSeal.objects.create(
        previous=previous,
        sealed_at=sealed_at,
        leaf_count=len(rows),
        root=root_hash,
        seal_hash=digest,
        signature=keys.signing_key().sign(digest),
        horizon=oldest_running if len(rows) < BATCH_ROWS_MAX else horizon,
    )
    copy_rows(
        AuditLeaf._meta.db_table,
        ["event_id", "seal_id", "position", "leaf_hash"],
        ((pk, seal.pk, position, leaf) for position, ((pk, _text), leaf) in enumerate(zip(rows, hashes, strict=True))),
    )
    return seal
