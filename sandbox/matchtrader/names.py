"""What the engine calls something, and what this platform calls it."""

from __future__ import annotations

from typing import Final

from sandbox.engine.contracts import GROUPS, HEDGING, Group

FULL, CLOSE_ONLY, TRADING_DISABLED = "FULL", "CLOSE_ONLY", "TRADING_DISABLED"
LOGIN_DISABLED, LOCKED_CLOSE_ONLY = "TRADING_AND_LOGIN_DISABLED", "LOCKED_CLOSE_ONLY"
ACCESS_RIGHTS: Final = (FULL, CLOSE_ONLY, TRADING_DISABLED, LOGIN_DISABLED, LOCKED_CLOSE_ONLY)
# By the engine's action of a deal without a symbol: type when money comes in, type when it goes out, additional type.
LEDGER_TYPES: Final = {
    2: ("DEPOSIT", "WITHDRAWAL", "NONE"),
    3: ("CREDIT_IN", "CREDIT_OUT", "NONE"),
    5: ("DEPOSIT", "WITHDRAWAL", "CORRECTION"),
    6: ("CREDIT_IN", "CREDIT_OUT", "BONUS_IN_OUT"),
    7: ("COMMISSIONS", "COMMISSIONS", "NONE"),
    18: ("AGENT_COMMISSION", "AGENT_COMMISSION", "NONE"),
    19: ("DEPOSIT", "WITHDRAWAL", "NEGATIVE_BALANCE_CORRECTION"),
    20: ("CREDIT_IN", "CREDIT_OUT", "NONE"),
}
TYPES: Final = (
    "DEPOSIT",
    "WITHDRAWAL",
    "CREDIT_IN",
    "CREDIT_OUT",
    "AGENT_COMMISSION",
    "COMMISSIONS",
    "SWAPS",
    "OTHER",
    "CLOSED_POSITION",
)


def wire_group(engine: str) -> str:
    """`real\\pro-EUR` is `real-pro-EUR` here."""
    return engine.replace("\\", "-")


# Positions are hedged here: the engine's netting groups are not offered.
OFFERED: Final[dict[str, Group]] = {
    wire_group(name): group for name, group in GROUPS.items() if group.margin_mode == HEDGING
}
