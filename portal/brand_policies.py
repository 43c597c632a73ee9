"""What a brand sets about its client portal."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Count, Hosts, Policy, PolicyArea, declare

HOURS = _("hours")
KYC_EXPECTED_HOURS = declare(
    Policy(
        "kyc_expected_hours",
        PolicyArea.PROMISES,
        _("Documents are checked within"),
        Count(1, 240, HOURS),
        24,
        _("Shown to clients until enough documents were checked to measure it."),
        needs_four_eyes=False,
    )
)
WITHDRAWAL_EXPECTED_HOURS = declare(
    Policy(
        "withdrawal_expected_hours",
        PolicyArea.PROMISES,
        _("Withdrawals are checked within"),
        Count(1, 240, HOURS),
        24,
        _("Shown to clients until enough withdrawals were checked to measure it."),
        needs_four_eyes=False,
    )
)
PORTAL_HOSTS = declare(
    Policy(
        "hosts",
        PolicyArea.ACCESS,
        _("Host names of the client portal"),
        Hosts(),
        [],
        _("Visitors at one of these addresses see this brand."),
    )
)
