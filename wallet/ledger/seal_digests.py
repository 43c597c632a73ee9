"""Recomputes the digests of seals: which of them are wrong, and the sums of the postings that are read for them."""

from __future__ import annotations

from threading import Lock

from wallet.ledger.row_digests import rows_digest
from wallet.ledger.turnovers import Turnovers
from wallet.models import LedgerSeal

SEALS_PER_STEP = 2


class SealDigests:
    """The seals whose digests are wrong, read by as many threads as call `read`, each with a connection of its own.

    doubtful: id → range of journals, of the seals whose rows must be checked one by one; through: the last journal
    that is sealed; journals, postings: how many were read. All are complete when every reader has ended.
    """

    def __init__(self, *, deep: bool) -> None:
        self.deep = deep
        self.doubtful: dict[int, tuple[int, int]] = {}
        self.through = self.journals = self.postings = 0
        self.turnovers = Turnovers()
        self._after = 0
        self._lock = Lock()

    def read(self) -> None:
        while seals := self._take():
            for pk, first, last, stored in seals:
                read = rows_digest(first, last, on_postings=self.turnovers.add)
                with self._lock:
                    self.journals += read.journals
                    self.postings += read.postings
                    if self.deep or read.digest != bytes(stored or b""):
                        self.doubtful[pk] = (first, last)

    def in_doubt(self) -> list[tuple[int, int]]:
        return [self.doubtful[pk] for pk in sorted(self.doubtful)]

    def _take(self) -> list[tuple[int, int, int, bytes]]:
        """Return the next few seals that no thread has read."""
        columns = ("id", "first_journal_id", "last_journal_id", "rows_digest")
        with self._lock:
            seals = list(
                LedgerSeal.objects.filter(id__gt=self._after).order_by("id").values_list(*columns)[:SEALS_PER_STEP]
            )
            for pk, first, last, _kept in seals:
                if first != self.through + 1:  # a seal is missing, and what it covers was not read
                    self.turnovers.is_whole = False
                self._after, self.through = pk, last
        return seals
