"""Money: a Decimal with its currency, or integer minor units; never a float.

Exponents follow ISO 4217 (JPY 0, USD 2, KWD 3); crypto as the trade books it (BTC 8, USDT 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

EXPONENTS: dict[str, int] = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "VND": 0,
    "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "BTC": 8, "ETH": 8, "LTC": 8, "USDT": 6, "USDC": 6,
}  # fmt: skip  # a table of pairs
DEFAULT_EXPONENT = 2
DIGITS_MAX = 30


def exponent(currency: str) -> int:
    """Return the number of decimal places of a currency's smallest booked unit."""
    return EXPONENTS.get(currency, DEFAULT_EXPONENT)


def to_minor(amount: Decimal, currency: str) -> int:
    """Convert to whole minor units. Raises: ValueError for an amount finer than the currency's smallest unit, or beyond any."""
    if amount.is_finite() and amount.adjusted() > DIGITS_MAX:  # 1E+99999999 would be written out digit by digit
        raise ValueError("no amount has so many digits")
    scaled = amount.scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} is finer than the smallest unit of {currency}")
    return int(scaled)


def from_minor(minor: int, currency: str) -> Decimal:
    """Convert integer minor units of a currency to a Decimal: 1234 of EUR is 12.34, of JPY 1234."""
    return Decimal(minor).scaleb(-exponent(currency))


def quantize(amount: Decimal, currency: str, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """Round to the currency's smallest unit, half to even unless another rounding is passed."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)), rounding=rounding)


@dataclass(frozen=True, order=False)
class Money:
    """An amount in major units with its currency. Adding two currencies is a TypeError, never a guess."""

    amount: Decimal
    currency: str

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> Money:
        return cls(from_minor(minor, currency), currency)

    @property
    def minor(self) -> int:
        return to_minor(self.amount, self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise TypeError(f"{self.currency} and {other.currency} do not add up: convert first, at a named rate")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __str__(self) -> str:
        """For logs, audit rows and exports: the same in every language. People read `crm.i18n.formats.money`."""
        return f"{quantize(self.amount, self.currency)} {self.currency}"
