"""The sandbox trading servers: what each listens on, and how it is started. One row per server; everything else follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Beside MT5, where the demo happens, the others tick slowly: they shall cost little.
SLOW: Final = ("--rhythm", "2", "--tick-seconds", "2")


@dataclass(frozen=True)
class Listener:
    """A port of a server. `name` is the key of its address in the settings; `flag` is the server's own."""

    name: str
    flag: str
    port: int
    words: str

    @property
    def option(self) -> str:
        """Of the supervisor's command line, without dashes in front."""
        return f"{self.name.replace('_', '-')}-port"

    @property
    def variable(self) -> str:
        return f"KEELSON_{self.name.upper()}_PORT"


@dataclass(frozen=True)
class SandboxServer:
    """`listeners`: those of its wire; its control page is one more."""

    name: str
    words: str
    listeners: tuple[Listener, ...]
    control_port: int
    arguments: tuple[str, ...] = SLOW

    @property
    def part(self) -> str:
        return f"sandbox-{self.name}"

    @property
    def control(self) -> Listener:
        return Listener(f"{self.name}_control", "--http-port", self.control_port, f"{self.words}'s control page")

    @property
    def all_listeners(self) -> tuple[Listener, ...]:
        return (*self.listeners, self.control)

    def command(self, ports: Mapping[str, int], state: Path) -> list[str]:
        """Its arguments, with the files of the demo."""
        listening = [word for listener in self.all_listeners for word in (listener.flag, str(ports[listener.name]))]
        files = ["--state", str(state / f"{self.name}.sqlite"), "--import", str(state / f"{self.name}-import.jsonl")]
        return [*listening, *files, *self.arguments]

    def environment(self, ports: Mapping[str, int]) -> dict[str, str]:
        """Where it is, for everybody who wants to speak to it."""
        variables = {
            f"SANDBOX_{listener.name.upper()}": f"127.0.0.1:{ports[listener.name]}" for listener in self.listeners
        }
        return {**variables, f"SANDBOX_{self.name.upper()}_CONTROL": f"http://127.0.0.1:{ports[self.control.name]}"}


SERVERS: Final = (
    SandboxServer(
        "mt5",
        "the sandbox MT5 server",
        (
            Listener("mt5", "--port", 8443, "the sandbox MT5 server"),
            Listener("mt5_rest", "--rest-port", 8446, "the sandbox MT5 server's HTTPS form"),
        ),
        8445,
        (),
    ),
    SandboxServer("mt4", "the sandbox MT4 server", (Listener("mt4", "--port", 8450, "the sandbox MT4 bridge"),), 8451),
    SandboxServer(
        "ctrader",
        "the sandbox cTrader server",
        (
            Listener("ctrader", "--port", 8452, "the sandbox cTrader WebServices"),
            Listener("ctrader_manager", "--manager-port", 8453, "the sandbox cTrader Manager API"),
        ),
        8454,
    ),
    SandboxServer(
        "matchtrader",
        "the sandbox Match-Trader server",
        (
            Listener("matchtrader", "--port", 8455, "the sandbox Match-Trader Broker API"),
            Listener("matchtrader_grpc", "--grpc-port", 8456, "the sandbox Match-Trader streams"),
        ),
        8457,
    ),
    SandboxServer(
        "sirix", "the sandbox Sirix server", (Listener("sirix", "--port", 8458, "the sandbox Sirix server"),), 8459
    ),
)
LISTENERS: Final = tuple(listener for server in SERVERS for listener in server.all_listeners)
PORTS: Final = {listener.name: listener.port for listener in LISTENERS}


def named(name: str) -> SandboxServer:
    """Find a sandbox server by its name."""
    return next(server for server in SERVERS if server.name == name)
