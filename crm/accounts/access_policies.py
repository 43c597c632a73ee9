"""What a brand sets about sign-ins: from where staff may work, and how long a session may be idle."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Count, Networks, Policy, PolicyArea, declare

SECONDS = _("seconds")
LONGEST = 24 * 3600
STAFF_NETWORKS = declare(
    Policy(
        "staff_networks",
        PolicyArea.ACCESS,
        _("Networks staff may work from"),
        Networks(),
        [],
        _("Sign-ins and pages from other addresses are refused. Empty: from anywhere."),
    )
)
STAFF_IDLE = declare(
    Policy(
        "staff_idle_seconds",
        PolicyArea.ACCESS,
        _("Staff sessions end when idle for"),
        Count(0, LONGEST, SECONDS),
        0,
        _("0: as the installation is set."),
        needs_four_eyes=False,
    )
)
PORTAL_IDLE = declare(
    Policy(
        "portal_idle_seconds",
        PolicyArea.ACCESS,
        _("Sessions of clients and partners end when idle for"),
        Count(0, LONGEST, SECONDS),
        0,
        _("0: as the installation is set."),
        needs_four_eyes=False,
    )
)
