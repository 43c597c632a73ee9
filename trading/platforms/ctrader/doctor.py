"""The doctor's checks that only cTrader needs: two interfaces, a manager's permissions, and what a lot is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from trading.platforms.base import Examination, Finding, Platform
from trading.platforms.ctrader.platform import CtraderPlatform
from trading.platforms.pool import option_value

if TYPE_CHECKING:
    from trading.models import TradingServer
NEEDED: Final = {
    1: "read traders",
    2: "create traders",
    3: "edit traders",
    5: "cashier",
    6: "change passwords",
    9: "bonus cashier",
    140: "positions",
    150: "trading history",
}
"""Permissions by the protocol's numbers."""
USUAL_LOT: Final = {"EURUSD": 100_000, "GBPUSD": 100_000, "USDJPY": 100_000, "XAUUSD": 100}
ADVICE: Final[dict[int, str]] = {
    2: "Give the manager the permissions for traders (read, create, edit), cashier, bonus cashier, positions and trading history.",
    3: "Check login and password of the manager, and plant and environment: the Manager API takes all four or none.",
    14: "The manager is signed in elsewhere: give Keelson a manager of its own.",
    23: "The server asks for fewer requests. Wait a minute, and look at how often other systems use this manager.",
    47: "Wait until the maintenance is over; nothing is lost meanwhile.",
    67: "Ask the broker for more connections of this manager, or end other systems' ones.",
    401: "Check login and password of the manager for WebServices.",
}


def checks(server: TradingServer) -> Mapping[str, Examination]:
    """Name the doctor's checks for this server: permissions and lots only where it has the Manager API."""
    named: dict[str, Examination] = {"interfaces": _interfaces}
    return (
        {**named, "permissions": _permissions, "lots": _lots} if option_value(server, "manager_api") == "yes" else named
    )


def _ours(platform: Platform) -> CtraderPlatform:
    assert isinstance(platform, CtraderPlatform)
    return platform


def _interfaces(server: TradingServer, platform: Platform) -> Finding:
    if _ours(platform).manager.is_there:
        money = "WebServices" if option_value(server, "money") == "rest" else "the Manager API"
        return True, f"WebServices and Manager API; money goes by {money}", ""
    finding = "WebServices alone: deals are read from lists of closed positions, and no money is moved"
    return True, finding, ""


def _permissions(_server: TradingServer, platform: Platform) -> Finding:
    """Check the permissions that the Manager API named at the log-in. A server that names none is believed."""
    held = _ours(platform).manager.permissions()
    missing = [name for number, name in NEEDED.items() if number not in held]
    if not held:
        return True, "the server does not say which the manager has", ""
    return not missing, f"{len(held)} held; missing: {', '.join(missing) or 'none'}", ADVICE[2]


def _lots(_server: TradingServer, platform: Platform) -> Finding:
    """Compare lot sizes with the usual ones: one that is read in the wrong unit makes every volume wrong by a hundred."""
    sizes = {symbol.name.replace("/", "").upper(): symbol.contract_size for symbol in platform.symbols()}
    odd = {name: sizes[name] for name, usual in USUAL_LOT.items() if name in sizes and sizes[name] != usual}
    shown = ", ".join(f"{name} {size.normalize():f}" for name, size in sorted(odd.items()))
    advice = "Set “The Manager API's lot size is in” to the other unit, unless this broker's lots really are so."
    return not odd, f"unusual lots: {shown}" if odd else "lots are as everywhere", advice
