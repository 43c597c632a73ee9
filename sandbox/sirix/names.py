"""What a Sirix server calls the engine's groups, symbols and kinds of money."""

from __future__ import annotations

from decimal import Decimal

from sandbox.engine.books import BONUS, CORRECTION, CREDIT, SO_COMPENSATION
from sandbox.engine.contracts import GROUPS, HEDGING, SYMBOLS


def _group(engine: str) -> str:
    """`real\\standard-EUR` is `RL-Standard-EUR`."""
    folder, *rest = engine.split("\\")
    parts = [word.title() if word.islower() else word for part in rest for word in part.split("-")]
    return "-".join(["RL" if folder == "real" else "DM", *parts])


# Every position stands for itself on this platform: netting groups are not shown.
GROUP_NAMES = {name: _group(name) for name, group in GROUPS.items() if group.margin_mode == HEDGING}
ENGINE_GROUPS = {shown: name for name, shown in GROUP_NAMES.items()}
SYMBOL_NAMES = {
    name: f"{symbol.base}/{symbol.profit}" if name == symbol.base + symbol.profit else name
    for name, symbol in SYMBOLS.items()
}


def money_type(action: int, amount: Decimal) -> str:
    """`Type` of a monetary transaction; amounts are signed."""
    named = {CREDIT: "Credit", BONUS: "Bonus", CORRECTION: "Adjustment", SO_COMPENSATION: "NegativeBalanceProtection"}
    return named.get(action) or ("Withdrawal" if amount < 0 else "Deposit")
