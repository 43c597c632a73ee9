"""A brand's limits on money: amounts in minor units of its base currency, with safe values where it sets none."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Amount, Choice, Count, Countries, Policy, PolicyArea, Share, Switch, declare
from crm.models import Brand
from crm.money.amounts import quantize, to_minor
from crm.rates import fx

DAYS, HOURS, SECONDS = _("days"), _("hours"), _("seconds")
# EU and EEA (ESMA), United Kingdom (FCA), Australia (ASIC).
RETAIL_BAN = """
    AT AU BE BG CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK
""".split()
_LIMITS: list[Policy[Any]] = [
    Policy(
        "withdrawal_four_eyes_minor", PolicyArea.WITHDRAWALS, _("Two people approve withdrawals above"), Amount(), 10000
    ),
    Policy(
        "withdrawal_auto_approve_minor",
        PolicyArea.WITHDRAWALS,
        _("Approved without a person up to"),
        Amount(),
        0,
        _("Only withdrawals without any finding. 0: a person approves each."),
    ),
    Policy(
        "withdrawal_requests_per_day",
        PolicyArea.WITHDRAWALS,
        _("Requests a day before review"),
        Count(1, 1_000),
        3,
        _("More than that is reviewed."),
    ),
    Policy(
        "withdrawal_requests_per_week",
        PolicyArea.WITHDRAWALS,
        _("Requests a week before review"),
        Count(1, 5_000),
        10,
        _("More than that is reviewed."),
    ),
    Policy(
        "withdrawal_amount_per_day_minor",
        PolicyArea.WITHDRAWALS,
        _("Amount a day before review"),
        Amount(),
        2500000,
        _("More than that is reviewed."),
    ),
    Policy(
        "withdrawal_amount_per_week_minor",
        PolicyArea.WITHDRAWALS,
        _("Amount a week before review"),
        Amount(),
        10000000,
        _("More than that is reviewed."),
    ),
    Policy(
        "withdrawal_cooling_off_hours",
        PolicyArea.WITHDRAWALS,
        _("Cooling-off period"),
        Count(0, 720, HOURS),
        24,
        _("A request is reviewed where the password, a contact or the destination changed more recently."),
    ),
    Policy(
        "withdrawal_sla_hours",
        PolicyArea.WITHDRAWALS,
        _("Withdrawals are late after"),
        Count(1, 720, HOURS),
        24,
        needs_four_eyes=False,
    ),
    Policy(
        "structuring_each_minor", PolicyArea.DEPOSITS, _("Structuring: deposits below this are small"), Amount(), 100000
    ),
    Policy(
        "structuring_total_minor",
        PolicyArea.DEPOSITS,
        _("Structuring: small deposits within a week add up to more than"),
        Amount(),
        300000,
        _("The next withdrawal is then reviewed."),
    ),
    Policy("structuring_count", PolicyArea.DEPOSITS, _("Structuring: number of small deposits"), Count(2, 100), 5),
    Policy(
        "deposit_tolerance_basis_points",
        PolicyArea.DEPOSITS,
        _("Tolerated difference, in per cent"),
        Share(0, 1_000),
        100,
        _("A bank wire or crypto payment this much off is booked as received."),
    ),
    Policy(
        "deposit_tolerance_minor",
        PolicyArea.DEPOSITS,
        _("Tolerated difference, as an amount"),
        Amount(1_000_000),
        500,
        _("The larger of the two counts."),
    ),
    Policy(
        "deposit_late_days",
        PolicyArea.DEPOSITS,
        _("Payments are late after"),
        Count(0, 365, DAYS),
        14,
        _("Money that arrives longer after the deposit expired is held."),
    ),
    Policy("fx_markup_basis_points", PolicyArea.EXCHANGE, _("Mark-up on exchange rates"), Share(1, 1_000), 50),
    Policy("fx_quote_seconds", PolicyArea.EXCHANGE, _("A quote is valid for"), Count(1, 600, SECONDS), 30),
    Policy(
        "fx_rate_bank_days_max",
        PolicyArea.EXCHANGE,
        _("Age of a mid rate, in bank days"),
        Count(0, 5),
        1,
        _("Clients can't exchange at an older one."),
    ),
    Policy("fx_exchange_max_minor", PolicyArea.EXCHANGE, _("Largest exchange"), Amount(), 5000000),
    Policy("fx_exchange_per_day_minor", PolicyArea.EXCHANGE, _("Largest total within 24 hours"), Amount(), 10000000),
    Policy(
        "refund_claim_days",
        PolicyArea.WITHDRAWALS,
        _("Refunds are unclaimed after"),
        Count(1, 365, DAYS),
        30,
        _("A refund that the client must claim is reported then."),
    ),
    Policy(
        "payout_came_back_returns_fee",
        PolicyArea.WITHDRAWALS,
        _("Returned payouts: refund our fee"),
        Switch(),
        False,
        _("Finance can decide otherwise case by case."),
    ),
    Policy(
        "payout_came_back_restores_bonus",
        PolicyArea.WITHDRAWALS,
        _("Returned payouts: restore the bonus"),
        Switch(),
        True,
        _("Finance can decide otherwise case by case."),
    ),
    Policy(
        "dispute_won_restores_bonus",
        PolicyArea.BONUSES,
        _("Won chargebacks: restore the bonus"),
        Switch(),
        True,
        _("Up to the four-eyes amount. No: two people decide each."),
    ),
]
LIMITS = {policy.key: declare(policy) for policy in _LIMITS}
DEPOSIT_THIRD_PARTY = declare(
    Policy(
        "deposit_third_party",
        PolicyArea.DEPOSITS,
        _("Payments from other people"),
        Choice({"hold": _("Hold for review"), "accept": _("Accept")}),
        "hold",
        _("The payer's name is compared with the client's."),
    )
)
DEPOSIT_CONVERTS = declare(
    Policy(
        "deposit_converts_other_currency",
        PolicyArea.DEPOSITS,
        _("Convert payments in a currency without a wallet"),
        Switch(),
        False,
        _("No: they are held."),
    )
)
CLIENT_MONEY_IN_TRANSIT = declare(
    Policy(
        "client_money_in_transit",
        PolicyArea.CLIENT_MONEY,
        _("Count money held by PSPs as client money at the bank"),
        Switch(),
        True,
    )
)
CLIENT_MONEY_ON_PLATFORMS = declare(
    Policy(
        "client_money_on_platforms",
        PolicyArea.CLIENT_MONEY,
        _("Count equity on trading platforms as owed to clients"),
        Switch(),
        True,
    )
)
BONUS_RETAIL_BAN = declare(
    Policy(
        "bonus_retail_ban",
        PolicyArea.BONUSES,
        _("No bonus for retail clients in"),
        Countries(),
        RETAIL_BAN,
        _("Of the brand's licence, or of the client's residence."),
    )
)


def limit(brand: Brand, key: str) -> int:
    """Return the brand's limit of today, or its default where the brand sets none. KeyError for an unknown one."""
    return int(LIMITS[key].of(brand))


def in_base(brand: Brand, amount: Decimal, currency: str, *, on: dt.date | None = None) -> Decimal:
    """Convert an amount into the brand's base currency at the day's reference rate. Raises crm.rates.fx.NoRate."""
    base = brand.base_currency
    if currency == base:
        return quantize(amount, base)
    return fx.convert(amount, currency, base, on=on or timezone.now().date())


def exceeds(brand: Brand, base_amount: Decimal, key: str) -> bool:
    """Tell whether an amount in the base currency is above the brand's limit."""
    return to_minor(base_amount, brand.base_currency) > limit(brand, key)
