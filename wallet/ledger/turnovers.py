"""Sums the postings of bounded accounts while their digests are read: no second pass over the rows."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple

import numpy as np
from django.db import connection

from wallet.choices.ledger import Layer
from wallet.ledger.row_digests import FLAG_BITS, LAYER_BITS, PostingColumns

IDS_MAX = 2_000_000  # 40 bytes an id are held; accounts beyond are added up by PostgreSQL, range by range
CREDITS, DEBITS, HELD = 0, 1, 2  # slots of an account: credits, debits, credits held, debits held
SLOTS = 4
MARKS, FLAGS = (1 << LAYER_BITS) - 1, (1 << FLAG_BITS) - 1


class TurnoverSnapshot(NamedTuple):
    """What is known of a range of accounts up to a journal, each an array as PostgreSQL writes one.

    Ids, how many postings, and minor units in each counter.
    """

    through_journal: int = 0
    ids: str = "{}"
    version: str = "{}"
    credits: str = "{}"
    debits: str = "{}"
    credits_held: str = "{}"
    debits_held: str = "{}"


class Turnovers:
    """The counters of bounded accounts, added up by as many threads as hand over postings.

    A reservation holds credits and debits, what resolves it has the other sign and takes them off. `is_whole` turns
    false when some postings can't be told apart; then nothing is known.
    """

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM wallet_account")
            self.highest = min(int(cursor.fetchone()[0]), IDS_MAX)
        self.is_whole = True
        self._versions = np.zeros(self.highest + 1, dtype=np.int64)
        self._sums = np.zeros((self.highest + 1) * SLOTS, dtype=np.int64)
        self._lock = Lock()

    def add(self, columns: PostingColumns) -> None:
        """Add a block of postings, as the server joined them.

        One without a version is counted at account 0, which is none.
        """
        packed, accounts, amounts = columns
        if not len(packed) == len(accounts) == len(amounts):  # a NULL where none can be
            self.is_whole = False
        if not self.is_whole or not len(packed):
            return
        marks = packed & MARKS
        is_debit = amounts < 0
        if marks.max() <= 1:  # money only: a block's usual case
            has_version, slots = marks, is_debit
        else:
            layers, has_version = marks >> FLAG_BITS, marks & 1
            if layers.max() > Layer.RELEASED or (marks & FLAGS).max() > 1:
                self.is_whole = False
                return
            slots = HELD * (layers > 0) + (is_debit ^ (layers == Layer.RELEASED))
        theirs = accounts * has_version
        if theirs.max() > self.highest or theirs.min() < 0:
            theirs *= (theirs >= 0) & (theirs <= self.highest)
        with self._lock:
            np.add.at(self._versions, theirs, 1)
            np.add.at(self._sums, theirs * SLOTS + slots, amounts)

    def known(self, after: int, through: int, *, read_through: int) -> TurnoverSnapshot:
        """Return the counters of accounts with ids from after + 1 to through, once the journals up to one are read."""
        if not self.is_whole or through > self.highest:
            return TurnoverSnapshot()
        versions = self._versions[after + 1 : through + 1]
        moved = np.flatnonzero(versions)
        sums = self._sums.reshape(-1, SLOTS)[after + 1 : through + 1][moved]
        counters = (sums[:, slot] * (-1 if slot & DEBITS else 1) for slot in range(SLOTS))
        columns = (moved + after + 1, versions[moved], *counters)
        return TurnoverSnapshot(read_through, *("{" + ",".join(map(str, column.tolist())) + "}" for column in columns))
