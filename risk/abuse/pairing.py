"""Deals in and out without the number of their position, put together in the order of time: the first in is the first out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from risk.abuse.book import Trade

# Lots are floats: less than this is nothing.
LOTS_NONE: Final = 1e-9


class Loose(NamedTuple):
    """A deal of one account and symbol; ordered by time, then by row."""

    at: int
    row: int
    is_in: bool
    side: int
    lots: float
    price: float
    profit: int
    swap: int
    key: str


@dataclass(slots=True)
class _Opening:
    """A deal in, with what is still open of it and what its closings brought."""

    deal: Loose
    left: float
    profit: int = 0
    swap: int = 0
    closed_at: int = 0
    close_price: float = 0.0


def paired(account: str, symbol: str, deals: Iterable[Loose]) -> tuple[list[Trade], int]:
    """Put the deals of one account and symbol together; and how many closings have no opening.

    A closing over several openings parts its result by lots, to the last unit.
    """
    waiting: dict[int, deque[_Opening]] = {1: deque(), -1: deque()}
    openings: list[_Opening] = []
    without = 0
    for deal in sorted(deals):
        if deal.is_in:
            opening = _Opening(deal, deal.lots)
            waiting[deal.side].append(opening)
            openings.append(opening)
        else:
            without += not _close(waiting[-deal.side], deal)
    return [_trade(account, symbol, opening) for opening in openings], without


def _close(waiting: deque[_Opening], deal: Loose) -> bool:
    if not waiting:
        return False
    left, profit, swap = deal.lots, deal.profit, deal.swap
    while waiting and left > LOTS_NONE:
        opening = waiting[0]
        part = min(opening.left, left)
        is_last = part >= left - LOTS_NONE or len(waiting) == 1
        won = profit if is_last else round(profit * part / left)
        paid = swap if is_last else round(swap * part / left)
        opening.profit, opening.swap = opening.profit + won, opening.swap + paid
        profit, swap, left = profit - won, swap - paid, left - part
        opening.left -= part
        if opening.left <= LOTS_NONE:
            opening.closed_at, opening.close_price = deal.at, deal.price
            waiting.popleft()
    return True


def _trade(account: str, symbol: str, opening: _Opening) -> Trade:
    deal = opening.deal
    trade = Trade(deal.key, account, symbol, deal.side, deal.lots, deal.at, deal.price)
    if opening.left > LOTS_NONE:
        return trade
    return replace(
        trade, close_ms=opening.closed_at, close_price=opening.close_price, profit=opening.profit, swap=opening.swap
    )
