"""What a flag is: how it is found in the database, and how it reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crm.i18n import formats
from risk.retention.choices import FlagKind

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Flag:
    """One kind of flag.

    sql: CTEs that end with `found (client_id, since, figures)`. Before them is `step`, the clients who are judged (id, brand_id,
    user_id, last_trade_at, registered_at) with their brand's thresholds by name (`risk.brand_policies.THRESHOLDS`); parameters
    are `now` and `today`. usual, current: what figures say, in the reader's language; money is in the brand's base currency.
    """

    kind: FlagKind
    sql: str
    usual: Callable[[Figures, str], str]
    current: Callable[[Figures, str], str]
    weight: int = 1


def money(amount: Any, currency: str) -> str:
    """Write an amount of figures, which keep it as text."""
    return formats.money(Decimal(str(amount)), currency)


def percent(part: Any, whole: Any) -> str:
    """Write a share in whole per cent."""
    share = Decimal(str(part)) / Decimal(str(whole)) if Decimal(str(whole)) else Decimal(0)
    return f"{formats.number(round(100 * share))} %"


def day(text: str) -> str:
    """Write a day of figures, which keep it in ISO form."""
    return formats.day(dt.date.fromisoformat(text[:10]))
