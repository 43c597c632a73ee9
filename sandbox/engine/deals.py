"""Deals as the server keeps them: every field that the platform's API shows, as text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.engine.contracts import Group, Symbol

IN, OUT, INOUT, OUT_BY = 0, 1, 2, 3
REASON_CLIENT, REASON_DEALER, REASON_STOP_OUT = 0, 2, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DealDraft:
    """A deal before it has its ticket and instant. Volumes are in hundred-millionths of a lot, money in the group's currency.

    `raw`: profit in the symbol's currency; `rate`: from there to the group's. `quote`: bid and ask at that instant.
    """

    login: int
    group: Group
    action: int
    entry: int = IN
    order: int = 0
    position: int = 0
    symbol: Symbol | None = None
    volume: int = 0
    volume_closed: int = 0
    price: Decimal = Decimal(0)
    profit: Decimal = Decimal(0)
    storage: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    comment: str = ""
    reason: int = REASON_CLIENT
    dealer: int = 0
    raw: Decimal = Decimal(0)
    rate: Decimal = Decimal(1)
    price_position: Decimal = Decimal(0)
    quote: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))

    def as_row(self, ticket: int, now_msc: int) -> dict[str, Any]:
        """Write the deal in the fields of MT5's Web API, which the other platforms' sandboxes translate."""
        digits = self.symbol.digits if self.symbol else 0
        size = self.symbol.contract_size if self.symbol else Decimal(0)
        value = Decimal(self.volume).scaleb(-8) * size * self.price
        return {
            "Deal": str(ticket),
            "ExternalID": "",
            "Login": str(self.login),
            "Dealer": str(self.dealer),
            "Order": str(self.order),
            "Action": str(self.action),
            "Entry": str(self.entry),
            "Reason": str(self.reason),
            "Digits": str(digits),
            "DigitsCurrency": str(self.group.digits),
            "ContractSize": f"{size:.8f}",
            "Time": str(now_msc // 1000),
            "TimeMsc": str(now_msc),
            "Symbol": self.symbol.name if self.symbol else "",
            "Price": f"{self.price:.{digits}f}",
            "PriceSL": f"{0:.{digits}f}",
            "PriceTP": f"{0:.{digits}f}",
            "Volume": str(self.volume // 10_000),
            "VolumeExt": str(self.volume),
            "VolumeClosed": str(self.volume_closed // 10_000),
            "VolumeClosedExt": str(self.volume_closed),
            "Profit": f"{self.profit:.{self.group.digits}f}",
            "Value": f"{value:.2f}",
            "Storage": f"{self.storage:.{self.group.digits}f}",
            "Commission": f"{self.commission:.{self.group.digits}f}",
            "Fee": f"{0:.{self.group.digits}f}",
            "RateProfit": f"{self.rate:.8f}",
            "RateMargin": "1.00000000",
            "ExpertID": "0",
            "PositionID": str(self.position),
            "Comment": self.comment,
            "ProfitRaw": f"{self.raw:.8f}",
            "PricePosition": f"{self.price_position:.{digits}f}",
            "TickValue": "0.00000000",
            "TickSize": "0.00000000",
            "Flags": "0",
            "Gateway": "",
            "PriceGateway": f"{0:.{digits}f}",
            "MarketBid": f"{self.quote[0]:.{digits}f}",
            "MarketAsk": f"{self.quote[1]:.{digits}f}",
            "MarketLast": f"{0:.{digits}f}",
            "ModificationFlags": "0",
            "ApiData": [],
        }
