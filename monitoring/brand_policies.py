"""What a brand sets about monitoring."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Fraction, Policy, PolicyArea, declare

ALERT_PROBABILITY = declare(
    Policy(
        "alert_probability",
        PolicyArea.MONITORING,
        _("Probability below which a day raises an alert"),
        Fraction(Decimal(0), Decimal("0.05"), 6),
        "0.01",
        _("However much of the budget is left, a day must be less probable than this. 0: no alerts from the baseline."),
    )
)
ALERT_BUDGET = declare(
    Policy(
        "alert_budget",
        PolicyArea.MONITORING,
        _("Alert budget: cases per 100 agent-days"),
        Fraction(Decimal(0), Decimal(20), 2),
        "0.5",
        _(
            "How many alerts people have time to review. The most unusual days are raised; broken rules count, and always are."
        ),
    )
)
