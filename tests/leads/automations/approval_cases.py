from crm.choices import Role
from leads.automations import shipped, verbs
from leads.models import Automation
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("automation")
def automation(cast, _use) -> Case:
    row = shipped.make_from_template(brand_id=cast.brand.pk, template="active-30", actor=cast.marketing)
    asked = verbs.activate_automation(automation_id=row.pk, actor=cast.marketing, reason="New campaign")
    return Case(
        asked,
        cast.marketing,
        make_staff("second.marketing@keelson.example", Role.MARKETING, brand=cast.brand),
        Automation.objects.filter(state="active").count,
        "automation_activation_is_decided_by_somebody_else",
        role=Role.MARKETING,
    )
