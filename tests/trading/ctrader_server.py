"""A real sandbox cTrader server in its own process: raw requests to both its interfaces, and the row by which we reach it."""

from __future__ import annotations

import hashlib
import itertools
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sandbox.ctrader.names import trader_id, wire_group
from sandbox.ctrader.proto import ctrader_manager_pb2 as pb
from tests.trading.sandbox_process import SandboxProcess, started
from trading.models import TradingServer
from trading.platforms.circuit_breaker import Gate
from trading.platforms.ctrader.adapter import make_platform
from trading.platforms.ctrader.platform import CtraderPlatform

PASSWORD = "Sandbox-3000!"
HASH = hashlib.md5(PASSWORD.encode()).hexdigest()
ARGUMENTS = ("--port", "0", "--manager-port", "0", "--heartbeat-seconds", "0.3")
_numbers = itertools.count(920_001)


@dataclass
class CtraderSandbox(SandboxProcess):
    """A running server."""

    pem: str = field(default="")

    def rest(self, token: str | None = None, **headers: str) -> httpx.Client:
        """A client of WebServices with the token in every address, or without one."""
        context = ssl.create_default_context(cadata=self.pem)
        params = {"token": token} if token else {}
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.ports['ctrader_port']}",
            verify=context,
            params=params,
            timeout=10,
            headers={"Accept": "application/json", **headers},
        )

    def token(self) -> str:
        with self.rest() as rest:
            answer = rest.post("/v2/webserv/managers/token", json={"login": 3000, "hashedPassword": HASH})
        return str(answer.json()["webservToken"])

    @contextmanager
    def manager(self, *, signs_in: bool = True) -> Iterator[RawManager]:
        plain = socket.create_connection(("127.0.0.1", self.ports["manager_port"]), timeout=5)
        context = ssl.create_default_context(cadata=self.pem)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as sock:
            raw = RawManager(sock)
            if signs_in:
                raw.sign_in()
            yield raw

    def account(self, group: str = "real\\standard-EUR", money: str = "0", **fields: Any) -> str:
        """An account put on the server behind the platform's back; its login."""
        login = next(_numbers)
        user = {"kind": "user", "login": login, "group": group, "leverage": 30, "name": "Test Trader", **fields}
        assert self.http.post("/control/import", content=json.dumps(user)).status_code == 200
        if float(money):
            self.post("balance", login=login, amount=money, comment="first money")
        return str(login)

    def truth(self, login: str) -> dict[str, Any]:
        return self.post("look", login=int(login))

    def trade(self, login: str, symbol: str = "EURUSD", lots: str = "0.10", side: str = "buy") -> dict[str, Any]:
        return self.post("trade", login=int(login), symbol=symbol, lots=lots, side=side)

    def row(self, *, password: str = PASSWORD, port: int = 0, **options: Any) -> TradingServer:
        """The server's row, not saved."""
        values = {
            "environment": "live",
            "broker": "keelson",
            "plant": "sandbox",
            "manager_port": str(self.ports["manager_port"]),
            **options,
        }
        server = TradingServer(
            name="Sandbox cTrader",
            kind="ctrader",
            host="127.0.0.1",
            port=port or self.ports["ctrader_port"],
            manager_login="3000",
            certificate=self.pem,
            time_zone="UTC",
            options=values,
        )
        server.set_password(password)
        return server

    @contextmanager
    def platform(self, **options: Any) -> Iterator[CtraderPlatform]:
        """As the pool makes it, with a gate that lets everything pass."""
        platform = make_platform(self.row(**options), Gate())
        try:
            yield platform
        finally:
            platform.close()


class RawManager:
    """Frames by hand: not the client under test."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self.sock = sock

    def send(self, message: Any, identity: str = "") -> None:
        envelope = pb.ProtoMessage(payloadType=message.payloadType, payload=message.SerializeToString())
        if identity:
            envelope.clientMsgId = identity
        data = envelope.SerializeToString()
        self.sock.sendall(len(data).to_bytes(4, "big") + data)

    def next(self) -> pb.ProtoMessage | None:
        """The next frame; None when the server closed."""
        head = self._exactly(4)
        return pb.ProtoMessage.FromString(self._exactly(int.from_bytes(head, "big"))) if head else None

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            if not part:
                return b""
            data += part
        return data

    def wait_for(self, kind: type[Any]) -> Any:
        """The next message of a kind; others are skipped."""
        while (message := self.next()) is not None:
            if message.payloadType == kind().payloadType:
                return kind.FromString(message.payload)
        raise AssertionError(f"the server closed before {kind.__name__}")

    def ask(self, request: Any, answer: type[Any], identity: str = "7") -> Any:
        self.send(request, identity)
        while (message := self.next()) is not None:
            if message.clientMsgId == identity:
                kind = answer if message.payloadType == answer().payloadType else pb.ProtoErrorRes
                return kind.FromString(message.payload)
        raise AssertionError("the server closed before its answer")

    def sign_in(self, **fields: Any) -> Any:
        assert self.wait_for(pb.ProtoHelloEvent) is not None
        values = {"plantId": "sandbox", "environmentName": "live", "login": 3000, "passwordHash": HASH, **fields}
        return self.ask(pb.ProtoManagerAuthReq(**values), pb.ProtoManagerAuthRes, "1")


@contextmanager
def running_ctrader(state: Path | str, *arguments: str) -> Iterator[CtraderSandbox]:
    """Start a server on free ports without simulated traders; stop it in the end."""
    with started("ctrader", state, *ARGUMENTS, *arguments) as running:
        pem = running.http.get("/certificate.pem").text
        yield CtraderSandbox(running.process, running.ports, running.http, pem=pem)


__all__ = ["HASH", "PASSWORD", "CtraderSandbox", "RawManager", "running_ctrader", "trader_id", "wire_group"]
