"""What a brand sets about screening."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Count, Fraction, Policy, PolicyArea, declare

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
MATCH_REVIEW_HOURS = declare(
    Policy(
        "match_review_hours",
        PolicyArea.PROMISES,
        _("Possible matches are reviewed within"),
        Count(1, 240, _("working hours")),
        4,
        _("The client's account is frozen until then. Later ones are marked as late."),
        needs_four_eyes=False,
    )
)
