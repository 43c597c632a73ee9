"""Proving the log: every sealed row still hashes to its leaf, every seal to its root, every seal chains and is signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import connection

from crm.models import AuditLeaf, AuditSeal
from crm.security import keys
from crm.security.audit.merkle import Tree, leaf_hash, root
from crm.security.audit.seal import ROW_TEXT, seal_digest

# LEFT JOIN: a sealed row that was deleted shows as a leaf without its event.
SEALED_ROWS = f"""
SELECT l.position, l.event_id, l.leaf_hash, CASE WHEN e.id IS NULL THEN NULL ELSE {ROW_TEXT} END
FROM crm_auditleaf l LEFT JOIN crm_auditevent e ON e.id = l.event_id
WHERE l.seal_id = %s ORDER BY l.position
"""  # noqa: S608 — constants of this module only
# Their seal was removed and they were left: no chain leads to them any more.
WITHOUT_SEAL = """
SELECT l.event_id, l.seal_id FROM crm_auditleaf l
WHERE NOT EXISTS (SELECT 1 FROM crm_auditseal s WHERE s.id = l.seal_id) ORDER BY l.event_id LIMIT %s
"""
# Everything of a transaction that had ended when the last seal closed has a leaf. What has none came in by another door.
# (Transaction ids start again in a restored cluster: the horizon says something only once they have passed it.)
SLIPPED_IN = """
SELECT e.id FROM crm_auditevent e
WHERE e.transaction_id < %(horizon)s AND %(horizon)s <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  AND NOT EXISTS (SELECT 1 FROM crm_auditleaf l WHERE l.event_id = e.id) ORDER BY e.id LIMIT %(most)s
"""


@dataclass
class Verdict:
    seals: int = 0
    rows: int = 0
    unsealed: int = 0
    problems: list[str] = field(default_factory=list)
    head: str = ""

    @property
    def holds(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class Proof:
    """What an outsider needs to check one row: its text, the siblings up to the root, and the signed seal."""

    event_id: int
    row_text: str
    siblings: tuple[tuple[str, str], ...]
    seal_id: int
    root: str
    seal_hash: str
    signature: str
    position: int
    leaf_count: int
    sealed_at: str
    previous_hash: str


def verify(*, client_id: int | None = None, head: str = "", problems_max: int = 20) -> Verdict:
    """Prove the whole log, or check all seals and re-hash one client's rows. Memory is bounded by one seal.

    head: a head noted earlier (hex), kept where nobody who can write to the database can change it; it must still be in
    the chain. Nothing else can tell that the newest seals were cut off together with all their rows.
    """
    verdict = Verdict()
    previous_hash, previous_id, horizon = b"", None, 0
    seen_head = not head
    for seal in AuditSeal.objects.order_by("id").iterator():
        verdict.seals += 1
        _check_chain(seal, previous_hash, previous_id, verdict)
        if client_id is None:
            _check_rows(seal, verdict, problems_max)
        previous_hash, previous_id, horizon = bytes(seal.seal_hash), seal.pk, seal.horizon
        seen_head = seen_head or previous_hash.hex() == head.lower()
        if len(verdict.problems) >= problems_max:
            break
    if client_id is not None:
        verdict.problems += _client_problems(client_id, verdict)
    elif len(verdict.problems) < problems_max:
        verdict.problems += _outside_the_chain(horizon, problems_max)
    if not seen_head and len(verdict.problems) < problems_max:
        verdict.problems.append(f"the head {head} is not in the chain: seals were cut off or made anew")
    verdict.head = previous_hash.hex()
    verdict.unsealed = _unsealed()
    return verdict


def _check_chain(seal: AuditSeal, previous_hash: bytes, previous_id: int | None, verdict: Verdict) -> None:
    if seal.previous_id != previous_id:
        verdict.problems.append(f"seal {seal.pk} does not follow seal {previous_id}: a seal is missing")
    digest = seal_digest(
        previous=previous_hash,
        root_hash=bytes(seal.root),
        leaf_count=seal.leaf_count,
        sealed_at=seal.sealed_at.isoformat(),
    )
    if digest != bytes(seal.seal_hash):
        verdict.problems.append(f"seal {seal.pk} was changed: its hash does not chain")
    if not keys.is_signed_by_us(bytes(seal.signature), bytes(seal.seal_hash)):
        verdict.problems.append(f"seal {seal.pk} is not signed by this instance")


def _check_rows(seal: AuditSeal, verdict: Verdict, problems_max: int) -> None:
    hashes, problems = [], []
    due, last_id = 0, None
    with connection.cursor() as cursor:
        cursor.execute(SEALED_ROWS, [seal.pk])
        for position, event_id, expected, text in cursor.fetchall():
            verdict.rows += 1
            hashes.append(bytes(expected))
            if position != due:
                problems.append(f"{_between(last_id, event_id)} of seal {seal.pk} was deleted with its leaf")
            if text is None:
                problems.append(f"audit row {event_id} of seal {seal.pk} was deleted")
            elif leaf_hash(text.encode()) != bytes(expected):
                problems.append(f"audit row {event_id} of seal {seal.pk} was changed")
            due, last_id = position + 1, event_id
    if due < seal.leaf_count:
        problems.append(f"{_between(last_id, None)} of seal {seal.pk} was deleted with its leaf")
    if len(hashes) != seal.leaf_count or not hashes or root(hashes) != bytes(seal.root):
        problems.append(f"the leaves of seal {seal.pk} do not add up to its root")
    verdict.problems += problems[:problems_max]


def _between(before: int | None, after: int | None) -> str:
    """Say which row of a seal is missing: they are in the order of their ids, so the neighbours tell."""
    if before is not None and after is not None:
        return f"audit row {before + 1}" if after == before + 2 else f"an audit row between {before} and {after}"
    return f"an audit row after {before}" if before is not None else f"an audit row before {after}"


def _outside_the_chain(horizon: int, most: int) -> Iterator[str]:
    """Find rows that no seal vouches for although one should."""
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_SEAL, [most])
        for event_id, seal_id in cursor.fetchall():
            yield f"audit row {event_id} was sealed by seal {seal_id}, which is gone"
        cursor.execute(SLIPPED_IN, {"horizon": horizon, "most": most})
        for (event_id,) in cursor.fetchall():
            yield f"audit row {event_id} was slipped in: its transaction had ended before the last seal, which does not have it"


def _client_problems(client_id: int, verdict: Verdict) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.id, l.leaf_hash, {ROW_TEXT} FROM crm_auditevent e "  # noqa: S608
            "JOIN crm_auditleaf l ON l.event_id = e.id WHERE e.client_id = %s ORDER BY e.id",
            [client_id],
        )
        for event_id, expected, text in cursor:
            verdict.rows += 1
            if leaf_hash(text.encode()) != bytes(expected):
                yield f"audit row {event_id} was changed"


def _unsealed() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM crm_auditevent e WHERE NOT EXISTS (SELECT 1 FROM crm_auditleaf l WHERE l.event_id = e.id)"
        )
        unsealed: int = cursor.fetchone()[0]
        return unsealed


def prove(event_ids: list[int]) -> dict[int, Proof]:
    """Build inclusion proofs of sealed rows, one tree per seal; unsealed rows have none yet."""
    leaves = AuditLeaf.objects.filter(event_id__in=event_ids).select_related("seal__previous")
    places = {leaf.event_id: leaf for leaf in leaves}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT e.id, {ROW_TEXT} FROM crm_auditevent e WHERE e.id = ANY(%s)", [list(places)])  # noqa: S608
        texts = dict(cursor.fetchall())
    trees: dict[int, Tree] = {}
    proofs = {}
    for event_id, leaf in places.items():
        if leaf.seal_id not in trees:
            seal_leaves = AuditLeaf.objects.filter(seal_id=leaf.seal_id).order_by("position")
            trees[leaf.seal_id] = Tree([bytes(digest) for digest in seal_leaves.values_list("leaf_hash", flat=True)])
        proofs[event_id] = Proof(
            event_id=event_id,
            row_text=texts[event_id],
            siblings=tuple((side, h.hex()) for side, h in trees[leaf.seal_id].proof(leaf.position)),
            seal_id=leaf.seal_id,
            root=bytes(leaf.seal.root).hex(),
            seal_hash=bytes(leaf.seal.seal_hash).hex(),
            signature=bytes(leaf.seal.signature).hex(),
            position=leaf.position,
            leaf_count=leaf.seal.leaf_count,
            sealed_at=leaf.seal.sealed_at.isoformat(),
            previous_hash=bytes(leaf.seal.previous.seal_hash).hex() if leaf.seal.previous else "",
        )
    return proofs
