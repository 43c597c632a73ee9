"""What a brand may set for itself: declared once, with type, unit, default and bounds; values per brand, by day.

    # kyc/brand_policies.py
    KYC_LEVEL = declare(Policy("kyc_level_required", PolicyArea.IDENTITY, _("…"), Count(1, 3), 1))
    KYC_LEVEL.of(client.brand)  # 1

Changing one: `crm.staff.policy_changes`.
"""

from crm.brand_policies.kinds import (
    Amount,
    Choice,
    Choices,
    Count,
    Countries,
    Counts,
    Fraction,
    Hosts,
    Kind,
    Lines,
    Networks,
    Share,
    Switch,
)
from crm.brand_policies.registry import Policy, PolicyArea, all_policies, declare, find

__all__ = [
    "Amount",
    "Choice",
    "Choices",
    "Count",
    "Countries",
    "Counts",
    "Fraction",
    "Hosts",
    "Kind",
    "Lines",
    "Networks",
    "Policy",
    "PolicyArea",
    "Share",
    "Switch",
    "all_policies",
    "declare",
    "find",
]
