"""Where a trading server in use and its export answer: proposed by one person, approved by another with the secrets typed again."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm import approvals
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from tests.cast import Cast, make_staff
from tests.trading.factories import make_account, make_server
from trading.models import ServerAddressChange, SyncCursor, TradingServer
from trading.servers import connection_settings
from trading.servers import verbs as servers

pytestmark = pytest.mark.django_db
WHY = "The broker moved"
EXPORT = "postgresql://reader:pass@192.0.2.7/export"


@pytest.fixture
def server(cast: Cast) -> TradingServer:
    """In use: it was read."""
    server = make_server()
    SyncCursor.objects.create(server=server, kind="deals", read_at=timezone.now())
    return server


@pytest.fixture
def second(cast: Cast):
    return make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand)


def where(server: TradingServer) -> tuple[str, int]:
    server.refresh_from_db()
    return server.host, server.port


def test_one_person_moves_no_server_that_is_in_use(cast: Cast, server, second) -> None:
    before, password = where(server), server.password()
    servers.change_server(server_id=server.pk, actor=cast.administrator, host="192.0.2.9", name="Renamed", reason=WHY)
    assert where(server) == before and server.name == "Renamed", "the rest is changed at once"
    change = ServerAddressChange.objects.get()
    assert Notification.objects.filter(user=second, kind="trading.server_address").exists()
    with pytest.raises(NotAllowed, match="someone else"):
        approvals.approve(ServerAddressChange, change.pk, actor=cast.administrator, password="typed again")
    with pytest.raises(NotAllowed):
        approvals.approve(ServerAddressChange, change.pk, actor=cast.finance, password="typed again")
    with pytest.raises(DomainError, match="address changed"):
        approvals.approve(ServerAddressChange, change.pk, actor=second)
    assert where(server) == before and server.password() == password
    approvals.approve(ServerAddressChange, change.pk, actor=second, password="typed again")
    assert where(server) == ("192.0.2.9", before[1]) and server.password() == "typed again"
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"trading.server_address_proposed", "trading.server_address_changed"} <= actions


def test_a_new_address_has_a_reason_and_no_secrets(cast: Cast, server) -> None:
    for fields, words in (
        ({"host": "192.0.2.9"}, "Enter a reason"),
        ({"port": 4443, "reason": WHY, "password": "typed"}, "Leave the secrets empty"),
        ({"export_url": EXPORT}, "Enter a reason"),
    ):
        with pytest.raises(DomainError, match=words):
            servers.change_server(server_id=server.pk, actor=cast.administrator, **fields)
    servers.change_server(server_id=server.pk, actor=cast.administrator, host="192.0.2.9", reason=WHY)
    with pytest.raises(WrongState, match="already awaiting"):
        servers.change_server(server_id=server.pk, actor=cast.administrator, host="192.0.2.10", reason=WHY)
    assert ServerAddressChange.objects.count() == 1


def test_an_export_of_a_server_in_use_is_read_after_two_people(cast: Cast, server, second) -> None:
    servers.change_server(server_id=server.pk, actor=cast.administrator, export_url=EXPORT, reason=WHY)
    server.refresh_from_db()
    change = ServerAddressChange.objects.get()
    assert not server.reads_export and server.export_url() == ""
    assert change.export_place == "postgresql://192.0.2.7/export", "no secret is kept with the proposal"
    with pytest.raises(DomainError, match="Enter the export's full address"):
        approvals.approve(
            ServerAddressChange, change.pk, actor=second, export_url=EXPORT.replace("192.0.2.7", "192.0.2.8")
        )
    approvals.approve(ServerAddressChange, change.pk, actor=second, export_url=EXPORT)
    server.refresh_from_db()
    assert server.reads_export and server.export_url() == EXPORT


def test_a_new_address_is_refused_with_a_note_or_withdrawn(cast: Cast, server, second) -> None:
    before = where(server)
    for _turn in range(2):
        servers.change_server(server_id=server.pk, actor=cast.administrator, host="192.0.2.9", reason=WHY)
        change = ServerAddressChange.objects.filter(state="pending").get()
        if _turn:
            with pytest.raises(DomainError, match="Enter a reason"):
                approvals.reject(ServerAddressChange, change.pk, actor=second, note=" ")
            approvals.reject(ServerAddressChange, change.pk, actor=second, note="Not ours")
        else:
            with pytest.raises(NotAllowed):
                approvals.withdraw(ServerAddressChange, change.pk, actor=second)
            approvals.withdraw(ServerAddressChange, change.pk, actor=cast.administrator)
        with pytest.raises(WrongState):
            approvals.approve(ServerAddressChange, change.pk, actor=second, password="typed again")
    assert where(server) == before
    assert set(ServerAddressChange.objects.values_list("state", flat=True)) == {"rejected", "withdrawn"}


def test_a_server_that_was_never_read_is_corrected_by_who_connects_it(cast: Cast) -> None:
    server = make_server()
    with pytest.raises(DomainError, match="address changed"):
        servers.change_server(server_id=server.pk, actor=cast.administrator, host="192.0.2.9")
    servers.change_server(server_id=server.pk, actor=cast.administrator, host="192.0.2.9", password="typed again")
    assert where(server)[0] == "192.0.2.9" and not ServerAddressChange.objects.exists()
    make_account(cast.client, server)
    with pytest.raises(DomainError, match="Enter a reason"):
        servers.change_server(server_id=server.pk, actor=cast.administrator, host="192.0.2.10")


def test_the_log_in_server_of_a_bridge_is_part_of_its_address(cast: Cast) -> None:
    """The client's secret is sent to it."""
    server = make_server()
    server.options = {"authority": "https://login.example"}
    assert connection_settings.where_of(server).options == {"authority": "https://login.example"}


def test_the_database_holds_that_a_server_is_moved_by_two(cast: Cast, server) -> None:
    servers.change_server(server_id=server.pk, actor=cast.administrator, host="192.0.2.9", reason=WHY)
    rows = ServerAddressChange.objects.all()
    for fields in (
        {"state": "approved", "decided_by": cast.administrator, "decided_at": timezone.now()},
        {"state": "approved"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**fields)


def test_the_page_proposes_an_address_and_lets_the_other_one_approve(cast: Cast, server, second, browse) -> None:
    page = f"/trading/servers/{server.pk}/"
    form = browse(cast.administrator).get(page).context["form"]
    data = {name: value for name, value in ((f.html_name, f.value()) for f in form) if value not in (None, False, "")}
    sent = browse(cast.administrator).post(page, {**data, "host": "192.0.2.9", "reason": WHY}, follow=True)
    shown = sent.content.decode()
    assert "awaiting second approval" in shown and "Withdraw proposal" in shown and "192.0.2.9:" in shown
    shown = browse(second).get(page).content.decode()
    assert "Approve address" in shown and WHY in shown
    change = ServerAddressChange.objects.get()
    act = f"/trading/servers/addresses/{change.pk}/approve/"
    assert browse(cast.finance).post(act, {"password": "typed again"}).status_code == 403
    said = browse(second).post(act, {"password": ""}, follow=True).content.decode()
    assert "Re-enter the secrets" in said
    browse(second).post(act, {"password": "typed again"})
    assert where(server)[0] == "192.0.2.9"
