"""All accounts by WebServices, in pages. The list knows no page, but a span of registration: spans that bring about as many
accounts each are learned from one reading for the next.

So a pass over a hundred thousand accounts is fifty answers that fit into memory, and some accounts are read from the pages
that hold them instead of from the whole list.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from trading.platforms.ctrader import units
from trading.platforms.ctrader.parts import DAY_MSC, TRADERS, Parts
from trading.platforms.errors import ReadTimedOut

PAGE_ROWS: Final = 2000
FIRST_MSC: Final = units.milliseconds(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
CROWDED_MSC: Final = units.milliseconds(dt.datetime(2012, 1, 1, tzinfo=dt.UTC))  # hardly anybody was registered before
FIRST_SPAN_MSC: Final = 182 * DAY_MSC  # of a page, until it is known how many there are
EDGE_MSC: Final = 2_000
KNOWN_SECONDS: Final = 60.0  # a login that a whole pass did not bring is not looked for by another so soon
Span = tuple[int, int]
"""Milliseconds of registration from the first up to, not including, the second."""


class Spans:
    """The pages of one server, for all its connections in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._starts = [FIRST_MSC]
        self._is_learned = False
        self._registered: dict[str, int] = {}
        self.passed_at = float("-inf")

    def plan(self) -> list[Span]:
        """List spans that hold everybody: the last one ends tomorrow."""
        end = int(time.time() * 1000) + DAY_MSC
        with self._lock:
            starts = [start for start in self._starts if start < end]
            if not self._is_learned:
                starts += range(CROWDED_MSC, end, FIRST_SPAN_MSC)
        return list(zip(starts, [*starts[1:], end], strict=True))

    def note(self, rows: Iterable[tuple[str, int]]) -> None:
        with self._lock:
            self._registered.update(rows)

    def learn(self, starts: list[int]) -> None:
        with self._lock:
            self._starts, self._is_learned, self.passed_at = starts, True, time.monotonic()

    def holding(self, logins: Iterable[str]) -> list[Span] | None:
        """Find the pages of these logins; None where one is not known, and a whole pass has to search for it."""
        plan = self.plan()
        starts = [start for start, _end in plan]
        with self._lock:
            times = [self._registered.get(login) for login in logins]
            is_unknown = None in times
            if is_unknown and time.monotonic() - self.passed_at > KNOWN_SECONDS:
                return None
        numbers = {max(0, bisect_right(starts, at) - 1) for at in times if at is not None}
        if is_unknown:
            numbers.add(len(plan) - 1)  # somebody new
        return [plan[number] for number in sorted(numbers)]


class _Learning:
    """Begins of the next pass's pages: small ones joined, large ones cut."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self._held = 0

    def take(self, span: Span, times: Sequence[int], count: int) -> None:
        if not self.starts or self._held + count > PAGE_ROWS:
            self.starts.append(span[0])
            self._held = 0
        self._held += count
        if self._held > 2 * PAGE_ROWS:
            for number in range(PAGE_ROWS, len(times), PAGE_ROWS):
                if times[number] > self.starts[-1]:
                    self.starts.append(times[number])
                    self._held = len(times) - number


_spans: dict[str, Spans] = {}


class RollPart(Parts):
    """Lists of accounts."""

    @property
    def spans(self) -> Spans:
        return _spans.setdefault(f"{self.config.rest}/{self.config.broker}", Spans())

    def _registered_in(self, first: dt.datetime, last: dt.datetime) -> list[Any]:
        """Read the traders that were registered between two times, in one answer."""
        query: dict[str, object] = {"from": units.date_text(first), "to": units.date_text(last)}
        answer = self.rest.read("TRADERS", f"{TRADERS}/", query)
        try:
            return list((answer or {}).get("trader") or [])
        except (AttributeError, TypeError):
            raise ReadTimedOut("the list of accounts can't be read", command="TRADERS") from None

    def _page(self, span: Span) -> list[tuple[str, int, Any]]:
        """Read login, time of registration and row of everybody in a span.

        Some more is asked for on both sides: whether the list includes its ends, and whether it goes by whole seconds,
        is not documented. A row without a registration is where it came.
        """
        first, end = span
        read_rows = []
        rows = self._registered_in(units.instant(first - EDGE_MSC), units.instant(end + EDGE_MSC))
        try:
            for row in rows:
                at = int(row.get("registrationTimestamp") or 0)
                if first <= at < end or not at:
                    read_rows.append((str(row["login"]), at, row))
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ReadTimedOut("the list of accounts can't be read", command="TRADERS") from None
        return read_rows

    def _everyone(self) -> Iterator[Any]:
        """Yield everybody in one pass, page by page."""
        learning, spans = _Learning(), self.spans
        for span in spans.plan():
            page = self._page(span)
            times = sorted(at for _login, at, _row in page if at)
            learning.take(span, times, len(page))
            spans.note((login, at) for login, at, _row in page if at)
            yield from (row for _login, _at, row in page)
        spans.learn(learning.starts)

    def _from_list(self, logins: Iterable[str]) -> Iterator[Any]:
        """Read some accounts: from the pages that hold them where that is known, else from a whole pass."""
        missing = set(logins)
        pages = self.spans.holding(missing)
        if pages is None:
            yield from (row for row in self._everyone() if str(row.get("login")) in missing)
            return
        for span in pages:
            for login, _at, row in self._page(span):
                if login in missing:
                    yield row
