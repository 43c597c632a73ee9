from clients.mail_services.setup import propose_mail_service
from clients.models import MailService
from crm.choices import Role
from crm.connections.setup import ConnectionSetup
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("mail-service")
def mail_service(cast, _use) -> Case:
    setup = ConnectionSetup(
        adapter="mailgun", code="mailgun", name="Mailgun", base_url="", is_enabled=True, keys={"signing_key": "key"}
    )
    asked = propose_mail_service(brand_id=cast.brand.pk, setup=setup, actor=cast.administrator, reason="New contract")
    return Case(
        asked,
        cast.administrator,
        make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand),
        MailService.objects.count,
        "mail_service_proposal_is_decided_by_somebody_else",
        role=Role.ADMINISTRATOR,
    )
