"""What a brand sets about screening."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Fraction, Policy, PolicyArea, declare

SCREENING_THRESHOLD = declare(
    Policy(
        "screening_threshold",
        PolicyArea.IDENTITY,
        _("Screening threshold"),
        Fraction(Decimal("0.5"), Decimal(1), 4),
        "0.8",
        _("Matches with a watchlist from this score on are reviewed. 1: only exact ones."),
    )
)
