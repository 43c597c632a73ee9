"""RFC 6962 Merkle trees: leaf = SHA-256(0x00 ‖ data), node = SHA-256(0x01 ‖ left ‖ right)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf; its first byte differs from a node's, so that neither passes for the other (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two nodes into their parent."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Compute all levels from the leaves to the root; an odd last node moves up unchanged (equal to RFC 6962's split)."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        if len(below) % 2:
            above.append(below[-1])
        levels.append(above)
    return levels


def root(leaves: Sequence[bytes]) -> bytes:
    """Compute the root over leaf hashes. Raises: ValueError for none."""
    if not leaves:
        raise ValueError("a Merkle tree has at least one leaf")
    return _levels(leaves)[-1][0]


class Tree:
    """A tree kept for many proofs: its levels are made once."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.levels = _levels(leaves)

    def proof(self, position: int) -> list[tuple[str, bytes]]:
        """List the sibling hashes from the leaf up, each with the side it is on ('L' or 'R')."""
        proof = []
        for level in self.levels[:-1]:
            sibling = position ^ 1
            if sibling < len(level):
                proof.append(("L" if sibling < position else "R", level[sibling]))
            position //= 2
        return proof


def root_from_proof(leaf: bytes, proof: Sequence[tuple[str, bytes]]) -> bytes:
    """Compute the root that a leaf's proof leads to, to compare with the seal's."""
    current = leaf
    for side, sibling in proof:
        current = node_hash(sibling, current) if side == "L" else node_hash(current, sibling)
    return current
