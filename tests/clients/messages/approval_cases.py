from clients.messages.setup import MailboxSetup, propose_mailbox
from clients.models import Mailbox
from crm.choices import Role
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("mailbox")
def mailbox(cast, _use) -> Case:
    setup = MailboxSetup(
        adapter="imap",
        code="mail",
        name="Support",
        base_url="sandbox:",
        address="support@meridian.example",
        auth_server="",
        is_enabled=True,
        keys={"username": "support", "password": "secret"},
    )
    asked = propose_mailbox(brand_id=cast.brand.pk, setup=setup, actor=cast.administrator, reason="New provider")
    return Case(
        asked,
        cast.administrator,
        make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand),
        Mailbox.objects.count,
        "mailbox_proposal_is_decided_by_somebody_else",
        role=Role.ADMINISTRATOR,
    )
