"""A real sandbox MT5 server in its own process, with its switches; and the client under test against it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.trading.sandbox_process import SandboxProcess, started
from trading.platforms.mt5.client import CRYPT_AES, Mt5Client, Mt5Config
from trading.platforms.mt5.commands import Mt5Commands
from trading.platforms.mt5.rest import Mt5RestClient

PASSWORD = "Sandbox-1000!"


@dataclass
class Sandbox(SandboxProcess):
    """A running MT5 server."""

    @property
    def port(self) -> int:
        return self.ports["mt5_port"]

    @property
    def rest_port(self) -> int:
        return self.ports["rest_port"]

    def config(self, **fields: Any) -> Mt5Config:
        values = {
            "host": "127.0.0.1",
            "port": self.port,
            "login": 1000,
            "password": PASSWORD,
            "crypt_method": CRYPT_AES,
            "read_seconds": 5.0,
            "write_seconds": 5.0,
            "connect_seconds": 5.0,
        }
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

    def new_account(self, group: str = "real\\standard-EUR", **fields: Any) -> str:
        """An account made straight on the server; its login."""
        with self.client() as client:
            values = {
                "GROUP": group,
                "NAME": "Test Trader",
                "PASS_MAIN": "Abcdef1!",
                "PASS_INVESTOR": "Abcdef2!",
                "LEVERAGE": 30,
                "LOGIN": 0,
            }
            return client.write("USER_ADD", {**values, **fields}).parameters["LOGIN"]


@contextmanager
def running_sandbox(state: Path | str, *arguments: str) -> Iterator[Sandbox]:
    """Start a server on free ports without simulated traders; stop it in the end."""
    with started("mt5", state, "--port", "0", "--rest-port", "0", *arguments) as running:
        yield Sandbox(running.process, running.ports, running.http)
