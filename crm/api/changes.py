"""`updated_since`: a list in the order of its records' changes, from where the caller stopped the last time.

Only changes that are complete are listed (`crm.db.change_numbers`): what open transactions write comes with a later call.
A record that changes again moves to its new place, so each is delivered in its latest version, at least once after a change.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from django.db.models import F, Q
from django.db.models.fields.tuple_lookups import TupleGreaterThan

from crm.api.problems import ApiProblem
from crm.db.change_numbers import read_limit

BEGINNING: Final = "beginning"
ORDER: Final = ("changed_in", "id")
ID_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """The changes behind a mark, up to the limit at which they were complete when this was read."""

    history: str
    until: int
    changed_in: int = 0
    id: int = 0

    @property
    def condition(self) -> Q:
        """Behind the mark and below the limit, as one range of the index: one import may have changed a million records."""
        behind = TupleGreaterThan(tuple(map(F, ORDER)), (self.changed_in, self.id))
        return Q(behind, changed_in__lt=self.until)

    def mark(self, last: Sequence[int] | None) -> str:
        """Write where the next call goes on: behind the last record of a full page, else at the limit."""
        changed_in, record_id = last or (self.until, 0)
        text = orjson.dumps([self.history, changed_in, record_id])
        return base64.urlsafe_b64encode(text).decode().rstrip("=")


def stretch_after(text: str) -> Stretch:
    """Read a mark, or `beginning`. Raises: ApiProblem."""
    limit = read_limit()
    if text == BEGINNING:
        return Stretch(limit.history, limit.complete_until)
    history, changed_in, record_id = _read(text)
    if history != limit.history:
        raise ApiProblem("expired_cursor", "The database was restored since. Start again with updated_since=beginning.")
    return Stretch(limit.history, limit.complete_until, changed_in, record_id)


def _read(text: str) -> tuple[str, int, int]:
    try:
        values = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise ApiProblem("invalid_cursor", "updated_since is beginning, or updated_until of an answer.") from error
    match values:
        case [str(history), int(changed_in), int(record_id)] if 0 <= changed_in <= ID_MAX and 0 <= record_id <= ID_MAX:
            return history, changed_in, record_id
    raise ApiProblem("invalid_cursor", "updated_since is beginning, or updated_until of an answer.")
