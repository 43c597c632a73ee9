"""Connections of this process: one per server and purpose, made when first needed, never carried over a fork.

Money, reads and backfill each have their own connection, rate and circuit breaker on every server, so that a long read or a
server that answers reads too slowly never holds up money. A child of a fork starts with an empty pool.
"""

from __future__ import annotations

import hashlib
import os
import threading
from importlib import import_module
from typing import TYPE_CHECKING

from django.conf import settings

from trading.platforms.base import EXPORTS, KINDS, Capabilities, DealSource, Export, Kind, Platform, Purpose
from trading.platforms.breaker_status import watcher
from trading.platforms.circuit_breaker import Breaker, Gate, Limit, Rate
from trading.platforms.shared import shared_turn

if TYPE_CHECKING:
    from trading.models import TradingServer

# Adapters register themselves when they are first needed.
ADAPTERS = {
    "mt5": "trading.platforms.mt5.adapter",
    "mt4": "trading.platforms.mt4.adapter",
    "matchtrader": "trading.platforms.matchtrader.adapter",
    "ctrader": "trading.platforms.ctrader.adapter",
    "sirix": "trading.platforms.sirix.adapter",
}

_platforms: dict[tuple[int, str], tuple[str, Platform]] = {}
_exports: dict[int, tuple[str, Export]] = {}
_lock = threading.Lock()


def _fingerprint(server: TradingServer) -> str:
    """Hash everything about the way to the server, so that a change drops the old connection."""
    parts = [
        server.kind,
        server.host,
        server.port,
        server.manager_login,
        server.crypt_method,
        server.time_zone,
        server.transport,
        server.path_prefix,
        server.balance_command,
        server.certificate,
        sorted(server.options.items()),
    ]
    text = "\0".join(map(str, parts)).encode() + bytes(server.credentials)
    return hashlib.sha256(text).hexdigest()


def kind_of(kind: str) -> Kind:
    """Look up what is known of a kind of platform; its adapter registers itself when it is first asked for."""
    import_module(ADAPTERS[kind])
    return KINDS[kind]


def capabilities_of(kind: str) -> Capabilities:
    """Look up what a platform of this kind can do at all; no connection is needed to know."""
    return kind_of(kind).capabilities


def option_value(server: TradingServer, name: str) -> str:
    """Read one of a server's settings that only its kind of platform has (`Option`): the saved value, else the default.

    Raises: KeyError for one that this platform does not have.
    """
    option = kind_of(server.kind).option(name)
    stored = server.stored_option(name, is_secret=option.is_secret)
    return stored if stored != "" else option.default


def platform_for(server: TradingServer, purpose: Purpose = Purpose.READS) -> Platform:
    """Find or make the platform behind a server row; opening the socket waits for the first command."""
    key = (server.pk, purpose.value)
    fingerprint = _fingerprint(server)
    with _lock:
        known = _platforms.get(key)
        if known and known[0] == fingerprint:
            return known[1]
        platform = kind_of(server.kind).factory(server, gate_for(server, purpose))
        _platforms[key] = (fingerprint, platform)
    if known:
        known[1].close()  # may wait for a command that is on its way: nobody else has to
    return platform


def deal_source(server: TradingServer) -> DealSource:
    """Choose where a server's new deals are read: the broker's SQL export where there is one, else the platform itself.

    Raises: PlatformError when the export's address can't be right.
    """
    return export_of(server) if server.reads_export else platform_for(server, Purpose.READS)


def export_of(server: TradingServer) -> Export:
    """Find or make the reader of a server's SQL export. Raises: FinalError when there is none or its address can't be right."""
    fingerprint = _fingerprint(server)
    with _lock:
        known = _exports.get(server.pk)
        if known and known[0] == fingerprint:
            return known[1]
        import_module(ADAPTERS[server.kind])
        export = EXPORTS[server.kind](server)
        _exports[server.pk] = (fingerprint, export)
    if known:
        known[1].close()
    return export


def gate_for(server: TradingServer, purpose: Purpose) -> Gate:
    """Make a new breaker with the purpose's rate, which all processes share.

    The rate is the platform's own, else that of `settings.TRADING_RATES`.
    """
    turn = shared_turn(f"{server.pk}:{purpose.value}")
    rate = kind_of(server.kind).rates.get(purpose.value) or settings.TRADING_RATES[purpose.value]
    limit = Limit(Rate(*rate), shared=turn)
    return Gate(Breaker(), limit, watcher(server.pk, purpose.value))


def _start_anew() -> None:
    """Forget the parent's connections in a child process; each client and export lets go of its own copy."""
    global _lock
    _lock = threading.Lock()
    _platforms.clear()
    _exports.clear()


os.register_at_fork(after_in_child=_start_anew)


def close_all() -> None:
    """Drop every connection of this process."""
    with _lock:
        dropped = [source for _fingerprint_text, source in [*_platforms.values(), *_exports.values()]]
        _platforms.clear()
        _exports.clear()
    for source in dropped:
        source.close()
