"""The doctor's checks that only a Match-Trader needs: what the public pages leave open is compared with what this broker has."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from trading.platforms.base import Examination, Finding, Platform
from trading.platforms.errors import FinalError
from trading.platforms.matchtrader import rows
from trading.platforms.matchtrader.platform import MatchTraderPlatform
from trading.platforms.matchtrader.rest import NO_SUCH_PATH
from trading.platforms.matchtrader.streams import NEEDED, Streams
from trading.platforms.pool import option_value

if TYPE_CHECKING:
    from trading.models import TradingServer
ADVICE: Final[dict[int, str]] = {
    400: "The broker's server speaks another version of this request: compare it with the broker's own documentation.",
    401: "Check the API key, and that it is of version 2 of the interface.",
    403: "The API key lacks a right: ask the broker which ones it was given.",
    404: "Compare the server's paths with the broker's own documentation, and set those that differ.",
    429: "The minute's 500 requests are used up: look at what else uses this API key.",
}
STREAM_SECONDS: Final = 3.0
SHOWN_MAX: Final = 5


def checks(server: TradingServer) -> Mapping[str, Examination]:
    """Name the doctor's checks for this server: streams only where they are switched on."""
    named: dict[str, Examination] = {"paths": _paths, "group names": _group_names}
    return {**named, "streams": _streams} if option_value(server, "grpc") == "on" else named


def _ours(platform: Platform) -> MatchTraderPlatform:
    assert isinstance(platform, MatchTraderPlatform)
    return platform


def _paths(_server: TradingServer, platform: Platform) -> Finding:
    """Try every path that can be asked without changing anything."""
    ours = _ours(platform)
    now = ours.client.now_msc()
    window = {"from": rows.written(now - 60_000), "to": rows.written(now), "logins": ["0"]}
    asked: dict[str, dict[str, Any]] = {
        "user_by_email": {"email": "nobody@example.com"},
        "account": {"login": "0"},
        "open_positions": {"body": {"logins": ["0"]}},
        "ledgers": {"body": {**window, "types": list(rows.MONEY_TYPES)}},
        "closed_positions": {"body": window},
        "group_names": {},
        "symbols": {"query": [("group", ours.group_names("*")[0])]} if ours.group_names("*") else {},
    }
    missing = []
    for command, what in asked.items():
        try:
            ours.client.read(command, **what)
        except FinalError as problem:
            if problem.message == NO_SUCH_PATH:
                missing.append(command)
    finding = f"{len(asked) - len(missing)} of {len(asked)} paths are there; those that change something are not tried"
    return not missing, finding, f"Not there: {', '.join(missing)}. {ADVICE[404]}"


def _group_names(_server: TradingServer, platform: Platform) -> Finding:
    """Compare the groups that accounts are in with those that are set, and these with what the platform has."""
    ours = _ours(platform)
    used = {rows.text(row.get("group")) for row in ours.listing().values()}
    if not ours.config.groups:
        return True, f"none set: all that the platform lists are read ({len(ours.group_names('*'))})", ""
    known = {group.name for group in ours.groups()}
    unset, unknown = sorted(used - set(ours.config.groups)), sorted(set(ours.config.groups) - known)
    finding = f"{len(ours.config.groups)} set"
    advice = []
    if unset:
        advice.append(f"Accounts are in groups that are not set, and not read: {', '.join(unset[:SHOWN_MAX])}.")
    if unknown:
        advice.append(f"The platform does not know: {', '.join(unknown[:SHOWN_MAX])}.")
    return not advice, finding, " ".join(advice)


def _streams(_server: TradingServer, platform: Platform) -> Finding:
    """Open one group's streams for a moment. A server may stay silent until its first heartbeat."""
    ours = _ours(platform)
    names = ours.group_names("*")[:1]
    if not names:
        return True, "no group to listen to", ""
    streams = Streams(ours.config, ours.client.now_msc)
    try:
        streams.follow(names)
        deadline = time.monotonic() + STREAM_SECONDS
        spoke, broken = False, dict[str, str]()
        while time.monotonic() < deadline and not (spoke or broken):
            time.sleep(0.05)
            spoke = streams.take().covered_since is not None
            broken = {kind: problem for kind, problem in streams.problems.items() if kind in NEEDED}
    finally:
        streams.close()
    if broken:
        advice = "Look at host, port, package and names of the streams; without them everything is asked for."
        return False, "; ".join(f"{kind}: {problem}" for kind, problem in broken.items()), advice
    return True, f"{names[0]} {'speaks' if spoke else 'is open and has said nothing yet'}", ""
