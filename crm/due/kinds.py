"""The kinds of due rows. An app declares each beside its handler; the sweeper and the pages know no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from crm.models import DueRow

KINDS: dict[str, DueKind] = {}
# Nine tries over about a day, as for events; then a person reads the error on the page of failed rows.
BACK_OFF_SECONDS = (2, 10, 30, 120, 600, 3600, 4 * 3600, 18 * 3600)
BATCH = 500


@dataclass(frozen=True, eq=False)
class DueKind:
    """A kind of due row: its code, its name on pages, and what is done when a row is due.

    Give one of two handlers. `handler` gets one row, `batch_handler` gets up to `batch` rows and handles them in a few
    statements; a batch that fails is handled row by row. Both check under their own lock whether there is still something to
    do, and may set the same row again. `permission` is the right to see such rows on the client's page; without one, whoever
    sees the client does.
    """

    code: str
    label: str | Promise
    handler: Callable[[DueRow], None] | None = None
    batch_handler: Callable[[list[DueRow]], None] | None = None
    batch: int = BATCH
    permission: str = ""
    back_off_seconds: tuple[int, ...] = BACK_OFF_SECONDS

    def __post_init__(self) -> None:
        if (self.handler is None) == (self.batch_handler is None):
            raise TypeError(f"{self.code} needs either a handler or a batch handler")

    @property
    def rows_at_once(self) -> int:
        return self.batch if self.batch_handler else 1

    def handle(self, rows: list[DueRow]) -> None:
        if self.batch_handler is not None:
            self.batch_handler(rows)
        elif self.handler is not None:
            for row in rows:
                self.handler(row)


def declare(kind: DueKind) -> DueKind:
    """Register a kind. Raises: TypeError when its code is taken."""
    if kind.code in KINDS:
        raise TypeError(f"two kinds of due rows are called {kind.code!r}")
    KINDS[kind.code] = kind
    return kind


def label_of(code: str) -> str:
    """Name a stored kind for a reader; the code itself for one that nobody declares any more."""
    return str(KINDS[code].label) if code in KINDS else code
