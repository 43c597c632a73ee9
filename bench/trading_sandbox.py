"""The sandbox MT5 server as a process of its own, for the parts of `bench trading` that go over sockets."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from trading.models import TradingServer

PASSWORD = "Sandbox-1000!"


@dataclass
class Sandbox:
    port: int
    control: str

    def post(self, path: str, data: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.control}/control/{path}", json.dumps(data).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def row(self) -> TradingServer:
        """The server as a row of ours."""
        server = TradingServer(name="Sandbox", host="127.0.0.1", port=self.port, manager_login="1000")
        server.set_password(PASSWORD)
        server.save()
        return server


@contextlib.contextmanager
def sandbox(folder: Path, accounts: int, first_login: int) -> Iterator[Sandbox]:
    """A server that knows so many funded accounts."""
    lines = (
        json.dumps({"kind": "user", "login": first_login + n, "group": "real\\standard-EUR", "balance": "10000.00"})
        for n in range(accounts)
    )
    people = folder / "people.jsonl"
    people.write_text("\n".join(lines), encoding="utf-8")
    root = str(settings.BASE_DIR)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sandbox.mt5",
            "--port",
            "0",
            "--http-port",
            "0",
            "--state",
            str(folder / "mt5.sqlite"),
            "--rhythm",
            "0",
            "--import",
            str(people),
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("ready "):
                ports = json.loads(line.removeprefix("ready "))
                yield Sandbox(ports["mt5_port"], f"http://127.0.0.1:{ports['http_port']}")
                break
        else:
            raise RuntimeError(f"the sandbox server did not start (exit {process.wait(5)})")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()
