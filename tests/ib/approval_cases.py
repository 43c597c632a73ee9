from django.utils import timezone

from crm.choices import Role
from crm.models import AuditEvent
from tests.crm.approvals.cases import Case, approval_case
from tests.ib.test_plans import proposed


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
