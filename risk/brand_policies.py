"""When a brand's clients count as dormant."""

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Count, Policy, PolicyArea, declare

DORMANT_DAYS = declare(
    Policy(
        "dormant_days",
        PolicyArea.RETENTION,
        _("Clients are dormant after at least"),
        Count(7, 730, _("days")),
        30,
        _("Without a trade, a deposit or a sign-in, and without an open position."),
        needs_four_eyes=False,
    )
)
DORMANT_GAPS = declare(
    Policy(
        "dormant_gaps",
        PolicyArea.RETENTION,
        _("And not before so many times their usual gap"),
        Count(1, 50, _("times")),
        5,
        _(
            "The usual gap between a client's active days, by the median of the last year: who trades monthly is given longer."
        ),
        needs_four_eyes=False,
    )
)
