"""What a brand sets about its clients: who may register, and who sees their contact details."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Choice, Count, Countries, Policy, PolicyArea, declare

MINIMUM_AGE = declare(
    Policy(
        "minimum_age",
        PolicyArea.REGISTRATION,
        _("Minimum age"),
        Count(18, 30, _("years")),
        18,
        _("Asked at registration, and checked against the identity document."),
    )
)
BLOCKED_NATIONALITIES = declare(
    Policy(
        "blocked_nationalities", PolicyArea.REGISTRATION, _("Countries whose citizens can't register"), Countries(), []
    )
)
REVEAL_NEEDS_REASON = declare(
    Policy(
        "reveal_needs_reason",
        PolicyArea.ACCESS,
        _("Reason for viewing contact details"),
        Choice({"never": _("Never"), "outside_book": _("For clients of other books"), "always": _("Always")}),
        "never",
        _("Asked of staff whose role sees phone numbers and e-mail addresses masked."),
        needs_four_eyes=False,
    )
)
