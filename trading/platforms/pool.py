"""Connections of this process: one per server and purpose, made when first needed, never carried over a fork."""

from __future__ import annotations

import hashlib
import os
import threading
from importlib import import_module
from typing import TYPE_CHECKING

from trading.platforms.base import FACTORIES, Platform, Purpose

if TYPE_CHECKING:
    from trading.models import TradingServer

# Adapters register themselves when they are first needed.
ADAPTERS = {"mt5": "trading.platforms.mt5.adapter"}

_platforms: dict[tuple[int, int, str], tuple[str, Platform]] = {}
_lock = threading.Lock()


def _fingerprint(server: TradingServer) -> str:
    """Changes when anything about the way to the server changes, so that the old connection is dropped."""
    parts = [server.host, server.port, server.manager_login, server.crypt_method, server.time_zone]
    text = "\0".join(map(str, parts)).encode() + bytes(server.credentials)
    return hashlib.sha256(text).hexdigest()


def platform_for(server: TradingServer, purpose: Purpose = Purpose.READS) -> Platform:
    """The platform behind a server row; opening the socket waits for the first command."""
    key = (os.getpid(), server.pk, purpose.value)
    fingerprint = _fingerprint(server)
    with _lock:
        known = _platforms.get(key)
        if known and known[0] == fingerprint:
            return known[1]
        if known:
            known[1].close()
        import_module(ADAPTERS[server.kind])
        platform = FACTORIES[server.kind](server)
        _platforms[key] = (fingerprint, platform)
        return platform


def close_all() -> None:
    """Drop every connection of this process."""
    with _lock:
        for _fingerprint_text, platform in _platforms.values():
            platform.close()
        _platforms.clear()
