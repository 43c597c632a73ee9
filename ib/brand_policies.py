"""What a brand sets about its partners."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Count, Policy, PolicyArea, Switch, declare

PARTNER_VERIFICATION = declare(
    Policy(
        "partner_verification",
        PolicyArea.IDENTITY,
        _("Applicants are approved as partners only once they are verified"),
        Switch(),
        True,
        _("By the documents of their own client record, a company's by its own and its people's."),
    )
)
APPLICATIONS_OPEN = declare(
    Policy(
        "partner_applications",
        PolicyArea.REGISTRATION,
        _("Anyone can apply to become a partner"),
        Switch(),
        True,
        _("On the website and in the client portal. Partners can invite sub-partners in any case."),
        needs_four_eyes=False,
    )
)
COMMISSION_DISPUTE_HOURS = declare(
    Policy(
        "commission_dispute_hours",
        PolicyArea.PROMISES,
        _("Commission disputes are answered within"),
        Count(1, 480, _("working hours")),
        40,
        _("Partners see the day. Later ones are marked as late."),
        needs_four_eyes=False,
    )
)
