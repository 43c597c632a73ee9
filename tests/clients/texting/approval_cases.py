from clients.models import TextService
from clients.texting.setup import TextServiceSetup, propose_text_service
from crm.choices import Role
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("text-service")
def text_service(cast, _use) -> Case:
    setup = TextServiceSetup(
        adapter="twilio",
        code="twilio",
        name="Twilio",
        base_url="",
        sms_number="+442071838750",
        whatsapp_number="",
        is_enabled=True,
        keys={"account_sid": "AC" + "1" * 32, "auth_token": "token"},
    )
    asked = propose_text_service(brand_id=cast.brand.pk, setup=setup, actor=cast.administrator, reason="New contract")
    return Case(
        asked,
        cast.administrator,
        make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand),
        TextService.objects.count,
        "text_service_proposal_is_decided_by_somebody_else",
        role=Role.ADMINISTRATOR,
    )
