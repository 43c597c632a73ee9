"""The seal that covers a journal, and its proof: the hashes from the journal's own up to the signed root."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from crm.security import keys
from crm.security.audit.merkle import Tree, leaf_hash, root_from_proof
from wallet.models import Journal, LedgerSeal


@dataclass(frozen=True, slots=True)
class SealProof:
    """siblings: hashes from the leaf up, each with its side (L or R)."""

    seal: LedgerSeal
    leaf: str
    siblings: tuple[tuple[str, str], ...]
    root: str
    is_signed: bool

    @property
    def holds(self) -> bool:
        """Whether leaf and siblings give the sealed root, and the instance's key signed it."""
        siblings = [(side, bytes.fromhex(text)) for side, text in self.siblings]
        return self.is_signed and root_from_proof(bytes.fromhex(self.leaf), siblings).hex() == self.root


def seal_of(journal: Journal) -> LedgerSeal | None:
    """Find the seal that covers a journal; None while it is not sealed yet."""
    rows = LedgerSeal.objects.filter(last_journal_id__gte=journal.pk).order_by("id")
    seal = rows.first()
    return seal if seal is not None and seal.first_journal_id <= journal.pk else None


def proof_of(journal: Journal, seal: LedgerSeal) -> SealProof | None:
    """Rebuild the seal's tree from the journals as they are; None when this one is not among them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, content_hash FROM wallet_journal WHERE id BETWEEN %s AND %s ORDER BY id",
            [seal.first_journal_id, seal.last_journal_id],
        )
        rows = cursor.fetchall()
    position = next((place for place, (pk, _hash) in enumerate(rows) if pk == journal.pk), None)
    if position is None:
        return None
    leaves = [leaf_hash(bytes(content)) for _pk, content in rows]
    siblings = tuple((side, sibling.hex()) for side, sibling in Tree(leaves).proof(position))
    return SealProof(seal, leaves[position].hex(), siblings, bytes(seal.root).hex(), _is_signed(seal))


def _is_signed(seal: LedgerSeal) -> bool:
    return keys.is_signed_by_us(bytes(seal.signature), bytes(seal.seal_hash))
