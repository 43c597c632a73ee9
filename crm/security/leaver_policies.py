"""What a brand sets about staff who leave."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Policy, PolicyArea, Switch, declare

NOTICE_BLOCKS_EXPORTS = declare(
    Policy(
        "notice_blocks_exports",
        PolicyArea.ACCESS,
        _("Exports are blocked from the day of notice"),
        Switch(),
        True,
        _("For staff whose record has a date of notice: they can no longer save or print lists, statements and packs."),
    )
)
LEAVERS_LOSE_ACCESS = declare(
    Policy(
        "leavers_lose_access",
        PolicyArea.ACCESS,
        _("Leavers' accounts are deactivated after their last day"),
        Switch(),
        True,
        _("At midnight of their own time zone. If not, the offboarding page lists what is still open."),
    )
)
