"""Groups, symbols and prices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.engine.books import Books, Refused
from sandbox.engine.contracts import GROUPS, SYMBOLS, Group, group_json, matches, symbol_json
from sandbox.mt5.commands import Answer, command
from sandbox.mt5.protocol import Request

COUNT_MAX = 100


def _next(items: Iterable[str], request: Request) -> str:
    index, names = request.integer("INDEX", -1), list(items)
    if index is None or not 0 <= index < len(names):
        raise Refused(13)
    return names[index]


@command("GROUP_TOTAL")
def group_total(_books: Books, _request: Request) -> Answer:
    """Count the groups."""
    return {"TOTAL": len(GROUPS)}, None


@command("GROUP_NEXT")
def group_next(_books: Books, request: Request) -> Answer:
    """Answer the group at an index."""
    return {}, group_json(GROUPS[_next(GROUPS, request)])


@command("GROUP_GET")
def group_get(_books: Books, request: Request) -> Answer:
    """Answer a group by name."""
    if request.get("GROUP") not in GROUPS:
        raise Refused(13)
    return {}, group_json(GROUPS[request.get("GROUP")])


@command("SYMBOL_TOTAL")
def symbol_total(_books: Books, _request: Request) -> Answer:
    """Count the symbols."""
    return {"TOTAL": len(SYMBOLS)}, None


@command("SYMBOL_NEXT")
def symbol_next(_books: Books, request: Request) -> Answer:
    """One symbol, or an array of COUNT from INDEX on, as newer servers give it."""
    count = request.integer("COUNT", 0) or 0
    if not count:
        return {}, symbol_json(SYMBOLS[_next(SYMBOLS, request)])
    if not 0 < count <= COUNT_MAX:
        raise Refused(3)
    first = list(SYMBOLS).index(_next(SYMBOLS, request))
    return {}, [symbol_json(SYMBOLS[name]) for name in list(SYMBOLS)[first : first + count]]


@command("SYMBOL_GET")
def symbol_get(_books: Books, request: Request) -> Answer:
    """Answer a symbol by name."""
    name = request.get("SYMBOL") or request.get("NAME")
    if name not in SYMBOLS:
        raise Refused(13)
    return {}, symbol_json(SYMBOLS[name])


@command("SYMBOL_LIST")
def symbol_list(_books: Books, _request: Request) -> Answer:
    """List the names of all symbols."""
    return {}, list(SYMBOLS)


@command("SYMBOL_GET_GROUP")
def symbol_get_group(_books: Books, request: Request) -> Answer:
    """Answer a symbol as it is for a group: spread with the group's markup, no swaps where the group pays none."""
    name, group = request.get("SYMBOL"), GROUPS.get(request.get("GROUP"))
    if name not in SYMBOLS or group is None:
        raise Refused(13)
    shown = symbol_json(SYMBOLS[name])
    spread = SYMBOLS[name].spread_points + 2 * group.markup_points
    return {}, {**shown, "Spread": spread, "SwapMode": 0 if group.swap_free else shown["SwapMode"]}


def _wanted(request: Request) -> list[str]:
    masks = [name for name in request.get("SYMBOL", "*").split(",") if name]
    names = [name for name in SYMBOLS if any(matches(mask, name) for mask in masks)]
    if not names:
        raise Refused(13)
    return names


def _ticks(books: Books, request: Request, group: Group | None) -> Answer:
    """Last prices; with TRANS_ID only when there are newer ones than that."""
    names, rows = _wanted(request), list[dict[str, Any]]()
    if (request.integer("TRANS_ID", -1) or 0) < books.market.ticks:
        for name in names:
            symbol = SYMBOLS[name]
            bid, ask = books.market.quote(symbol, group)
            now = books.clock.now_msc()
            rows.append(
                {
                    "Symbol": name,
                    "Digits": symbol.digits,
                    "Bid": f"{bid:.{symbol.digits}f}",
                    "Ask": f"{ask:.{symbol.digits}f}",
                    "Last": f"{0:.{symbol.digits}f}",
                    "Volume": 0,
                    "VolumeReal": 0,
                    "Datetime": now // 1000,
                    "DatetimeMsc": now,
                }
            )
    return {"TRANS_ID": books.market.ticks}, rows


@command("TICK_LAST")
def tick_last(books: Books, request: Request) -> Answer:
    """Answer the last prices of symbols."""
    return _ticks(books, request, None)


@command("TICK_LAST_GROUP")
def tick_last_group(books: Books, request: Request) -> Answer:
    """Answer the last prices of symbols as a group sees them."""
    group = GROUPS.get(request.get("GROUP"))
    if group is None:
        raise Refused(13)
    return _ticks(books, request, group)


@command("TICK_STAT")
def tick_stat(books: Books, request: Request) -> Answer:
    """Answer the day so far: first, lowest, highest and last price; with TRANS_ID only when there is something newer."""
    names, rows, now = _wanted(request), list[dict[str, Any]](), books.clock.now_msc()
    if (request.integer("TRANS_ID", -1) or 0) < books.market.ticks:
        for name in names:
            symbol = SYMBOLS[name]
            bid, ask = books.market.quote(symbol)
            half = (ask - bid) / 2
            opened, low, high = (books.market.rounded(name, value) for value in books.market.today[name])
            change = (bid + half - opened) / opened * 100
            numbers = {
                # The middle is rounded by itself, and may be a point off.
                "Bid": bid,
                "BidLow": min(low - half, bid),
                "BidHigh": max(high - half, bid),
                "Ask": ask,
                "AskLow": min(low + half, ask),
                "AskHigh": max(high + half, ask),
                "Last": 0,
                "LastLow": 0,
                "LastHigh": 0,
                "PriceOpen": opened - half,
                "PriceClose": 0,
                "PriceAW": 0,
            }
            rows.append(
                {
                    "Symbol": name,
                    "Digits": symbol.digits,
                    "Datetime": now // 1000,
                    "DatetimeMsc": now,
                    **{key: f"{value:.{symbol.digits}f}" for key, value in numbers.items()},
                    "Volume": 0,
                    "VolumeLow": 0,
                    "VolumeHigh": 0,
                    "TradeDeals": 0,
                    "TradeVolume": 0,
                    "TradeTurnover": 0,
                    "PriceChange": f"{change:.4f}",
                    "PriceVolatility": f"{(high - low) / opened * 100:.4f}",
                }
            )
    return {"TRANS_ID": books.market.ticks}, rows
