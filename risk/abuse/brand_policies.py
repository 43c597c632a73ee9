"""From where on trading counts as abuse at a brand."""

from decimal import Decimal
from typing import Final

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Choice, Count, Fraction, Policy, PolicyArea, declare
from risk.abuse.choices import HANDLING, Handling

ABUSE_SCORE = declare(
    Policy(
        "abuse_score",
        PolicyArea.ABUSE,
        _("Score from which suspected abuse is raised"),
        Fraction(Decimal("0.3"), Decimal(1), 2),
        "0.5",
        _("From 0 to 1. A higher score raises fewer episodes."),
        per_segment=True,
    )
)
ABUSE_SCORE_PRO = declare(
    Policy(
        "abuse_score_pro",
        PolicyArea.ABUSE,
        _("The same for professional clients"),
        Fraction(Decimal("0.3"), Decimal(1), 2),
        "0.7",
        _(
            "Professional clients trade fast and large more often. The higher of the two scores applies to them, unless their "
            "segment has its own."
        ),
    )
)
ABUSE_SCALP_SECONDS = declare(
    Policy(
        "abuse_scalp_seconds",
        PolicyArea.ABUSE,
        _("Shortest holding time in the terms of business"),
        Count(1, 3600, _("seconds")),
        60,
        _("Trades closed sooner count as scalping, where they are most of an account's trades and win on balance."),
        per_segment=True,
    )
)
ABUSE_HEDGE_SECONDS = declare(
    Policy(
        "abuse_hedge_seconds",
        PolicyArea.ABUSE,
        _("Opposite trades belong together within"),
        Count(1, 60, _("seconds")),
        10,
        per_segment=True,
    )
)
ABUSE_COPY_SECONDS = declare(
    Policy(
        "abuse_copy_seconds",
        PolicyArea.ABUSE,
        _("Copied trades belong together within"),
        Count(1, 60, _("seconds")),
        5,
        per_segment=True,
    )
)
ABUSE_SIZE_TIMES = declare(
    Policy(
        "abuse_size_times",
        PolicyArea.ABUSE,
        _("A trade is unusually large from so many times the account's median"),
        Fraction(Decimal(2), Decimal(100), 1),
        "8",
        per_segment=True,
    )
)
ABUSE_BONUS_DAYS = declare(
    Policy(
        "abuse_bonus_days",
        PolicyArea.ABUSE,
        _("Withdrawals count after a bonus for"),
        Count(1, 180, _("days")),
        30,
        per_segment=True,
    )
)
ABUSE_LAUNDERING_AMOUNT = declare(
    Policy(
        "abuse_laundering_amount",
        PolicyArea.ABUSE,
        _("Deposits withdrawn again with little trading are raised from"),
        Count(1, 10_000_000, _("in base currency")),
        1000,
        per_segment=True,
    )
)
# A suggestion: what is done to a client is a measure, which two people decide.
USUAL_HANDLING: Final = {
    kind: declare(
        Policy(
            f"abuse_handling_{kind.value}",
            PolicyArea.ABUSE,
            format_lazy("{}: {}", _("Usual handling"), kind.label),
            Choice(dict(Handling.choices)),
            handling.value,
            needs_four_eyes=False,
        )
    )
    for kind, handling in HANDLING.items()
}
ABUSE_HOURS = declare(
    Policy(
        "abuse_hours",
        PolicyArea.ABUSE,
        _("Suspected abuse is decided within"),
        Count(1, 240, _("working hours")),
        24,
        needs_four_eyes=False,
    )
)
