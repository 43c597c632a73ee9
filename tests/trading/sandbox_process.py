"""Any sandbox trading server in a process of its own, with its switches."""

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

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60


@dataclass
class SandboxProcess:
    """A running server. `ports` are its listeners by name, `http` its control port."""

    process: subprocess.Popen[str]
    ports: dict[str, int]
    http: httpx.Client

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

    @property
    def certificate(self) -> str:
        return self.http.get("/certificate.pem").text

    @contextmanager
    def awake(self) -> Iterator[None]:
        """For a server that many tests share: its clockwork runs during a test, and stands still between two.

        A test process leaves some eight of them behind for the rest of its run, each of which would tick ten times a second.
        Whoever speaks to a shared server outside of this waits in vain.
        """
        self.process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGSTOP)


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
def started(server: str, state: Path | str, *arguments: str) -> Iterator[SandboxProcess]:
    """Start `sandbox.<server>` without simulated traders; stop it in the end. The caller asks for free ports (`--port 0`)."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            f"sandbox.{server}",
            "--http-port",
            "0",
            "--state",
            str(state),
            "--rhythm",
            "0",
            "--tick-seconds",
            "0.1",
            *arguments,
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ports = json.loads(_ready_line(process).removeprefix("ready "))
        with httpx.Client(base_url=f"http://127.0.0.1:{ports['http_port']}", timeout=10) as http:
            yield SandboxProcess(process, ports, http)
    finally:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()
