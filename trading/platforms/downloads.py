"""The addresses that a client of one server gets its programs from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trading.platforms.download_options import HIDDEN, ICONS, LABELS, WEB
from trading.platforms.pool import option_value

if TYPE_CHECKING:
    from trading.models import TradingServer


class Download(NamedTuple):
    """Where clients get one program, or open the web terminal."""

    label: str
    address: str
    icon: str


def of_server(server: TradingServer) -> list[Download]:
    """List each program that clients of this server can get."""
    known = [
        Download(str(label), option_value(server, f"download_{device}"), ICONS[device])
        for device, label in LABELS.items()
    ]
    return [download for download in known if download.address not in ("", HIDDEN)]


def web_terminal(server: TradingServer) -> str:
    """Return the address of the server's web terminal; "" where it has none."""
    address = option_value(server, f"download_{WEB}")
    return "" if address == HIDDEN else address
