"""What a brand sets about leads."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Count, Policy, PolicyArea, declare

POOL_ROUTING_DAYS = declare(
    Policy(
        "lead_pool_routing_days",
        PolicyArea.LEADS,
        _("Leads waiting in a pool are routed for"),
        Count(1, 365, _("days")),
        30,
        _("As soon as an agent is available. Older ones are assigned by hand."),
        needs_four_eyes=False,
    )
)
