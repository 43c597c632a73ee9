from crm.choices import Role
from crm.models import AuditEvent
from crm.staff import grants
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("grant")
def role(cast, _use) -> Case:
    second = make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand)
    asked = grants.request_grant(
        actor=cast.administrator, user=cast.agent, what=Role.RETENTION, reason="Joins the retention desk"
    )
    return Case(
        asked,
        cast.administrator,
        second,
        AuditEvent.objects.filter(action="crm.role_given").count,
        "grant_request_is_decided_by_somebody_else",
        role=Role.ADMINISTRATOR,
    )
