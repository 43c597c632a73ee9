"""Who may do what to partners, plans and commissions."""

from __future__ import annotations

from crm.approvals.kinds import by_another
from crm.models import Actor
from crm.security.policies import Decision, on_whole_brand
from ib.choices import PartnerRight
from ib.models import Partner, PlanVersion, WhatIf
from ib.team.rights import can_act_for, is_of_team


def can_manage_partners(user: Actor, brand_id: int) -> Decision:
    """Decide who may register and change a brand's partners: `ib.manage_partners`."""
    return on_whole_brand(user, "ib.manage_partners", brand_id)


def can_manage_team(user: Actor, partner: Partner) -> Decision:
    """Decide who may invite and remove a partner's team members: its owners, and `ib.manage_partners` at the brand."""
    if is_of_team(user, partner):
        return can_act_for(user, partner, PartnerRight.MANAGE_TEAM)
    return can_manage_partners(user, partner.brand_id)


def can_manage_links(user: Actor, partner: Partner) -> Decision:
    """Decide who may create and switch a partner's links: their team by role, and `ib.manage_partners` at the brand."""
    if is_of_team(user, partner):
        return can_act_for(user, partner, PartnerRight.MANAGE_LINKS)
    return can_manage_partners(user, partner.brand_id)


def can_invite(user: Actor, partner: Partner) -> Decision:
    """Decide who may offer plans to a partner's sub-partners: its owners, and `ib.manage_partners` at the brand."""
    if is_of_team(user, partner):
        return can_act_for(user, partner, PartnerRight.INVITE)
    return can_manage_partners(user, partner.brand_id)


def can_write_plans(user: Actor, brand_id: int) -> Decision:
    """Decide who may write and propose a brand's plans: `ib.propose_plan`."""
    return on_whole_brand(user, "ib.propose_plan", brand_id)


def can_decide_version(user: Actor, version: PlanVersion) -> Decision:
    """Four eyes: who wrote a version neither activates nor rejects it (a CHECK holds it too)."""
    allowed = on_whole_brand(user, "ib.approve_plan", version.plan.brand_id)
    return by_another(user, version.made_by_id) if allowed else allowed


def can_try_version(user: Actor, version: PlanVersion) -> Decision:
    """Decide who may see what a version would have cost: who may write the brand's plans, and who may approve them."""
    allowed = can_write_plans(user, version.plan.brand_id)
    return allowed or on_whole_brand(user, "ib.approve_plan", version.plan.brand_id)


def can_see_what_if(user: Actor, kept: WhatIf) -> Decision:
    """Decide who may see a what-if: as for trying its version, and of a partner's change of plan who manages partners."""
    allowed = can_try_version(user, kept.version)
    if allowed or kept.partner_id is None:
        return allowed
    return can_manage_partners(user, kept.version.plan.brand_id)


def can_run(user: Actor, brand_id: int) -> Decision:
    """Decide who may recompute a brand's commissions: `ib.run_commissions`."""
    return on_whole_brand(user, "ib.run_commissions", brand_id)


def can_settle(user: Actor, brand_id: int) -> Decision:
    """Decide who may settle a brand's commissions: `ib.settle_commissions`."""
    return on_whole_brand(user, "ib.settle_commissions", brand_id)
