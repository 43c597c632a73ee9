from django.utils import timezone

from crm.choices import Role
from crm.models import AuditEvent
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case
from tests.trading.factories import make_server
from trading.models import ServerAddressChange, SyncCursor
from trading.servers import verbs


@approval_case("server-address")
def address(cast, _use) -> Case:
    server = make_server()
    SyncCursor.objects.create(server=server, kind="deals", read_at=timezone.now())
    verbs.change_server(server_id=server.pk, actor=cast.administrator, host="192.0.2.9", reason="The broker moved")
    return Case(
        ServerAddressChange.objects.get(),
        cast.administrator,
        make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand),
        AuditEvent.objects.filter(action="trading.server_address_changed").count,
        "server_address_change_is_decided_by_somebody_else",
        role=Role.ADMINISTRATOR,
        has_brand=False,
        given={"password": "typed again"},
    )
