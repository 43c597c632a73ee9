"""Movements of the past, so that settlement reports know what a seeded back office knows.

From a file of JSON lines (`{"psp", "type", "psp_reference", "merchant_reference", "gross_minor", "fee_minor", "currency",
"created_at"}`) that is loaded when it appears, or through the switchboard. A movement known already stays as it is. A past
payment can be given back like one that was made here.
"""

import json
import logging
import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.psp.characters import CHARACTERS
from sandbox.psp.store import Store

log = logging.getLogger("sandbox.psp.history")
LOOK_SECONDS = 1.0


class InvalidMovementError(ValueError):
    """A line that is no movement; nothing of its file was taken in."""


def add_movements(store: Store, movements: Iterable[dict[str, Any]], psp: str = "") -> tuple[int, int]:
    """Take in all or none; answers how many were given and how many were new."""
    rows = []
    for number, row in enumerate(movements):
        try:
            code = psp or row["psp"]
            if code not in CHARACTERS:
                raise ValueError(f"no PSP called {code}")
            rows.append(
                (
                    code,
                    row["type"],
                    row["psp_reference"],
                    row["merchant_reference"],
                    row.get("original_reference", ""),
                    int(row["gross_minor"]),
                    int(row.get("fee_minor", 0)),
                    row["currency"],
                    row.get("method", ""),
                    datetime.fromisoformat(row["created_at"]).timestamp(),
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidMovementError(f"Movement {number}: {error!r}") from None
    with store.transaction():
        added = store.run_many(
            "INSERT OR IGNORE INTO movements (psp, type, psp_reference, merchant_reference, original_reference, "
            "gross_minor, fee_minor, currency, method, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        _keep_payments(store)
    return len(rows), max(added, 0)


def _keep_payments(store: Store) -> None:
    """Payments that are known as movements only: captured, less what went back of them."""
    store.run(
        "INSERT OR IGNORE INTO payments (id, psp, reference, amount_minor, received_minor, refunded_minor, currency, "
        "method, status, return_url, request_hash, token, created_at, updated_at) "
        "SELECT m.psp_reference, m.psp, m.merchant_reference, m.gross_minor, m.gross_minor, "
        "(SELECT COALESCE(-SUM(back.gross_minor), 0) FROM movements AS back "
        "WHERE back.psp = m.psp AND back.original_reference = m.psp_reference AND back.gross_minor < 0), "
        "m.currency, m.method, 'captured', '', '', 'past_' || m.psp || '_' || m.psp_reference, m.created_at, m.created_at "
        "FROM movements AS m WHERE m.type = 'payment' AND m.gross_minor > 0 "
        "AND NOT EXISTS (SELECT 1 FROM payments WHERE payments.id = m.psp_reference)"
    )


class HistoryFile(threading.Thread):
    """Loads a file as soon as it is there, and again when it is another one."""

    def __init__(self, store: Store, path: Path) -> None:
        super().__init__(name="history", daemon=True)
        self.store, self.path = store, path
        self._seen: tuple[int, int] | None = None
        self._stopping = threading.Event()

    def run(self) -> None:
        while True:
            try:
                self.look()
            except (OSError, ValueError):
                log.exception("%s can't be read", self.path)
            if self._stopping.wait(LOOK_SECONDS):
                return

    def stop(self) -> None:
        self._stopping.set()

    def look(self) -> int | None:
        """How many movements were new; None when there is nothing to read."""
        if not self.path.is_file():
            return None
        info = self.path.stat()
        stamp = (info.st_mtime_ns, info.st_size)
        if stamp == self._seen:
            return None
        self._seen = stamp
        with self.path.open(encoding="utf-8") as lines:
            _given, added = add_movements(self.store, [json.loads(line) for line in lines if line.strip()])
        return added
