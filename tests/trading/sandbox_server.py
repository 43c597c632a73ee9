"""A real sandbox MT5 server in its own process, with its switches; and the client under test against it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from trading.platforms.mt5.client import CRYPT_AES, Mt5Client, Mt5Config
from trading.platforms.mt5.commands import Mt5Commands
from trading.platforms.mt5.rest import Mt5RestClient

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "Sandbox-1000!"
START_SECONDS = 60


@dataclass
class Sandbox:
    """A running server. `http` is its control port."""

    process: subprocess.Popen[str]
    port: int
    rest_port: int
    http: httpx.Client
    certificate: str

    def config(self, **fields: Any) -> Mt5Config:
        values = {"host": "127.0.0.1", "port": self.port, "login": 1000, "password": PASSWORD, "crypt_method": CRYPT_AES,
                  "read_seconds": 5.0, "write_seconds": 5.0, "connect_seconds": 5.0}  # fmt: skip
        return Mt5Config(**{**values, **fields})

    @contextmanager
    def client(self, form: str = "raw", **fields: Any) -> Iterator[Mt5Commands]:
        """A client over one form of the Web API: `raw` (AES unless told otherwise) or `rest`."""
        client: Mt5Commands
        if form == "rest":
            config = self.config(**{"port": self.rest_port, "certificate": self.certificate, **fields})
            client = Mt5RestClient(config)
        else:
            client = Mt5Client(self.config(**fields))
        try:
            yield client
        finally:
            client.close()

    def post(self, path: str, **data: Any) -> dict[str, Any]:
        answer = self.http.post(f"/control/{path}", json=data)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, kind: str, command: str = "*", times: int = 1, value: float = 0) -> None:
        self.post("fault", kind=kind, command=command, times=times, value=value)

    def state(self) -> dict[str, Any]:
        return self.http.get("/control/state").json()

    def command_count(self, name: str) -> int:
        return self.state()["commands"].get(name, 0)

    def new_account(self, group: str = "real\\standard-EUR", **fields: Any) -> str:
        """An account made straight on the server; its login."""
        with self.client() as client:
            values = {"GROUP": group, "NAME": "Test Trader", "PASS_MAIN": "Abcdef1!", "PASS_INVESTOR": "Abcdef2!",
                      "LEVERAGE": 30, "LOGIN": 0}  # fmt: skip
            return client.write("USER_ADD", {**values, **fields}).parameters["LOGIN"]


def _ready_line(process: subprocess.Popen[str]) -> str:
    """The line that tells the ports; a server that stays silent is killed."""
    assert process.stdout is not None
    alarm = threading.Timer(START_SECONDS, process.kill)
    alarm.start()
    try:
        for line in process.stdout:
            if line.startswith("ready "):
                return line
    finally:
        alarm.cancel()
    raise AssertionError(f"the sandbox did not start (exit {process.wait(5)})")


@contextmanager
def running_sandbox(state: Path | str, *arguments: str) -> Iterator[Sandbox]:
    """Start a server on free ports without simulated traders; stop it in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.mt5", "--port", "0", "--rest-port", "0", "--http-port", "0", "--state", str(state),
         "--rhythm", "0", "--tick-seconds", "0.1", *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        line = _ready_line(process)
        ports = json.loads(line.removeprefix("ready "))
        with httpx.Client(base_url=f"http://127.0.0.1:{ports['http_port']}", timeout=10) as http:
            certificate = http.get("/certificate.pem").text
            yield Sandbox(process, ports["mt5_port"], ports["rest_port"], http, certificate)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()
