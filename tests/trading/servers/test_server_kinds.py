"""A server's page for every kind of platform: its own options, secrets that nobody sees again, and what is not proved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crm.errors import DomainError
from crm.models import AuditEvent
from crm.security.audit import body_of
from sandbox.sirix.__main__ import TOKEN
from tests.cast import Cast
from tests.trading.contract.arena import arenas
from tests.trading.factories import make_account, make_server
from tests.trading.sandbox_process import SandboxProcess, started
from tests.trading.sirix_server import MONEY_PATH, new_account, row
from trading.choices import Ability, PlatformKind
from trading.models import TradingServer
from trading.platforms import base, capabilities, options, pool
from trading.platforms.pool import option_value
from trading.servers import verbs as servers

pytestmark = pytest.mark.django_db
VALUES = {
    "name": "Broker Sirix",
    "kind": "sirix",
    "host": "127.0.0.1",
    "manager_login": "api",
    "time_zone": "UTC",
    "group_mask": "*",
    "is_enabled": "on",
    "option_tls": "no",
    "option_pause": "0",
    "option_money_path": MONEY_PATH,
}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with started("sirix", tmp_path_factory.mktemp("sirix") / "state.sqlite", "--port", "0") as running:
        yield running


def test_a_server_of_another_platform_is_connected_with_its_own_options(
    cast: Cast, process: SandboxProcess, browse: Any
) -> None:
    browser = browse(cast.administrator)
    shown = browser.get("/trading/servers/new/?kind=sirix").content.decode()
    assert "Bearer token" in shown and "Balance endpoint path" in shown
    for gone in ("crypt_method", "balance_command", "export_url", "first_login"):
        assert f'name="{gone}"' not in shown
    assert (
        "deposits and withdrawals" in shown and "change the leverage" in shown
    )  # what is not proved, what is not there
    answer = browser.post("/trading/servers/new/", {**VALUES, "port": process.ports["sirix_port"], "password": TOKEN})
    server = TradingServer.objects.get()
    assert answer.status_code == 302
    assert server.options == {
        "tls": "no",
        "pause": "0",
        "money_path": MONEY_PATH,
    }  # what was left empty follows its default
    make_account(cast.client, server, login=new_account(process, money="5.00"))
    findings = browser.post(f"/trading/servers/{server.pk}/try/").content.decode()
    assert findings.count("Problem") == 0 and "no public description was found" in findings
    pool.close_all()


def test_a_servers_platform_stays_what_it_is(cast: Cast, db: None) -> None:
    server = make_server()
    with pytest.raises(DomainError, match="Connect a new server"):
        servers.change_server(server_id=server.pk, actor=cast.administrator, kind="sirix")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"option_pause": "soon"}, "a valid value"),
        ({"option_money_path": "no slash"}, "a valid value"),
        ({"password": ""}, "Bearer token is required"),
    ],
)
def test_options_that_can_not_be_are_explained_and_kept(cast: Cast, browse: Any, change: Any, told: str) -> None:
    answer = browse(cast.administrator).post(
        "/trading/servers/new/", {**VALUES, "port": 1, "password": "t", "option_contract_sizes": "US500=10", **change}
    )
    page = answer.content.decode()
    assert answer.status_code == 422 and "US500=10" in page
    assert told in page.replace("&#x27;", "'") and not TradingServer.objects.exists()


def test_secret_options_are_kept_and_never_shown(cast: Cast, browse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = pool.kind_of("sirix")
    secret = options.Option("bridge_key", "Key of the bridge", is_secret=True, is_required=True)
    known = {name: getattr(kind, name) for name in kind.__dataclass_fields__}
    monkeypatch.setitem(base.KINDS, "sirix", base.Kind(**{**known, "options": (*kind.options, secret)}))
    browser = browse(cast.administrator)
    assert browser.post("/trading/servers/new/", {**VALUES, "port": 1, "password": "t"}).status_code == 422
    values = {**VALUES, "port": 1, "password": "t", "option_bridge_key": "K3y-of-the-bridge"}
    assert browser.post("/trading/servers/new/", values).status_code == 302
    server = TradingServer.objects.get()
    assert option_value(server, "bridge_key") == "K3y-of-the-bridge" and "bridge_key" not in server.options
    page = browser.get(f"/trading/servers/{server.pk}/").content.decode()
    assert "K3y" not in page and "Secret stored" in page
    browser.post(f"/trading/servers/{server.pk}/", {**values, "option_bridge_key": "", "name": "Moved"})
    server.refresh_from_db()
    assert (server.name, option_value(server, "bridge_key")) == ("Moved", "K3y-of-the-bridge")
    browser.post(f"/trading/servers/{server.pk}/", {**values, "option_bridge_key": "An0ther", "name": "Moved"})
    events = [body_of(event) for event in AuditEvent.objects.filter(action__startswith="trading.server").order_by("pk")]
    assert events[-1]["after"] == {"bridge_key": "changed", "password": "changed"}
    assert "K3y" not in str(events) and "An0ther" not in str(events)


def test_pages_say_that_money_is_not_proved(cast: Cast, process: SandboxProcess, browse: Any) -> None:
    server = row(process)
    server.save()
    account = make_account(cast.client, server, login=new_account(process))
    assert capabilities.unverified(server) == [Ability.MOVE_MONEY]
    assert capabilities.unverified(make_server()) == []
    staff = browse(cast.administrator)
    assert "Not verified on a live server" in staff.get(f"/trading/accounts/{account.pk}/").content.decode()
    for page in ("/trading/servers/", "/trading/health/"):
        assert staff.get(page).content.decode().count("Not verified: deposits and withdrawals") == 1
    portal = browse(cast.client_user).get(f"/portal/accounts/{account.pk}/").content.decode()
    assert "been tested on a live server yet" in portal
    server.options = {}
    server.save()
    assert capabilities.unverified(server) == []  # nothing is done there: nothing to warn of


def test_every_kind_that_there_is_has_a_form_and_an_arena(cast: Cast, browse: Any) -> None:
    browser = browse(cast.administrator)
    fought = {arena.kind for arena in arenas()}
    for kind in pool.ADAPTERS:
        page = browser.get(f"/trading/servers/new/?kind={kind}")
        assert page.status_code == 200 and str(PlatformKind(kind).label) in page.content.decode()
        assert kind in fought
        for option in pool.kind_of(kind).options:
            assert f'name="option_{option.name}"' in page.content.decode()


def test_stored_secrets_are_not_taken_to_another_address(cast: Cast, settings: Any) -> None:
    server = make_server()
    for change in ({"port": server.port + 1}, {"host": "1.1.1.1"}):
        with pytest.raises(DomainError, match="address changed"):
            servers.change_server(server_id=server.pk, actor=cast.administrator, **change)
    servers.change_server(server_id=server.pk, actor=cast.administrator, host="1.1.1.1", password="typed again")
    settings.OUTGOING_PRIVATE = []
    for host in ("127.0.0.1", "169.254.169.254", "::1", "10.1.2.3"):
        with pytest.raises(DomainError, match="private network"):
            servers.change_server(server_id=server.pk, actor=cast.administrator, host=host, password="typed again")
    assert TradingServer.objects.get(pk=server.pk).host == "1.1.1.1"
