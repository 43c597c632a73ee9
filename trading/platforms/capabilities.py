"""What can be done on a server from here: what its platform can at all, less what the broker withholds from our manager.

Verbs ask before they write anything down; pages hide what can't be done and say so in words. A wish that comes too late
(the right was taken away on the platform without a word to us) still meets the platform's own refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.utils.translation import gettext as _

from crm.security.policies import YES, Decision, no
from trading.choices import Ability, OperationKind
from trading.models import TradingServer
from trading.platforms.base import BalanceKind, Capabilities, Right
from trading.platforms.pool import capabilities_of, kind_of

NEEDS: Final[dict[Ability, Callable[[Capabilities], bool]]] = {
    Ability.OPEN_ACCOUNTS: lambda can: can.creates_accounts,
    Ability.CHANGE_GROUP: lambda can: can.changes_group,
    Ability.CHANGE_LEVERAGE: lambda can: can.changes_leverage,
    Ability.STOP_TRADING: lambda can: {Right.SIGN_IN, Right.TRADE} <= can.rights,
    Ability.SET_PASSWORDS: lambda can: can.sets_passwords,
    # Without a look-up by reference nobody could tell whether a deposit whose answer was lost is booked.
    Ability.MOVE_MONEY: lambda can: can.finds_by_reference and BalanceKind.BALANCE in can.balance_kinds,
    Ability.BOOK_CREDIT: lambda can: can.finds_by_reference and BalanceKind.CREDIT in can.balance_kinds,
    Ability.BOOK_BONUS: lambda can: can.finds_by_reference and BalanceKind.BONUS in can.balance_kinds,
    Ability.BOOK_CORRECTION: lambda can: can.finds_by_reference and BalanceKind.CORRECTION in can.balance_kinds,
}
FOR_OPERATION: Final = {
    OperationKind.DEPOSIT: Ability.MOVE_MONEY,
    OperationKind.WITHDRAWAL: Ability.MOVE_MONEY,
    OperationKind.CREDIT: Ability.BOOK_CREDIT,
    OperationKind.BONUS: Ability.BOOK_BONUS,
    OperationKind.CORRECTION: Ability.BOOK_CORRECTION,
}


OF_CLIENTS: Final = (
    Ability.MOVE_MONEY,
    Ability.SET_PASSWORDS,
    Ability.CHANGE_LEVERAGE,
    Ability.CHANGE_GROUP,
    Ability.STOP_TRADING,
)
"""What a client asks for themselves: credit, bonus and corrections are the house's own business."""


def lacking(server: TradingServer) -> list[Ability]:
    """List what can't be done on a server from here, in the order of `Ability`."""
    can, withheld = capabilities_of(server.kind), _withheld(server)
    return [ability for ability in Ability if ability.value in withheld or not NEEDS[ability](can)]


def not_there(can: Capabilities) -> list[Ability]:
    """List what a platform has no interface for, whoever the manager is."""
    return [ability for ability in Ability if not NEEDS[ability](can)]


def unverified(server: TradingServer) -> list[Ability]:
    """List what can be done there only through an interface without a public description: pages mark it."""
    named = capabilities_of(server.kind).unverified
    return [ability for ability in Ability if ability.value in named and ability not in lacking(server)]


def _withheld(server: TradingServer) -> set[str]:
    """Collect what the broker withholds, and what the server's own settings leave out."""
    return {*server.withheld, *kind_of(server.kind).lacking(server)}


def can(server: TradingServer, ability: Ability) -> Decision:
    """Decide whether it can be done there, with the reason if not."""
    if ability.value not in _withheld(server) and NEEDS[ability](capabilities_of(server.kind)):
        return YES
    return no(_("%(server)s doesn't support this from Keelson: %(what)s.") % {"server": server, "what": ability.label})
