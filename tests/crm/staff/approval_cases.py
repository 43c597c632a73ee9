from crm.brand_policies.registry import today
from crm.choices import Role
from crm.models import AuditEvent, PolicyValue
from crm.staff import grants
from crm.staff.policy_changes import change_policy
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


@approval_case("policy")
def policy(cast, _use) -> Case:
    asked = change_policy(
        brand_id=cast.brand.pk,
        key="withdrawal_four_eyes_minor",
        value=50_000,
        effective_on=today(cast.brand),
        actor=cast.finance,
        reason="More volume",
    )
    return Case(
        asked,
        cast.finance,
        cast.second_finance,
        PolicyValue.objects.count,
        "policy_proposal_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )
