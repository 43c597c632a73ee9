"""The addresses that a client of one server gets its programs from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.platforms.download_options import HIDDEN, LABELS, WEB
from trading.platforms.pool import option_value

if TYPE_CHECKING:
    from trading.models import TradingServer


def of_server(server: TradingServer) -> list[tuple[str, str]]:
    """List label and address of each program that clients of this server can get."""
    addresses = [(str(label), option_value(server, f"download_{device}")) for device, label in LABELS.items()]
    return [(label, address) for label, address in addresses if address not in ("", HIDDEN)]


def web_terminal(server: TradingServer) -> str:
    """Return the address of the server's web terminal; "" where it has none."""
    address = option_value(server, f"download_{WEB}")
    return "" if address == HIDDEN else address
