"""Read-only checks of a platform server: what works, what does not, and what to ask the broker's platform people."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from trading import symbols
from trading.models import AccountType, SymbolInfo, TradingServer
from trading.platforms.base import Platform, Purpose
from trading.platforms.errors import PlatformError
from trading.platforms.mt5.stamps import filetime
from trading.platforms.mt5.units import to_server_seconds
from trading.platforms.pool import deal_source, platform_for

CLOCK_SECONDS_MAX: Final = 120
SHOWN_MAX: Final = 5


@dataclass(frozen=True)
class Check:
    """One finding. `advice` says what to do when it is not well."""

    name: str
    is_well: bool
    told: str
    advice: str = ""
    milliseconds: int = 0


Finding = tuple[bool, str, str]


def examine(server: TradingServer) -> Iterator[Check]:
    """All checks, one after another; nothing on the server is changed. Stops when the log-in fails."""
    platform = platform_for(server, Purpose.BACKFILL)
    checks = {**CHECKS, "export": _export} if server.reads_export else CHECKS
    for name, check in checks.items():
        started = time.monotonic()
        try:
            is_well, told, advice = check(server, platform)
        except PlatformError as problem:
            is_well, told, advice = False, str(problem), ADVICE.get(problem.code or 0, ADVICE_ELSE)
        yield Check(name, is_well, told, "" if is_well else advice, round((time.monotonic() - started) * 1000))
        if name == "log-in" and not is_well:
            return


def _log_in(_server: TradingServer, platform: Platform) -> Finding:
    health = platform.health()
    return True, f"version {health.version}, answers in {health.latency_ms} ms", ""


def _clock(server: TradingServer, platform: Platform) -> Finding:
    now = platform.server_time()
    expected = to_server_seconds(timezone.now(), server.zone)
    apart = now.server_msc // 1000 - expected
    hours = now.offset_seconds / 3600
    told = f"server clock UTC{hours:+g}, {abs(apart)} s {'ahead of' if apart > 0 else 'behind'} {server.time_zone}"
    advice = f"Set the server's time zone: it says UTC{hours:+g}, and {server.time_zone} is something else now."
    return abs(apart) <= CLOCK_SECONDS_MAX, told, advice


def _groups(server: TradingServer, platform: Platform) -> Finding:
    groups = {group.name: group for group in platform.groups()}
    wanted = AccountType.objects.filter(server=server, is_enabled=True)
    missing = [one.group for one in wanted if one.group not in groups]
    other = [one.group for one in wanted if one.group in groups and groups[one.group].currency != one.currency]
    told = f"{len(groups)} groups visible"
    if missing or other:
        names = ", ".join([*missing, *(f"{name} (other currency)" for name in other)][:SHOWN_MAX])
        return (
            False,
            f"{told}; account types name: {names}",
            "Add these groups to the manager's Common tab, or correct them.",
        )
    return bool(groups), told, "The manager sees no groups: list them in the manager's Common tab."


def _symbols(server: TradingServer, platform: Platform) -> Finding:
    rows = list(platform.symbols())
    mapped = set(SymbolInfo.objects.filter(server=server).exclude(symbol_group="").values_list("name", flat=True))
    unmapped = sorted(row.name for row in rows if row.name not in mapped and symbols.match(row.name, row.path) is None)
    told = f"{len(rows)} symbols visible"
    if unmapped:
        shown = ", ".join(unmapped[:SHOWN_MAX])
        return (
            False,
            f"{told}; {len(unmapped)} without a group: {shown}",
            "Map them on the page “Symbols”; deals are kept meanwhile.",
        )
    return bool(rows), told, "Symbols come from the settings of the manager's own group: add them there."


def _accounts(server: TradingServer, platform: Platform) -> Finding:
    logins = platform.logins(server.group_mask)
    money = platform.account_money(logins[:50])
    well = not logins or bool(money)
    told = f"{len(logins)} accounts in {server.group_mask}, money of {len(money)} read"
    return well, told, "The manager needs the right “Access to accounts”."


def _deals(server: TradingServer, platform: Platform) -> Finding:
    end = timezone.now()
    first, last = (to_server_seconds(at, server.zone) * 1000 for at in (end - dt.timedelta(hours=24), end))
    found = platform.deals(mask=server.group_mask, from_msc=first, to_msc=last + 3_600_000)
    return True, f"{len(found)} deals in the last 24 hours", ""


def _positions(server: TradingServer, platform: Platform) -> Finding:
    return True, f"{len(platform.positions(mask=server.group_mask))} open positions", ""


def _export(server: TradingServer, _platform: Platform) -> Finding:
    """Reads what changed in the last hour; the newest change says how far the export is behind."""
    hour_ago = filetime(timezone.now() - dt.timedelta(hours=1))
    page = deal_source(server).deals_since(hour_ago, mask=server.group_mask, overlap=dt.timedelta(0))
    hours = page.clock.offset_seconds / 3600
    return True, f"{len(page.deals)} deals changed in the last hour, server clock UTC{hours:+g}", ""


CHECKS: Final[dict[str, Callable[[TradingServer, Platform], Finding]]] = {
    "log-in": _log_in,
    "clock": _clock,
    "groups": _groups,
    "symbols": _symbols,
    "accounts": _accounts,
    "deals": _deals,
    "positions": _positions,
}
ADVICE_ELSE: Final = "Look at the message; when it stays, ask the platform's support with the time of this run."
ADVICE: Final[dict[int, str]] = {
    8: "Give the manager the rights “Access to accounts”, “Access to personal data” and “Access to trade orders”.",
    12: "The server asks for fewer requests. Wait a minute, and look at how often other systems use this manager.",
    1001: "Check the manager's login and its API password (Security tab), which is not the master password.",
    1002: "The manager account is switched off on the server.",
    1011: "The login is no manager: it must be in the group Managers with manager rights.",
    1012: "Add this machine's address to the manager's allowed addresses.",
    12000: "This server version does not know the command. Ask for an update of the access server.",
}
