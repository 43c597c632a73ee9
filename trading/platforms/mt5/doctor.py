"""The doctor's checks that only MetaTrader 5 has: the other form of the Web API, and a broker's SQL export."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from trading.choices import Transport
from trading.platforms.base import Examination, Finding, Platform
from trading.platforms.circuit_breaker import Gate
from trading.platforms.errors import PlatformError
from trading.platforms.mt5.platform import connect, other_form
from trading.platforms.mt5.stamps import filetime

if TYPE_CHECKING:
    from trading.models import TradingServer

ACCOUNTS_MAX: Final = 200_000
SAMPLE: Final = 50
SHOWN_MAX: Final = 5


def checks(server: TradingServer) -> Mapping[str, Examination]:
    """Name the doctor's checks for this server: those of the export only where it has one."""
    own: dict[str, Examination] = {"other form": _other_form}
    return {**own, "export": _export, "export's accounts": _export_accounts} if server.reads_export else own


def _other_form(server: TradingServer, _platform: Platform) -> Finding:
    """Check whether the form of the Web API that is not in use could be. No fault when it could not."""
    other = other_form(server)
    used, unused = server.get_transport_display(), Transport(other.transport).label
    try:
        with closing(connect(other, Gate())) as platform:
            health = platform.health()
    except PlatformError as problem:
        return True, f"{used} is in use; {unused} does not answer at this address ({problem})", ""
    return True, f"{used} is in use; {unused} answers, too (version {health.version}, {health.latency_ms} ms)", ""


def _export(server: TradingServer, _platform: Platform) -> Finding:
    """Read what changed in the last hour; the newest change shows how far the export is behind."""
    from trading.platforms.pool import deal_source

    hour_ago = filetime(timezone.now() - dt.timedelta(hours=1))
    page = deal_source(server).deals_since(hour_ago, mask=server.group_mask, overlap=dt.timedelta(0))
    hours = page.clock.offset_seconds / 3600
    return True, f"{len(page.deals)} deals changed in the last hour, server clock UTC{hours:+g}", ""


def _export_accounts(server: TradingServer, platform: Platform) -> Finding:
    """Compare the export's accounts with the platform's own: as many, and the same balances on the first of them."""
    from trading.platforms.pool import export_of

    export = export_of(server)
    there = {row.login: row for row in islice(export.accounts(mask=server.group_mask), ACCOUNTS_MAX)}
    here = platform.logins(server.group_mask)
    sample = sorted(there.keys() & set(here))[:SAMPLE]
    moved = [row.login for row in platform.account_money(sample) if there[row.login].balance != row.balance]
    finding = f"{len(there)} accounts in the export, {len(here)} on the server, balances of {len(sample)} compared"
    if moved or not there:
        shown = ", ".join(moved[:SHOWN_MAX])
        finding = f"{finding}; other balances: {shown}" if moved else finding
        return False, finding, "The export is behind, or keeps other groups: ask when it was last written."
    return True, f"{finding}; {len(export.positions(mask=server.group_mask))} open positions", ""


ADVICE: Final[dict[int, str]] = {
    8: "Give the manager the rights “Access to accounts”, “Access to personal data” and “Access to trade orders”.",
    12: "The server asks for fewer requests. Wait a minute, and look at how often other systems use this manager.",
    1001: "Check the manager's login and its API password (Security tab), which is not the master password.",
    1002: "The manager account is switched off on the server.",
    1011: "The login is no manager: it must be in the group Managers with manager rights.",
    1012: "Add this machine's address to the manager's allowed addresses.",
    12000: "This server version does not know the command. Ask for an update of the access server.",
}
