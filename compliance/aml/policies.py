"""Who may write rules and have them go live, and who opens and decides cases."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from clients.policies import can
from compliance.aml.choices import CaseState
from compliance.aml.models import AmlCase, AmlRule
from crm import work
from crm.models import Actor
from crm.security.policies import Decision, no, on_whole_brand

WRITES, APPROVES, DECIDES = "compliance.write_amlrule", "compliance.approve_amlrule", "compliance.decide_amlcase"


def can_write_for(user: Actor, brand_id: int) -> Decision:
    """Decide who may write rules of a brand: `compliance.write_amlrule` on the whole brand."""
    return on_whole_brand(user, WRITES, brand_id)


def can_write(user: Actor, rule: AmlRule) -> Decision:
    """Decide who may write versions of a rule, try them out and propose them: as above."""
    return can_write_for(user, rule.brand_id)


def can_open(user: Actor, client: Client) -> Decision:
    """Decide who may open a case without an alert: `compliance.decide_amlcase` in reach."""
    return can(user, client, DECIDES)


def can_work(user: Actor, case: AmlCase) -> Decision:
    """Decide who may claim a case and ask for its decision: `compliance.decide_amlcase` in reach."""
    return can(user, case.client, DECIDES)


def can_decide(user: Actor, case: AmlCase) -> Decision:
    """Decide who may decide a case: as above, while it is open and no colleague has claimed it."""
    if case.state != CaseState.OPEN:
        return no(_("This case has already been decided."))
    allowed = can_work(user, case)
    return work.may_decide(user, case.work) if allowed and case.work else allowed
