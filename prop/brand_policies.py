"""How soon a brand reviews challenges whose target was reached, and their payouts."""

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Count, Policy, PolicyArea, declare

REVIEW_HOURS = declare(
    Policy(
        "challenge_review_hours",
        PolicyArea.PROMISES,
        _("Challenges whose target was reached are reviewed within"),
        Count(1, 240, _("working hours")),
        24,
        needs_four_eyes=False,
    )
)

PAYOUT_HOURS = declare(
    Policy(
        "challenge_payout_hours",
        PolicyArea.PROMISES,
        _("Payouts of challenges are reviewed within"),
        Count(1, 240, _("working hours")),
        24,
        needs_four_eyes=False,
    )
)
