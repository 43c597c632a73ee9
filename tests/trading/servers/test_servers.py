"""Connecting a trading server: by an administrator, with a test, and with a password that nobody sees again."""

from __future__ import annotations

import html

import pytest

from crm.errors import NotAllowed
from crm.models import AuditEvent
from crm.security.audit import body_of
from tests.cast import Cast
from tests.trading.factories import PASSWORD, make_server
from tests.trading.sandbox_server import Sandbox
from trading.models import TradingServer
from trading.platforms import pool
from trading.servers import verbs as servers

pytestmark = pytest.mark.django_db
VALUES = {
    "name": "Broker Live",
    "kind": "mt5",
    "host": "127.0.0.1",
    "manager_login": "1000",
    "transport": "raw",
    "crypt_method": "AES256OFB",
    "balance_command": "TRADE_BALANCE",
    "time_zone": "EET",
    "group_mask": "*",
    "first_login": 900001,
    "last_login": 900999,
    "is_enabled": "on",
}


def test_an_administrator_connects_and_tries_a_server(cast: Cast, sandbox: Sandbox, browse) -> None:
    browser = browse(cast.administrator)
    answer = browser.post("/trading/servers/new/", {**VALUES, "port": sandbox.port, "password": PASSWORD})
    server = TradingServer.objects.get()
    assert answer.status_code == 302
    assert (server.password(), server.next_login) == (PASSWORD, 900001)
    findings = browser.post(f"/trading/servers/{server.pk}/try/").content.decode()
    assert findings.count("OK") == 10
    assert PASSWORD not in browser.get(f"/trading/servers/{server.pk}/").content.decode()
    assert PASSWORD not in str(body_of(AuditEvent.objects.get(action="trading.server_connected")))
    pool.close_all()


def test_a_connection_that_cannot_be_set_up_is_explained(cast: Cast, browse) -> None:
    server = make_server(kind="matchtrader", options={"paths": "nonsense"})
    answer = browse(cast.administrator).post(f"/trading/servers/{server.pk}/try/")
    text = html.unescape(answer.content.decode())
    assert answer.status_code == 200 and "The connection can't be set up: the settings of this server can't" in text
    assert "k-table" not in text  # no findings beside it
    pool.close_all()


def test_an_empty_password_keeps_the_old_one(cast: Cast, browse) -> None:
    browser = browse(cast.administrator)
    browser.post("/trading/servers/new/", {**VALUES, "port": 443, "password": "First-1000!"})
    server = TradingServer.objects.get()
    browser.post(f"/trading/servers/{server.pk}/", {**VALUES, "port": 443, "name": "Renamed", "password": ""})
    server.refresh_from_db()
    assert (server.name, server.password()) == ("Renamed", "First-1000!")
    browser.post(
        f"/trading/servers/{server.pk}/", {**VALUES, "port": 443, "name": "Renamed", "password": "Second-1000!"}
    )
    server.refresh_from_db()
    assert server.password() == "Second-1000!"
    changes = [body_of(event) for event in AuditEvent.objects.filter(action="trading.server_changed").order_by("pk")]
    assert changes[0]["after"] == {"name": "Renamed"}
    assert changes[1]["after"] == {"password": "changed"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"password": ""}, "password is required"),
        ({"time_zone": "Mars/Base"}, "a time zone"),
        ({"manager_login": "boss"}, "must be a number"),
        ({"last_login": 5}, "must not be lower"),
    ],
)
def test_values_that_can_not_be_are_explained_and_kept_in_the_form(cast: Cast, browse, change, told) -> None:
    answer = browse(cast.administrator).post(
        "/trading/servers/new/", {**VALUES, "port": 443, "password": "First-1000!", **change}
    )
    assert answer.status_code == 422
    assert told in answer.content.decode() and "Broker Live" in answer.content.decode()
    assert not TradingServer.objects.exists()


def test_nobody_else_sees_or_connects_servers(cast: Cast, browse) -> None:
    for person in (cast.finance, cast.agent, cast.auditor):
        assert browse(person).get("/trading/servers/").status_code == 403
        with pytest.raises(NotAllowed):
            servers.connect_server(actor=person, password="x", **{**VALUES, "port": 1})
    assert not TradingServer.objects.exists()


def test_the_address_of_an_export_is_kept_secret_and_taken_away_by_a_dash(cast: Cast, browse) -> None:
    browser = browse(cast.administrator)
    url = "postgresql://reader:Exp0rt-pw!@db/mt5"
    browser.post("/trading/servers/new/", {**VALUES, "port": 443, "password": "First-1000!", "export_url": url})
    server = TradingServer.objects.get()
    assert (server.export_url(), server.reads_export, server.password()) == (url, True, "First-1000!")
    browser.post(f"/trading/servers/{server.pk}/", {**VALUES, "port": 443})
    server.refresh_from_db()
    assert server.export_url() == url
    shown = browser.get(f"/trading/servers/{server.pk}/").content.decode()
    assert "Exp0rt-pw!" not in shown and "Address stored" in shown
    for event in AuditEvent.objects.filter(action__startswith="trading.server"):
        assert "Exp0rt-pw!" not in str(body_of(event))
    refused = browser.post(f"/trading/servers/{server.pk}/", {**VALUES, "port": 443, "export_url": "db2://x/y"})
    assert refused.status_code == 422 and "postgresql, sqlite, mysql" in refused.content.decode()
    browser.post(f"/trading/servers/{server.pk}/", {**VALUES, "port": 443, "export_url": "-"})
    server.refresh_from_db()
    assert (server.export_url(), server.reads_export) == ("", False)


def test_a_rest_server_is_connected_with_its_own_certificate(cast: Cast, sandbox: Sandbox, browse) -> None:
    browser = browse(cast.administrator)
    values = {**VALUES, "transport": "rest", "port": sandbox.rest_port, "password": PASSWORD}
    browser.post("/trading/servers/new/", {**values, "certificate": sandbox.certificate})
    server = TradingServer.objects.get()
    findings = browser.post(f"/trading/servers/{server.pk}/try/").content.decode()
    assert findings.count("OK") == 10
    browser.post(f"/trading/servers/{server.pk}/", {**values, "password": "", "certificate": ""})
    findings = browser.post(f"/trading/servers/{server.pk}/try/").content.decode()
    assert "not believed" in findings
    pool.close_all()
