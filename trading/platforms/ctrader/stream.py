"""What the Manager API pushes: deals, money and changed traders, kept for a while; and from when on nothing is missing.

The link's thread collects; whoever reads new deals takes what is in their window. A gap (a new connection, more events than
are kept) is told by `covers`: then the lists have to be asked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Any, Final

from trading.platforms.ctrader.frames import FrameError, read
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb

logger = logging.getLogger(__name__)
KEPT_MAX: Final = 50_000
NOT_COVERED: Final = 2**62
EXECUTION: Final = 300
TRADER_CHANGED: Final = 503
SPOT: Final = 3
TICKS_MAX: Final = 20_000


class Stream:
    """Of one connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: deque[tuple[int, Any]] = deque()
        self._since = NOT_COVERED
        self._heeded = 0
        self.session = 0
        self.changed: deque[pb.ProtoTrader] = deque(maxlen=1000)
        self.spots: dict[int, tuple[int, int]] = {}
        """Bid and ask in 1/100,000 by symbol, as quoted last."""
        self.quoted = threading.Condition()
        self.keeps_ticks = False
        """Whether each quote is kept until it is taken: only for somebody who reads them."""
        self.followed: set[int] = set()
        """Symbols whose quotes were asked for on this connection."""
        self.offset_msc = 0
        """How far the server's clock is ahead of ours."""
        self._ticks: deque[tuple[int, int, int, int]] = deque(maxlen=TICKS_MAX)
        self.collects = False
        """Whether deals and money are kept: only for somebody who reads new deals."""

    def opened(self) -> None:
        """Start over with a new connection: what happened before it is not known here."""
        with self._lock:
            self._rows.clear()
            self._since = NOT_COVERED
            self.session += 1
        self.spots, self.followed = {}, set()

    def live_from(self, server_msc: int, session: int) -> None:
        """Note the server's time in this session, from which on every event comes. Nothing when the session is over."""
        with self._lock:
            if session == self.session:
                self._since = min(self._since, server_msc)

    def heed(self, server_msc: int) -> None:
        """Note the server's time at which somebody begins to read; what arrives from now on counts as of then at least.

        An event that is late is in the next reading's window, however short that is.
        """
        with self._lock:
            self._heeded = max(self._heeded, server_msc)

    def covers(self, from_msc: int) -> bool:
        with self._lock:
            return from_msc >= self._since

    def heard(self, message: pb.ProtoMessage) -> None:
        """Take an event. One that can't be read only makes the lists be read again."""
        try:
            if message.payloadType == EXECUTION and self.collects:
                self._execution(message.payload)
            elif message.payloadType == TRADER_CHANGED and self.collects:
                event = pb.ProtoTraderChangedEvent()
                read(event, message.payload, "a changed trader")
                self.changed.append(event.trader)
            elif message.payloadType == SPOT:
                self._spot(message.payload)
        except FrameError as problem:
            logger.warning("an event of the Manager API is left out: %s", problem)
            self.opened()

    def _execution(self, payload: bytes) -> None:
        event = pb.ProtoExecutionEvent()
        read(event, payload, "an execution event")
        row: Any = None
        at = 0
        if event.HasField("deal") and event.executionType in (pb.ORDER_FILLED, pb.ORDER_PARTIAL_FILL):
            row, at = event.deal, event.deal.executionTimestamp
        elif event.HasField("depositWithdraw"):
            row, at = event.depositWithdraw, event.depositWithdraw.changeBalanceTimestamp
        elif event.HasField("bonusDepositWithdraw"):
            row, at = event.bonusDepositWithdraw, event.bonusDepositWithdraw.changeBonusTimestamp
        if row is None:
            return
        with self._lock:
            self._rows.append((max(at, self._heeded), row))
            if len(self._rows) > KEPT_MAX:
                dropped, _row = self._rows.popleft()
                self._since = max(self._since, dropped + 1)

    def _spot(self, payload: bytes) -> None:
        event = pb.ProtoSpotEvent()
        read(event, payload, "a quote")
        bid, ask = self.spots.get(event.symbolId, (0, 0))
        bid, ask = event.bid or bid, event.ask or ask
        if self.keeps_ticks and bid and ask:
            self._ticks.append((event.symbolId, time.time_ns() // 1_000_000, bid, ask))
        with self.quoted:
            self.spots[event.symbolId] = (bid, ask)
            self.quoted.notify_all()

    def take_ticks(self) -> list[tuple[int, int, int, int]]:
        """Take the quotes since the last call: symbol, our clock's milliseconds, bid and ask."""
        self.keeps_ticks = True
        taken = []
        while self._ticks:
            taken.append(self._ticks.popleft())
        return taken

    def rows_since(self, from_msc: int) -> list[Any]:
        """List events of this time and later, and those that arrived after it was heeded."""
        with self._lock:
            return [row for at, row in self._rows if at >= from_msc]

    def forget_before(self, msc: int) -> None:
        """Drop older events: they are in our tables by now."""
        with self._lock:
            while self._rows and self._rows[0][0] < msc:
                at, _row = self._rows.popleft()
                self._since = max(self._since, min(at + 1, msc))
