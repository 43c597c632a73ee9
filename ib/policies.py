"""Who may do what to partners, plans and commissions."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.approvals.kinds import by_another
from crm.models import Actor
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.scope import reach_of
from ib.models import PlanVersion


def can_in_brand(user: Actor, permission: str, brand_id: int) -> Decision:
    """Check a role's right at a brand that the person reaches as a whole. None is the system itself."""
    allowed = has_permission(user, permission)
    if not allowed or user is None:
        return allowed
    if brand_id in reach_of(user).whole_brands:
        return YES
    return no(_("You don't have access to this brand."))


def can_manage_partners(user: Actor, brand_id: int) -> Decision:
    """Decide who may register and change a brand's partners: `ib.manage_partners`."""
    return can_in_brand(user, "ib.manage_partners", brand_id)


def can_write_plans(user: Actor, brand_id: int) -> Decision:
    """Decide who may write and propose a brand's plans: `ib.propose_plan`."""
    return can_in_brand(user, "ib.propose_plan", brand_id)


def can_decide_version(user: Actor, version: PlanVersion) -> Decision:
    """Four eyes: who wrote a version neither activates nor rejects it (a CHECK holds it too)."""
    allowed = can_in_brand(user, "ib.approve_plan", version.plan.brand_id)
    return by_another(user, version.made_by_id) if allowed else allowed


def can_run(user: Actor, brand_id: int) -> Decision:
    """Decide who may recompute a brand's commissions: `ib.run_commissions`."""
    return can_in_brand(user, "ib.run_commissions", brand_id)


def can_settle(user: Actor, brand_id: int) -> Decision:
    """Decide who may settle a brand's commissions: `ib.settle_commissions`."""
    return can_in_brand(user, "ib.settle_commissions", brand_id)
