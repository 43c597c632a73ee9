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
        "0.001",
        _("How improbable an agent's day must be by their own baseline. 0: no alerts from the baseline."),
    )
)
