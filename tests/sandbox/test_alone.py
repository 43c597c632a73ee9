"""`manage.py sandbox {mt5,mt4,ctrader,matchtrader,sirix} --port N`: each server alone, seeded, with its documented ports."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx
import pytest

from launcher.supervisor.sandboxes import SERVERS, SandboxServer
from tests.trading.sandbox_process import ROOT, _ready_line


@pytest.mark.parametrize(
    "server", SERVERS[1:], ids=lambda server: server.name
)  # mt5: tests/trading/platforms/test_sandbox_server.py
def test_a_server_runs_alone_with_its_seed(server: SandboxServer) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "manage.py",
            "sandbox",
            server.name,
            "--port",
            "0",
            "--seed",
            "7",
            "--rhythm",
            "0",
            "--",
            "--pace",
            "30",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ready = json.loads(_ready_line(process).removeprefix("ready "))
        assert len(ready) == len(server.all_listeners)
        state = httpx.get(f"http://127.0.0.1:{ready['http_port']}/control/state").json()
        assert (state["users"], state["archived"], state["opened_by_traders"]) == (11, 1, 0)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def test_no_two_servers_share_a_default_port() -> None:
    ports = [listener.port for server in SERVERS for listener in server.all_listeners]
    assert len(set(ports)) == len(ports) and 8444 not in ports
