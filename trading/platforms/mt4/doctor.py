"""The doctor's checks that only a bridge to MetaTrader 4 has, and what to do about its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from trading.platforms.base import Examination, Finding, Platform
from trading.platforms.mt4 import quotes
from trading.platforms.mt4.codes import BRIDGE
from trading.platforms.mt4.platform import Mt4Platform
from trading.platforms.pool import option_value

if TYPE_CHECKING:
    from trading.models import TradingServer

ADVICE: Final[dict[int, str]] = {
    7: "The bridge's manager lacks a right on the trade server: accounts, trades, reports, balance operations.",
    8: "The server asks for fewer requests. Wait a minute, and look at how often other systems use this manager.",
    401: "Check the client ID and its secret in the bridge's administration.",
    403: "This client may not use the bridge from here: ask for its address list and its rights.",
    404: "This is not the bridge's address, or the path before the calls is another.",
    BRIDGE["Forbidden"]: "Give this client the right for it in the bridge's administration.",
    BRIDGE["NotFound"]: "Check the trade platform's UUID in the bridge's administration.",
    BRIDGE["Validation"]: "The bridge speaks another version of this interface: ask its vendor.",
    BRIDGE["NoConnect"]: "The bridge runs and its trade server is away: look at the bridge's own log.",
    BRIDGE["Busy"]: "The bridge has more requests than it can pass on. Wait a minute.",
}


def checks(server: TradingServer) -> Mapping[str, Examination]:
    """Name the doctor's checks for this server: the quote port only where one is set."""
    return {"quotes": _quotes} if option_value(server, "quote_port") else {}


def _quotes(_server: TradingServer, platform: Platform) -> Finding:
    """Check the old text port: whether it answers, and knows a symbol of the bridge."""
    assert isinstance(platform, Mt4Platform) and platform.habits.quote_address
    symbol = next((row.name for row in platform.symbols()), "EURUSD")
    try:
        rows = quotes.read(platform.habits.quote_address, [symbol])
    except OSError as problem:
        return False, f"the port is silent ({type(problem).__name__})", "Empty the option: nothing depends on it."
    finding = f"{symbol} {rows[0].bid} / {rows[0].ask}" if rows else f"no quote of {symbol}"
    return bool(rows), finding, "The port answers, and this symbol has no quote there: look at the server's symbols."
