"""The checks of a document: each a small function that looks at one thing and gives a verdict.

    def check(sheet: Sheet) -> Iterator[Result]: …

First the page is read (the zone, the print), then every check that applies runs on the same `Sheet`. A check that breaks is
noted and does not stop the others; one that says nothing counts as unsure. A new check is a function here, named in CHECKS with
the kinds of document it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kyc.choices import IDENTITY_KINDS, DocumentKind, Side
from kyc.examination import (
    address,
    duplicates,
    face,
    identity,
    legibility,
    licences,
    originals,
    tampering,
    visual,
    zone,
)
from kyc.examination.sheet import Result, Sheet

IDENTITY = tuple(IDENTITY_KINDS)


@dataclass(frozen=True)
class Check:
    """A check: its name, the kinds of document it is for, and on which of their pages it has something to look at."""

    name: str
    kinds: tuple[DocumentKind, ...]
    run: Callable[[Sheet], Iterator[Result]]
    applies: Callable[[Sheet], bool] = lambda sheet: True

    def is_for(self, sheet: Sheet) -> bool:
        """Tell whether the check has something to say about this page."""
        return sheet.kind in self.kinds and self.applies(sheet)


def _has_zone(sheet: Sheet) -> bool:
    return sheet.zone is not None


def _names_holder(sheet: Sheet) -> bool:
    """Tell whether a page shows the holder's data: any with a zone, and every front."""
    return sheet.zone is not None or sheet.side == Side.FRONT


def _has_numbered_fields(sheet: Sheet) -> bool:
    return sheet.side == Side.FRONT and sheet.zone is None and sheet.printed is not None


def _has_face(sheet: Sheet) -> bool:
    return sheet.side == Side.FRONT


CHECKS: tuple[Check, ...] = (
    Check("zone", IDENTITY, zone.check, lambda sheet: sheet.wants_zone or sheet.zone is not None),
    Check("kind", IDENTITY, identity.kind, _names_holder),
    Check("state", IDENTITY, identity.state, _has_zone),
    Check("name", IDENTITY, identity.name, _names_holder),
    Check("birth", IDENTITY, identity.birth, _names_holder),
    Check("age", IDENTITY, identity.age, _names_holder),
    Check("expiry", IDENTITY, identity.expiry, _names_holder),
    Check("nationality", IDENTITY, identity.nationality, _has_zone),
    Check("sex", IDENTITY, identity.sex, lambda sheet: sheet.zone is not None and bool(sheet.subject.sex)),
    Check("printed_number", IDENTITY, visual.number, visual.has_print),
    Check("printed_name", IDENTITY, visual.name, visual.has_print),
    Check("printed_birth", IDENTITY, visual.birth, visual.has_print),
    Check("printed_expiry", IDENTITY, visual.expiry, visual.has_print),
    Check("printed_sex", IDENTITY, visual.sex, visual.has_print),
    Check("printed_nationality", IDENTITY, visual.nationality, visual.has_print),
    Check("face", (*IDENTITY, DocumentKind.SELFIE), face.check, _has_face),
    Check("licence", (DocumentKind.DRIVING_LICENCE,), licences.check, _has_numbered_fields),
    Check("original", IDENTITY, originals.check),
    Check("tampering", (*IDENTITY, DocumentKind.PROOF_OF_ADDRESS), tampering.check),
    Check("address", (DocumentKind.PROOF_OF_ADDRESS,), address.check),
    Check("legibility", tuple(DocumentKind), legibility.check),
    Check("duplicates", tuple(DocumentKind), duplicates.check),
)


def read(sheet: Sheet) -> None:
    """Read what the checks compare: the zone, then the print."""
    if sheet.is_identity:
        zone.read(sheet)
        visual.read(sheet)
        licences.read(sheet)


__all__ = ["CHECKS", "Check", "Result", "Sheet", "read"]
