"""`manage.py platform_doctor`: what works on a server, and what to do about the rest."""

from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.cast import Cast
from tests.trading.factories import make_server, make_type
from tests.trading.sandbox_server import Sandbox, running_sandbox
from trading.models import TradingServer
from trading.platforms import pool

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
    assert (code, told.count("✓"), told.count("✗")) == (0, 10, 0)
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
    assert code == 1 and len(findings) == 12
    assert "can't reach the export" in findings["export"]["told"]


@pytest.mark.parametrize("used", ["raw", "rest"])
def test_the_form_that_is_not_in_use_is_tried_too(used: str, db: None, sandbox: Sandbox, settings: Any) -> None:
    settings.SANDBOX_MT5, settings.SANDBOX_MT5_REST = f"127.0.0.1:{sandbox.port}", f"127.0.0.1:{sandbox.rest_port}"
    server = make_server(host="sandbox", transport=used, certificate=sandbox.certificate, withheld=["book_bonus"])
    findings = {row["name"]: row for row in json.loads(run(server.name, "--json")[1])}
    unused = "HTTPS REST" if used == "raw" else "Raw TCP"
    assert f"{unused} answers, too" in findings["other form"]["told"]
    assert findings["manager"]["told"] == "not done from here: bonus"
    server.host, server.port = "127.0.0.1", sandbox.port if used == "raw" else sandbox.rest_port
    server.save()
    told = {row["name"]: row for row in json.loads(run(server.name, "--json")[1])}["other form"]
    assert told["is_well"] and f"{unused} does not answer" in told["told"]


def test_an_export_is_compared_with_the_server(db: None, tmp_path: Path) -> None:
    export = tmp_path / "export.sqlite"
    with running_sandbox(":memory:", "--export", str(export), "--world", "seeded") as sandbox:
        server = make_server(port=sandbox.port)
        server.set_export_url(f"sqlite://{export}")
        server.save()
        findings = {row["name"]: row for row in json.loads(run(server.name, "--json")[1])}
        assert findings["export"]["is_well"] and findings["export's accounts"]["is_well"]
        told = findings["export's accounts"]["told"]
        assert told.startswith("11 accounts in the export, 11 on the server, balances of 11 compared; 1 open")
        pool.close_all()
        with sqlite3.connect(export) as db_file:
            db_file.execute("UPDATE mt5_users SET Balance = '1.00' WHERE Login = 600002")
        findings = {row["name"]: row for row in json.loads(run(server.name, "--json")[1])}
        assert "other balances: 600002" in findings["export's accounts"]["told"]
        pool.close_all()


def test_a_missing_right_is_named_with_what_to_do(server: TradingServer, sandbox: Sandbox) -> None:
    sandbox.post("rights", take="access to trade orders")
    try:
        code, told = run(server.name, "--json")
    finally:
        sandbox.post("rights")
    findings = {row["name"]: row for row in json.loads(told)}
    assert code == 1 and findings["log-in"]["is_well"]
    assert not findings["deals"]["is_well"] and "Access to trade orders" in findings["deals"]["advice"]
