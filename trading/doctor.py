"""Read-only checks of a platform server: what works, what does not, and what to ask the broker's platform people."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Final

from django.utils import timezone

from trading import abilities, symbols
from trading.choices import Transport
from trading.models import AccountType, SymbolInfo, TradingServer
from trading.platforms.base import Platform, Purpose
from trading.platforms.clock import to_server_seconds
from trading.platforms.errors import PlatformError
from trading.platforms.gate import Gate
from trading.platforms.mt5.adapter import make_platform, other_form
from trading.platforms.mt5.stamps import filetime
from trading.platforms.pool import deal_source, export_of, platform_for

CLOCK_SECONDS_MAX: Final = 120
SHOWN_MAX: Final = 5
SAMPLE: Final = 50
ACCOUNTS_MAX: Final = 200_000


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
    checks = {**CHECKS, **EXPORT_CHECKS} if server.reads_export else CHECKS
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


def _other_form(server: TradingServer, _platform: Platform) -> Finding:
    """The form of the Web API that is not in use: whether it could be. No fault when it could not."""
    other = other_form(server)
    used, unused = server.get_transport_display(), Transport(other.transport).label
    try:
        with closing(make_platform(other, Gate())) as platform:
            health = platform.health()
    except PlatformError as problem:
        return True, f"{used} is in use; {unused} does not answer at this address ({problem})", ""
    return True, f"{used} is in use; {unused} answers, too (version {health.version}, {health.latency_ms} ms)", ""


def _manager(server: TradingServer, _platform: Platform) -> Finding:
    missing = ", ".join(str(one.label) for one in abilities.lacking(server))
    return True, f"not done from here: {missing}" if missing else "nothing is withheld from our manager", ""


def _look_up(server: TradingServer, platform: Platform) -> Finding:
    """Without it a deposit whose answer was lost could not be found again."""
    logins = platform.logins(server.group_mask)[:1]
    if not logins:
        return True, "there is no account to try it on", ""
    since = timezone.now() - dt.timedelta(minutes=5)
    found = platform.find_operations(logins[0], Decimal("0.01"), "X:KEELSON-DOCTOR", since=since)
    told = f"operations of {logins[0]} can be looked up by reference"
    return not found, told, "A deal carries the doctor's own reference: look at the account on the platform."


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
    other = [
        one.group for one in wanted if one.group in groups and groups[one.group].currency not in ("", one.currency)
    ]
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


def _export_accounts(server: TradingServer, platform: Platform) -> Finding:
    """The export's accounts beside the platform's own: as many, and the same balances on the first of them."""
    export = export_of(server)
    there = {row.login: row for row in islice(export.accounts(mask=server.group_mask), ACCOUNTS_MAX)}
    here = platform.logins(server.group_mask)
    sample = sorted(there.keys() & set(here))[:SAMPLE]
    moved = [row.login for row in platform.account_money(sample) if there[row.login].balance != row.balance]
    told = f"{len(there)} accounts in the export, {len(here)} on the server, balances of {len(sample)} compared"
    if moved or not there:
        shown = ", ".join(moved[:SHOWN_MAX])
        told = f"{told}; other balances: {shown}" if moved else told
        return False, told, "The export is behind, or keeps other groups: ask when it was last written."
    return True, f"{told}; {len(export.positions(mask=server.group_mask))} open positions", ""


CHECKS: Final[dict[str, Callable[[TradingServer, Platform], Finding]]] = {
    "log-in": _log_in,
    "other form": _other_form,
    "manager": _manager,
    "clock": _clock,
    "groups": _groups,
    "symbols": _symbols,
    "accounts": _accounts,
    "look-up": _look_up,
    "deals": _deals,
    "positions": _positions,
}
EXPORT_CHECKS: Final = {"export": _export, "export's accounts": _export_accounts}
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
