"""How soon a brand reviews challenges whose target was reached, their payouts and appeals, and how long traders may appeal."""

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

FUNDING_HOURS = declare(
    Policy(
        "challenge_funding_hours",
        PolicyArea.PROMISES,
        _("Challenge accounts without their balance are handled within"),
        Count(1, 240, _("working hours")),
        4,
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

APPEAL_HOURS = declare(
    Policy(
        "challenge_appeal_hours",
        PolicyArea.PROMISES,
        _("Appeals about challenges are decided within"),
        Count(1, 240, _("working hours")),
        40,
        needs_four_eyes=False,
    )
)

APPEAL_DAYS = declare(
    Policy(
        "challenge_appeal_days",
        PolicyArea.PROMISES,
        _("Traders can appeal a breach or a refused payout for"),
        Count(1, 90, _("days")),
        14,
        needs_four_eyes=False,
    )
)

MERGE_MAX = declare(
    Policy(
        "challenge_merge_max",
        PolicyArea.CHALLENGES,
        _("Merged accounts are at most as large as the largest size sold, times"),
        Count(1, 20, ""),
        2,
        needs_four_eyes=True,
    )
)

SAMPLE_DAYS = declare(
    Policy(
        "challenge_sample_days",
        PolicyArea.CHALLENGES,
        _("Equity samples of challenges are kept for"),
        Count(15, 1000, _("days")),
        120,
        needs_four_eyes=False,
    )
)
