"""The checks of a document: each a small module that looks at one thing and names what it finds.

    def check(sheet: Sheet) -> Iterator[Finding]: …

They run in this order on one `Sheet`; what one reads (the zone, the text) the next may use. A check that breaks is noted and
does not stop the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kyc.examination import address, duplicates, face, identity, legibility, zone
from kyc.examination.sheet import Finding, Sheet

Check = Callable[[Sheet], Iterator[Finding]]
CHECKS: tuple[tuple[str, Check], ...] = (
    ("zone", zone.check),
    ("legibility", legibility.check),
    ("identity", identity.check),
    ("face", face.check),
    ("address", address.check),
    ("duplicates", duplicates.check),
)
__all__ = ["CHECKS", "Check", "Finding", "Sheet"]
