"""Read-only checks of a platform server: what works, what does not, and what to ask the broker's platform people.

What every platform has is checked here; what only one kind has, by the checks of its adapter (`Kind.checks`). A platform that
does not report something is not asked for it, and the finding says so.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Final

from django.utils import timezone

from trading.choices import Ability
from trading.core.clock import to_server_seconds
from trading.models import AccountType, SymbolInfo, TradingServer
from trading.platforms import capabilities
from trading.platforms.base import Examination, Finding, Platform, Purpose
from trading.platforms.errors import PlatformError
from trading.platforms.pool import kind_of, platform_for
from trading.sync import symbols

CLOCK_SECONDS_MAX: Final = 120
SHOWN_MAX: Final = 5
SAMPLE: Final = 50
SAMPLE_ONE_BY_ONE: Final = 5


@dataclass(frozen=True)
class Check:
    """One finding. `advice`: what to do when it is not well."""

    name: str
    is_well: bool
    told: str
    advice: str = ""
    milliseconds: int = 0


def examine(server: TradingServer) -> Iterator[Check]:
    """Run all checks, one after another; nothing on the server is changed. Stops when the log-in fails."""
    platform, kind = platform_for(server, Purpose.BACKFILL), kind_of(server.kind)
    advice = {**ADVICE, **kind.advice}
    checks = {"log-in": _log_in, **kind.checks(server), **_checks(platform)}
    for name, check in checks.items():
        started = time.monotonic()
        try:
            is_well, finding, to_do = check(server, platform)
        except PlatformError as problem:
            is_well, finding, to_do = False, str(problem), advice.get(problem.code or 0) or _plainly(str(problem))
        yield Check(name, is_well, finding, "" if is_well else to_do, round((time.monotonic() - started) * 1000))
        if name == "log-in" and not is_well:
            return


def _checks(platform: Platform) -> dict[str, Examination]:
    """Choose the checks that this platform can answer."""
    can = platform.capabilities
    checks: dict[str, tuple[bool, Examination]] = {
        "manager": (True, _manager),
        "clock": (True, _clock),
        "groups": (can.lists_groups, _groups),
        "symbols": (can.lists_symbols, _symbols),
        "accounts": (True, _accounts),
        "look-up": (can.finds_by_reference, _look_up),
        "deals": (True, _deals),
        "positions": (can.reads_many_accounts, _positions),
        "not told": (not (can.lists_groups and can.lists_symbols and can.lists_accounts), _not_told),
        "unverified": (bool(can.unverified), _unverified),
    }
    return {name: check for name, (is_possible, check) in checks.items() if is_possible}


def _log_in(_server: TradingServer, platform: Platform) -> Finding:
    health = platform.health()
    return True, f"version {health.version}, answers in {health.latency_ms} ms", ""


def _manager(server: TradingServer, _platform: Platform) -> Finding:
    missing = ", ".join(str(ability.label) for ability in capabilities.lacking(server))
    return True, f"not done from here: {missing}" if missing else "nothing is withheld from our manager", ""


def _not_told(_server: TradingServer, platform: Platform) -> Finding:
    can = platform.capabilities
    lists = {"groups": can.lists_groups, "symbols": can.lists_symbols, "accounts": can.lists_accounts}
    missing = ", ".join(name for name, is_told in lists.items() if not is_told)
    return True, f"this platform does not list {missing}: what the house knows of them is what counts", ""


def _unverified(_server: TradingServer, platform: Platform) -> Finding:
    """List what to try by hand before clients rely on it; it is no fault."""
    names = ", ".join(str(Ability(name).label) for name in sorted(platform.capabilities.unverified))
    return True, f"no public description was found of: {names}; try each once by hand with a small amount", ""


def _sample(server: TradingServer, platform: Platform) -> list[str]:
    """Choose a few logins to try: of the platform's list, or our own accounts there."""
    if platform.capabilities.lists_accounts:
        return platform.logins(server.group_mask)[:SAMPLE]
    known = server.accounts.filter(state="open", missing_since__isnull=True).order_by("pk")
    return list(known.values_list("login", flat=True)[:SAMPLE_ONE_BY_ONE])


def _look_up(server: TradingServer, platform: Platform) -> Finding:
    """Check that operations can be looked up: without it a deposit whose answer was lost could not be found again."""
    logins = _sample(server, platform)[:1]
    if not logins:
        return True, "there is no account to try it on", ""
    since = timezone.now() - dt.timedelta(minutes=5)
    deals = platform.find_operations(logins[0], Decimal("0.01"), "X:KEELSON-DOCTOR", since=since)
    finding = f"operations of {logins[0]} can be looked up by reference"
    return not deals, finding, "A deal carries the doctor's own reference: look at the account on the platform."


def _clock(server: TradingServer, platform: Platform) -> Finding:
    now = platform.server_time()
    expected = to_server_seconds(timezone.now(), server.zone)
    apart = now.server_msc // 1000 - expected
    hours = now.offset_seconds / 3600
    finding = f"server clock UTC{hours:+g}, {abs(apart)} s {'ahead of' if apart > 0 else 'behind'} {server.time_zone}"
    advice = f"Set the server's time zone: it says UTC{hours:+g}, and {server.time_zone} is something else now."
    return abs(apart) <= CLOCK_SECONDS_MAX, finding, advice


def _groups(server: TradingServer, platform: Platform) -> Finding:
    groups = {group.name: group for group in platform.groups()}
    types = AccountType.objects.filter(server=server, is_enabled=True)
    missing = [account_type.group for account_type in types if account_type.group not in groups]
    other = [
        account_type.group
        for account_type in types
        if account_type.group in groups and groups[account_type.group].currency not in ("", account_type.currency)
    ]
    finding = f"{len(groups)} groups visible"
    if missing or other:
        names = ", ".join([*missing, *(f"{name} (other currency)" for name in other)][:SHOWN_MAX])
        return (
            False,
            f"{finding}; account types name: {names}",
            "Add these groups to the manager's Common tab, or correct them.",
        )
    return bool(groups), finding, "The manager sees no groups: list them in the manager's Common tab."


def _symbols(server: TradingServer, platform: Platform) -> Finding:
    rows = list(platform.symbols())
    mapped = set(SymbolInfo.objects.filter(server=server).exclude(symbol_group="").values_list("name", flat=True))
    unmapped = sorted(row.name for row in rows if row.name not in mapped and symbols.match(row.name, row.path) is None)
    finding = f"{len(rows)} symbols visible"
    if unmapped:
        shown = ", ".join(unmapped[:SHOWN_MAX])
        return (
            False,
            f"{finding}; {len(unmapped)} without a group: {shown}",
            "Map them on the page “Symbols”; deals are kept meanwhile.",
        )
    return bool(rows), finding, "Symbols come from the settings of the manager's own group: add them there."


def _accounts(server: TradingServer, platform: Platform) -> Finding:
    if not platform.capabilities.lists_accounts:
        sample = _sample(server, platform)
        rows = platform.account_money(sample)
        finding = f"{len(sample)} of the house's accounts asked for, money of {len(rows)} read"
        return not sample or bool(rows), finding, "The platform does not have these accounts: is this the right server?"
    logins = platform.logins(server.group_mask)
    money = platform.account_money(logins[:SAMPLE])
    well = not logins or bool(money)
    finding = f"{len(logins)} accounts in {server.group_mask}, money of {len(money)} read"
    return well, finding, "The manager needs the right “Access to accounts”."


def _deals(server: TradingServer, platform: Platform) -> Finding:
    end = timezone.now()
    first, last = (to_server_seconds(at, server.zone) * 1000 for at in (end - dt.timedelta(hours=24), end))
    last += 3_600_000
    if platform.capabilities.reads_many_deals:
        deals = platform.deals(mask=server.group_mask, from_msc=first, to_msc=last)
        return True, f"{len(deals)} deals in the last 24 hours", ""
    logins = _sample(server, platform)[:1]
    count = sum(1 for login in logins for _deal in islice(platform.deals_of(login, from_msc=first, to_msc=last), 1000))
    finding = f"{count} deals of {logins[0]} in the last 24 hours" if logins else "there is no account to read"
    return True, f"{finding}; accounts are read one by one", ""


def _positions(server: TradingServer, platform: Platform) -> Finding:
    return True, f"{len(platform.positions(mask=server.group_mask))} open positions", ""


def _plainly(problem: str) -> str:
    """Advise what to do about a connection that fails before it reaches the platform."""
    return next((advice for sign, advice in ADVICE_ON_THE_WAY.items() if sign in problem), ADVICE_ELSE)


ADVICE_ON_THE_WAY: Final = {
    "can't reach": "Nothing answers there: check address and port, and whether this machine's address is let in.",
    "is not believed": "Enter the address as the certificate names it, or paste the server's own certificate (PEM).",
}
ADVICE_ELSE: Final = "Look at the message; when it stays, ask the platform's support with the time of this run."
ADVICE: Final[dict[int, str]] = {
    401: "Check the manager's name and the secret; a token may have been withdrawn or replaced.",
    403: "The platform knows us and does not let us: ask for the rights, or for this machine's address to be allowed.",
    404: "Check the address and the paths: something answers there, but not this interface.",
    429: "The server asks for fewer requests. Wait a minute, and look at how often other systems use this access.",
}
