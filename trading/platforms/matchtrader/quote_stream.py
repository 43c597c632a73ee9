"""Quotes as the platform pushes them, with the markup of one group, each with the platform's own time."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from trading.platforms.base import QuoteData
from trading.platforms.matchtrader import rows
from trading.platforms.matchtrader.streams import Form, Key, Streams

KEPT_MAX: Final = 20_000  # of what nobody takes the oldest are dropped
FOLLOWED_MAX: Final = 200


class QuoteStream(Streams):
    """One stream of a server for the symbols that were asked for. Thread-safe."""

    group = ""

    def _new_state(self) -> None:
        super()._new_state()
        self._quotes: deque[QuoteData] = deque(maxlen=KEPT_MAX)

    def quotes_of(self, names: Sequence[str], group: str) -> list[QuoteData]:
        """Follow these symbols from now on, those of before included, and take their new quotes, the oldest first."""
        wanted = set(names) | set(self._wanted)
        self.group = self.group or group  # a stream keeps its markup while it is open
        self.follow(wanted if len(wanted) <= FOLLOWED_MAX else names)
        with self._lock:
            taken, self._quotes = self._quotes, deque(maxlen=KEPT_MAX)
        chosen = set(names)
        return [quote for quote in taken if quote.symbol in chosen]

    def _keys(self, names: Sequence[str]) -> list[Key]:
        return [("quotes", self.group)]

    def _form(self, kind: str) -> Form:
        from trading.platforms.matchtrader.proto import matchtrader_pb2 as pb2

        def request(group: str) -> Any:
            return pb2.PBQuotationsWithMarkupStreamRequestExternal(symbols=self._wanted, group=group or None)

        return request, pb2.PBQuotationSimpleExternal, QuoteStream._take_quote

    def _take_quote(self, _group: str, message: Any) -> None:
        quote = message.quotation
        with contextlib.suppress(ValueError, OverflowError):
            bid, ask = rows.decimal(rows.exact(quote.bidPrice)), rows.decimal(rows.exact(quote.askPrice))
            if 0 < bid <= ask:
                self._quotes.append(QuoteData(quote.symbol, bid, ask, rows.at_msc(quote.timestampInMillis)))
