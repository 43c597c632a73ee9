"""What a trade would pay by a rate card that isn't active yet: the engine's arithmetic for one trade, without the database.

`tests/ib/test_plan_preview.py` holds it against the engine itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import Final

from ib.agreements.cards import RateCard
from ib.choices import Reason

EIGHT_PLACES: Final = Decimal("0.00000001")


@dataclass(frozen=True)
class LevelPay:
    """What one level gets for a trade, in the plan's currency; `reason` says why it is nothing."""

    level: int
    per_lot: Decimal
    amount: Decimal
    is_fixed: bool = False
    reason: Reason = Reason.NONE


def preview(card: RateCard, *, group: str, lots: Decimal, depth: int) -> list[LevelPay]:
    """List what each level gets for a trade of a client whose partner has `depth` − 1 partners above.

    Level 1 is the client's own partner. As in the engine, the plan's deepest level ends the row.
    """
    deepest = max(card.levels(), default=1)
    return [_pay(card, group, lots, level) for level in range(1, min(depth, deepest) + 1)]


def _pay(card: RateCard, group: str, lots: Decimal, level: int) -> LevelPay:
    fixed = card.overrides.get((group, level))
    rate = fixed if fixed is not None else card.rates.get(group)
    share = Decimal(1) if fixed is not None else card.shares.get(level)
    if rate is None:
        return LevelPay(level, Decimal(0), Decimal(0), reason=Reason.NO_RATE)
    if share is None:
        return LevelPay(level, Decimal(0), Decimal(0), reason=Reason.BEYOND_LEVELS)
    with localcontext(prec=60):
        amount = (lots * rate * share).quantize(EIGHT_PLACES, ROUND_DOWN)
        return LevelPay(level, rate * share, amount, fixed is not None)
