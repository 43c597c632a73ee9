"""Rows of a platform that can't be right: parked as questions for a person, so that neither the feed nor a later page stops.

A time of year 1, a negative volume, digits without end: no such deal or position gets into a table. Its row is kept with the
question on the health page, as often as it comes it is counted there, and the nightly comparison goes on naming it as missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

import orjson
from django.utils import timezone
from django.utils.translation import gettext as _

from trading.choices import IssueKind
from trading.core.issues import open_issue
from trading.models import TradingServer
from trading.platforms.aside import SetAside, collecting, cut
from trading.platforms.base import DealData, PositionData

QUESTIONS_MAX: Final = 20  # of one reading; the others are counted in one more
FIRST_TIME: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
AHEAD_MAX: Final = dt.timedelta(days=366)
INT64, INT16 = 2**63, 2**15
# What the columns keep: eight places, and so many digits before them.
VOLUME_MAX, PRICE_MAX, MONEY_MAX = Decimal(10) ** 10, Decimal(10) ** 12, Decimal(10) ** 12
SMALLEST, NOISE = Decimal("1e-8"), Decimal("1e-9")  # a binary fraction's last digits are noise, and are rounded
DIGITS_MAX: Final = 28
RAW_BYTES_MAX: Final = 64 * 1024
WHOLE: Final = ("ticket", "position_id", "order_id", "server_msc")
SMALL: Final = ("action", "entry", "reason")
TEXTS: Final = (("login", 32), ("symbol", 32), ("comment", 64))


def usable_deals(server: TradingServer, deals: Iterable[DealData]) -> list[DealData]:
    """List the deals that can be right; the others are parked as questions for a person."""
    return _usable(server, deals, why_no_deal)


def usable_positions(server: TradingServer, positions: Iterable[PositionData]) -> list[PositionData]:
    """List the positions that can be right; the others are parked as questions for a person."""
    return _usable(server, positions, why_no_position)


def _usable(server: TradingServer, rows: Iterable[Any], why: Callable[[Any], str]) -> list[Any]:
    good, odd = [], []
    for row in rows:
        reason = why(row)
        if reason:
            odd.append(SetAside(f"#{_shown(row.ticket)} {cut(getattr(row, 'raw', row))}", reason))
        else:
            good.append(row)
    park(server, odd)
    return good


@contextmanager
def parking(server: TradingServer) -> Iterator[None]:
    """Park the rows of a reading that can't be read, at its end."""
    with collecting() as odd:
        yield
    park(server, odd)


def park(server: TradingServer, rows: list[SetAside]) -> None:
    """Open a question for each row that can't be right, up to QUESTIONS_MAX, and one for all the rest."""
    for row in rows[:QUESTIONS_MAX]:
        open_issue(
            server_id=server.pk,
            kind=IssueKind.UNREADABLE_ROW,
            subject=row.row,
            details={"why": row.reason, "row": row.row},
        )
    if len(rows) > QUESTIONS_MAX:
        more = {"count": len(rows) - QUESTIONS_MAX, "why": rows[-1].reason, "row": rows[-1].row}
        open_issue(server_id=server.pk, kind=IssueKind.UNREADABLE_ROW, subject=_("More rows"), details=more)


# ── what can't be ────────────────────────────────────────────────────────────────────────────────────────────────────


def why_no_deal(deal: DealData) -> str:
    """Explain why a deal can't be kept, naming its field; empty when it can."""
    return (
        _odd_number(deal, WHOLE, INT64)
        or _odd_number(deal, SMALL, INT16)
        or _odd_text(deal)
        or _odd_time("executed_at", deal.executed_at)
        or _odd_volume(deal, "lots")
        or _odd_volume(deal, "closed_lots")
        or _odd_price(deal, "contract_size", "price", "price_position")
        or _odd_money(deal, "profit", "commission", "swap", "fee")
        or _odd_raw(deal)
    )


def why_no_position(position: PositionData) -> str:
    """Explain why a row can't be a position; empty where it can."""
    return (
        _odd_number(position, ("ticket", "server_msc"), INT64)
        or _odd_number(position, ("action",), INT16)
        or _odd_text(position)
        or _odd_time("opened_at", position.opened_at)
        or _odd_volume(position, "lots")
        or ("" if position.lots else _odd("lots", position.lots))
        or _odd_price(position, "contract_size", "price_open", "price_current")
        or _odd_money(position, "profit", "swap")
    )


def _shown(value: object) -> str:
    try:
        return str(value)[:60]
    except ValueError:
        return _("a number of thousands of digits")


def _odd(name: str, value: object) -> str:
    return _("“%(value)s” isn't a valid value for %(field)s.") % {"field": name, "value": _shown(value)}


def _odd_number(row: object, names: tuple[str, ...], limit: int) -> str:
    for name in names:
        value = getattr(row, name)
        if not -limit <= value < limit:
            return _odd(name, value)
    return ""


def _odd_text(row: object) -> str:
    for name, most in TEXTS:
        value = getattr(row, name)
        if len(value) > most or "\0" in value or (not value.isascii() and _is_half(value)):
            return _odd(name, value.replace("\0", " ").encode("utf-8", "replace").decode())
    return ""


def _is_half(text: str) -> bool:
    """Tell whether half of a character is in it, which no database keeps."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _odd_time(name: str, at: dt.datetime) -> str:
    return "" if FIRST_TIME <= at < timezone.now() + AHEAD_MAX else _odd(name, at)


def _odd_volume(row: object, name: str) -> str:
    value = getattr(row, name)
    if not value:
        return ""
    return "" if value.is_finite() and SMALLEST <= value < VOLUME_MAX else _odd(name, value)


def _odd_price(row: object, *names: str) -> str:
    """Find a price that can't be right; it may be below zero: oil was, in April 2020."""
    for name in names:
        value = getattr(row, name)
        if not (value.is_finite() and -PRICE_MAX < value < PRICE_MAX):
            return _odd(name, value)
    return ""


def _odd_money(row: object, *names: str) -> str:
    """Find an amount that can't be right: beyond eight places there may be a binary fraction's noise, and nothing else."""
    for name in names:
        value = getattr(row, name)
        if value and not (
            value.is_finite()
            and abs(value) < MONEY_MAX
            and abs(value - value.quantize(SMALLEST)) <= NOISE
            and len(value.as_tuple().digits) <= DIGITS_MAX
        ):
            return _odd(name, value)
    return ""


def _odd_raw(deal: DealData) -> str:
    try:
        text = orjson.dumps(deal.raw, default=str)
    except TypeError:  # a whole number beyond 64 bits, or half of a character
        return _("The row contains a value that can't be stored.")
    if len(text) > RAW_BYTES_MAX or b"\\u0000" in text:
        return _("The row contains a value that can't be stored.")
    return ""
