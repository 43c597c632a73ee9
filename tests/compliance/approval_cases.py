from django.utils import timezone

from compliance import restrictions
from crm.choices import Role
from crm.models import AuditEvent
from tests.compliance.test_restrictions import place
from tests.crm.approvals.cases import Case, approval_case


@approval_case("restriction-lift")
def lifting(cast, _use) -> Case:
    asked = restrictions.ask_to_lift(restriction_id=place(cast).pk, actor=cast.kyc_officer, reason="Documents arrived")
    return Case(
        asked,
        cast.kyc_officer,
        cast.mlro,
        AuditEvent.objects.filter(action="compliance.restriction_lifted").count,
        "restriction_is_lifted_by_two_people",
        forged={"lifted_by": cast.kyc_officer, "lifted_at": timezone.now()},
        role=Role.MLRO,
    )
