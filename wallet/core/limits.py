"""A brand's limits on money, from `Brand.policies`, in minor units of its base currency; safe values when unset.

| key | default | means |
|---|---|---|
| `withdrawal_four_eyes_minor` | 10 000 | above this two people approve |
| `withdrawal_auto_approve_minor` | 0 | up to this a clean request needs nobody |
| `withdrawal_kyc_level` | 1 | level a client must have reached |
| `withdrawal_requests_per_day` | 3 | more than that is reviewed |
| `withdrawal_requests_per_week` | 10 | more than that is reviewed |
| `withdrawal_amount_per_day_minor` | 2 500 000 | more than that in a day is reviewed |
| `withdrawal_amount_per_week_minor` | 10 000 000 | more than that in a week is reviewed |
| `withdrawal_cooling_off_hours` | 24 | a password, contact or destination that is newer than this is reviewed |
| `withdrawal_sla_hours` | 24 | a request that waits longer is late |
| `structuring_each_minor` | 100 000 | deposits below this are small |
| `structuring_total_minor` | 300 000 | small ones that are more than this together within a week are reviewed |
| `structuring_count` | 5 | when there are so many of them |
| `deposit_tolerance_basis_points` | 100 | a bank wire or crypto payment this much off is booked as received |
| `deposit_tolerance_minor` | 500 | or this much |
| `deposit_late_days` | 14 | money that arrives longer after the deposit expired is held |
| `fx_markup_basis_points` | 50 | what the broker keeps of a conversion; never less than 1 |
| `fx_quote_seconds` | 30 | how long a quoted rate holds |
| `fx_rate_bank_days_max` | 1 | a mid rate that is more bank days old is none; five at most |
| `fx_exchange_max_minor` | 5 000 000 | the most that one exchange may give |
| `fx_exchange_per_day_minor` | 10 000 000 | the most that a client may exchange within 24 hours |
| `refund_claim_days` | 30 | a refund that the client must claim is reported as unclaimed after so long |
| `payout_came_back_returns_fee` | 0 | 1: a payout that comes back returns our fee to the client, unless finance decides otherwise |
| `payout_came_back_restores_bonus` | 1 | 0: credit that it took away stays lost, unless finance decides otherwise |
| `dispute_won_restores_bonus` | 1 | a won chargeback gives back the bonus it took, up to four eyes; 0: two people decide |
| `deposit_unverified_max_minor` | 200 000 | all an unverified client may have paid in (CySEC C721: EUR 2,000) |
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from crm.models import Brand
from crm.money.amounts import quantize, to_minor
from crm.rates import fx

DEFAULTS: dict[str, int] = {
    "withdrawal_four_eyes_minor": 10_000,
    "withdrawal_auto_approve_minor": 0,
    "withdrawal_kyc_level": 1,
    "withdrawal_requests_per_day": 3,
    "withdrawal_requests_per_week": 10,
    "withdrawal_amount_per_day_minor": 2_500_000,
    "withdrawal_amount_per_week_minor": 10_000_000,
    "withdrawal_cooling_off_hours": 24,
    "withdrawal_sla_hours": 24,
    "structuring_each_minor": 100_000,
    "structuring_total_minor": 300_000,
    "structuring_count": 5,
    "deposit_tolerance_basis_points": 100,
    "deposit_tolerance_minor": 500,
    "deposit_late_days": 14,
    "fx_markup_basis_points": 50,
    "fx_quote_seconds": 30,
    "fx_rate_bank_days_max": 1,
    "fx_exchange_max_minor": 5_000_000,
    "fx_exchange_per_day_minor": 10_000_000,
    "refund_claim_days": 30,
    "payout_came_back_returns_fee": 0,
    "payout_came_back_restores_bonus": 1,
    "dispute_won_restores_bonus": 1,
    "deposit_unverified_max_minor": 200_000,
}


# Upper bounds that no brand's policy may exceed.
MOST: dict[str, int] = {"fx_rate_bank_days_max": 5}


def limit(brand: Brand, key: str) -> int:
    """Return the brand's limit, or its default where the brand sets none; capped where the product has a maximum."""
    value = int(brand.policies.get(key, DEFAULTS[key]))
    return min(value, MOST[key]) if key in MOST else value


def in_base(brand: Brand, amount: Decimal, currency: str, *, on: dt.date | None = None) -> Decimal:
    """Convert an amount into the brand's base currency at the day's reference rate. Raises crm.rates.fx.NoRate."""
    base = brand.base_currency
    if currency == base:
        return quantize(amount, base)
    return fx.convert(amount, currency, base, on=on or timezone.now().date())


def exceeds(brand: Brand, base_amount: Decimal, key: str) -> bool:
    """Tell whether an amount in the base currency is above the brand's limit."""
    return to_minor(base_amount, brand.base_currency) > limit(brand, key)
