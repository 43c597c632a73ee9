"""From where on trading counts as abuse at a brand, by its dated policies; professional clients have a bar of their own."""

from __future__ import annotations

from crm.models import Brand
from risk.abuse.brand_policies import (
    ABUSE_BONUS_DAYS,
    ABUSE_COPY_SECONDS,
    ABUSE_HEDGE_SECONDS,
    ABUSE_LAUNDERING_AMOUNT,
    ABUSE_SCALP_SECONDS,
    ABUSE_SCORE,
    ABUSE_SIZE_TIMES,
)
from risk.abuse.findings import Limits


def limits_of(brand: Brand) -> Limits:
    """Return what holds today."""
    return Limits(
        score=float(ABUSE_SCORE.of(brand)),
        scalp_seconds=ABUSE_SCALP_SECONDS.of(brand),
        hedge_seconds=ABUSE_HEDGE_SECONDS.of(brand),
        copy_seconds=ABUSE_COPY_SECONDS.of(brand),
        size_times=float(ABUSE_SIZE_TIMES.of(brand)),
        bonus_days=ABUSE_BONUS_DAYS.of(brand),
        laundering_amount=ABUSE_LAUNDERING_AMOUNT.of(brand),
    )
