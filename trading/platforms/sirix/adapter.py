"""Sirix as a `Platform`: its parts put together, and how a server row becomes one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from trading.choices import Ability, AccountState
from trading.platforms.base import BalanceKind, Capabilities, platform_kind
from trading.platforms.circuit_breaker import Gate
from trading.platforms.pool import option_value
from trading.platforms.shared import shared_turn
from trading.platforms.sirix.accounts import AccountsPart
from trading.platforms.sirix.client import SirixClient
from trading.platforms.sirix.history import HistoryPart
from trading.platforms.sirix.money import REFERENCE_CHARS_MAX, MoneyPart
from trading.platforms.sirix.options import OPTIONS, configuration
from trading.platforms.sirix.status import Known

if TYPE_CHECKING:
    from trading.models import TradingServer

CAPABILITIES: Final = Capabilities(
    own_logins=False,
    changes_group=False,
    changes_leverage=False,
    rights=frozenset(),
    sets_passwords=False,
    checks_passwords=False,
    balance_kinds=frozenset({BalanceKind.BALANCE}),
    reads_many_accounts=False,
    reads_many_deals=False,
    reference_chars_max=REFERENCE_CHARS_MAX,
    finds_accounts=False,
    lists_groups=False,
    lists_symbols=False,
    lists_accounts=False,
    finds_deals=False,
    tells_profiles=False,
    unverified=frozenset({Ability.MOVE_MONEY.value}),
)


class SirixPlatform(AccountsPart, HistoryPart, MoneyPart):
    """One server of Leverate's Sirix."""

    capabilities = CAPABILITIES


def known_accounts(server: TradingServer) -> Known:
    """List our accounts on a server, without those that the platform was found not to have."""

    def known() -> Iterable[tuple[str, str]]:
        states = [AccountState.OPEN, AccountState.ARCHIVED]
        accounts = server.accounts.filter(state__in=states, missing_since__isnull=True)
        return accounts.order_by("pk").values_list("login", "group")

    return known


def lacking(server: TradingServer) -> frozenset[str]:
    """Name what isn't possible without the broker's own call: no money is moved."""
    return frozenset() if option_value(server, "money_path") else frozenset({Ability.MOVE_MONEY.value})


@platform_kind(
    "sirix",
    CAPABILITIES,
    options=OPTIONS,
    manager_label=_("API user name"),
    secret_label=_("Bearer token"),
    lacking=lacking,
)
def make_platform(server: TradingServer, gate: Gate) -> SirixPlatform:
    """Make the platform of a Sirix server's row; all processes share the pace at which its accounts are read."""
    config = configuration(server)
    name = f"{server.pk}:{config.address}"
    turn = shared_turn(f"{server.pk}:sirix accounts") if server.pk else None
    return SirixPlatform(SirixClient(config, gate, turn), server.zone, known_accounts(server), name)


__all__ = ["SirixPlatform", "configuration", "make_platform"]
