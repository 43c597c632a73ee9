"""`manage.py platform_doctor`: what works on a server, and what to do about the rest."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests.cast import Cast
from tests.trading.factories import make_server, make_type
from tests.trading.sandbox_server import Sandbox
from trading.models import TradingServer

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("platform_doctor", *arguments, stdout=out)
    except SystemExit as left:
        return int(left.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_a_healthy_server_passes_every_check(cast: Cast, server: TradingServer) -> None:
    make_type(cast.brand, server)
    code, told = run(server.name)
    assert (code, told.count("✓"), told.count("✗")) == (0, 7, 0)
    assert "13 symbols visible" in told


def test_nothing_on_the_server_is_changed(server: TradingServer, sandbox: Sandbox) -> None:
    before = sandbox.state()
    run(server.name)
    after = sandbox.state()
    assert (before["users"], before["deals"]) == (after["users"], after["deals"])
    written = {"USER_ADD", "USER_UPDATE", "USER_DELETE", "USER_PASS_CHANGE", "TRADE_BALANCE"}
    assert {k: v for k, v in before["commands"].items() if k in written} == {
        k: v for k, v in after["commands"].items() if k in written
    }


def test_a_wrong_password_stops_the_run_with_advice(sandbox: Sandbox, db: None) -> None:
    make_server(name="Wrong", port=sandbox.port, password="Nope-1234!")
    code, told = run("wrong")
    assert code == 1
    assert told.count("✗") == 1 and "API password" in told


def test_a_wrong_zone_and_an_unknown_group_are_named(cast: Cast, server: TradingServer) -> None:
    server.time_zone = "Asia/Tokyo"
    server.save()
    make_type(cast.brand, server, group="nowhere")
    code, told = run(server.name, "--json")
    findings = {row["name"]: row for row in json.loads(told)}
    assert code == 1
    assert not findings["clock"]["is_well"] and "time zone" in findings["clock"]["advice"]
    assert "nowhere" in findings["groups"]["told"]
    assert findings["symbols"]["is_well"]


def test_an_unknown_server_is_a_clear_error(db: None) -> None:
    with pytest.raises(CommandError, match="There is no server"):
        run("elsewhere")


def test_an_export_is_examined_too(server: TradingServer) -> None:
    server.set_export_url("sqlite:///nowhere/export.sqlite")
    server.save()
    code, told = run(server.name, "--json")
    findings = {row["name"]: row for row in json.loads(told)}
    assert code == 1 and len(findings) == 8
    assert "can't reach the export" in findings["export"]["told"]


def test_a_missing_right_is_named_with_what_to_do(server: TradingServer, sandbox: Sandbox) -> None:
    sandbox.post("rights", take="access to trade orders")
    try:
        code, told = run(server.name, "--json")
    finally:
        sandbox.post("rights")
    findings = {row["name"]: row for row in json.loads(told)}
    assert code == 1 and findings["log-in"]["is_well"]
    assert not findings["deals"]["is_well"] and "Access to trade orders" in findings["deals"]["advice"]
