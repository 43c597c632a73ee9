from clients.models import PhoneExchange
from clients.telephony.setup import ExchangeSetup, propose_exchange
from crm.choices import Role
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("phone-exchange")
def phone_exchange(cast, _use) -> Case:
    setup = ExchangeSetup(
        adapter="twilio",
        code="twilio",
        name="Twilio",
        base_url="",
        caller_number="+442071838750",
        is_enabled=True,
        keys={"account_sid": "AC" + "1" * 32, "auth_token": "token"},
    )
    asked = propose_exchange(brand_id=cast.brand.pk, setup=setup, actor=cast.administrator, reason="New contract")
    return Case(
        asked,
        cast.administrator,
        make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand),
        PhoneExchange.objects.count,
        "phone_exchange_proposal_is_decided_by_somebody_else",
        role=Role.ADMINISTRATOR,
    )
