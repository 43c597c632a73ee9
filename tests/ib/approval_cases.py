from django.utils import timezone

from crm.choices import Role
from crm.models import AuditEvent
from ib.models import CommissionRun, SettlementTerms
from ib.settlements.terms import FIELDS, default_terms, propose_terms
from tests.crm.approvals.cases import Case, approval_case
from tests.ib.conftest import make_network
from tests.ib.factories import make_partner, make_trade
from tests.ib.test_plans import proposed
from tests.ib.test_recalculation import waiting


@approval_case("commission-plan")
def plan(cast, _use) -> Case:
    return Case(
        proposed(cast),
        cast.ib_manager,
        cast.finance,
        AuditEvent.objects.filter(action="ib.plan_activated").count,
        "plan_is_decided_by_somebody_else",
        forged={"state": "rejected", "decided_by": cast.ib_manager, "decided_at": timezone.now()},
        role=Role.FINANCE,
    )


@approval_case("recalculation")
def recalculation(cast, _use) -> Case:
    make_trade(make_network(cast).account)
    return Case(
        waiting(cast),
        cast.ib_manager,
        cast.finance,
        CommissionRun.objects.filter(kind="recompute").count,
        "recalculation_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )


@approval_case("settlement-terms")
def terms(cast, _use) -> Case:
    partner = make_partner(cast.brand)
    values = {name: getattr(default_terms(partner), name) for name in FIELDS} | {"cycle": "weekly"}
    return Case(
        propose_terms(partner_id=partner.pk, values=values, reason="Agreed", actor=cast.ib_manager),
        cast.ib_manager,
        cast.finance,
        SettlementTerms.objects.filter(partner=partner, state="approved").count,
        "settlement_terms_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )
