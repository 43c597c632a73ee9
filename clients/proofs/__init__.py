"""What a client can prove: each app registers its proofs with the SQL that says who has them. KYC levels require proofs.

    proofs.register({"screening_clear": Proof(_("…"))}, sql="SELECT client_id, 'screening_clear' FROM …")  # compliance/facts.py

A proof that comes or goes makes the client's level another: the app publishes an event that `kyc.subscribers` listens to, or
calls `kyc.levels.reaching.note_proof`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crm.conditions.fields import Label


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof. step: the portal page where the client gets it, empty where they only wait for us. for_companies: only
    companies have it; None: companies and persons."""

    label: Label
    step: str = ""
    for_companies: bool | None = False

    def fits(self, *, is_company: bool) -> bool:
        return self.for_companies is None or self.for_companies == is_company


PROOFS: Final[dict[str, Proof]] = {}
_SOURCES: Final[list[str]] = []


def register(proofs: Mapping[str, Proof], *, sql: str) -> None:
    """Register proofs that one statement finds: (client id, code of the proof). No percent signs in it.

    Raises: TypeError for a code that is taken.
    """
    for code, proof in proofs.items():
        if code in PROOFS:
            raise TypeError(f"two proofs are called {code!r}")
        PROOFS[code] = proof
    _SOURCES.append(sql)


def all_sql() -> str:
    """Write the statement of (client id, code) of everything that clients have proved."""
    return " UNION ALL ".join(f"SELECT client_id, proof::text FROM ({sql}) s(client_id, proof)" for sql in _SOURCES)  # noqa: S608 — of constants


def label_of(code: str) -> str:
    """Name a proof for a reader; the code itself for one that no app registers any more."""
    return str(PROOFS[code].label) if code in PROOFS else code
