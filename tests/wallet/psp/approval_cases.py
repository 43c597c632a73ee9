from crm.models import AuditEvent
from tests.crm.approvals.cases import Case, approval_case
from tests.wallet.factories import make_psp
from wallet.psp.addresses import propose_address

NEW = "https://1.1.1.1/api"


@approval_case("psp-address")
def address(cast, _use) -> Case:
    psp = make_psp(cast.brand, "northpay", base_url="https://psp.example")
    change = propose_address(psp_id=psp.pk, base_url=NEW, reason="They moved", actor=cast.finance)
    return Case(
        change,
        cast.finance,
        cast.second_finance,
        AuditEvent.objects.filter(action="wallet.psp_address_changed").count,
        "psp_address_change_is_decided_by_somebody_else",
        given={"keys": {"api_key": "typed-again", "webhook_secret": "typed-too"}},
    )
