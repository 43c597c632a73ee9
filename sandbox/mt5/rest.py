"""The HTTPS side of the Web API: the same commands over HTTP/1.1, one session per TLS connection.

`GET /api/auth/start` and `/api/auth/answer` log the connection in; before that every other path answers 403. Older paths
without `/api` work, too. Parameters may stand in the query, in a form body or in a JSON body; JSON names are case-sensitive.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.engine.faults import Fault
from sandbox.engine.gateway import Hangup
from sandbox.mt5 import commands, protocol
from sandbox.mt5.server import IDLE_SECONDS, VERSION, Mt5Server, perform
from sandbox.mt5.users import BODY_NAMES

HEAD_MAX, BODY_MAX = 32 * 1024, 16 * 1024 * 1024
JSON_NAMES = {**BODY_NAMES, "Password": "PASSWORD", "Type": "TYPE"}
REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}
# Paths that are not simply the command in lower case with a slash after its first word.
SPECIAL = {
    "user/check_password": "USER_PASS_CHECK",
    "user/change_password": "USER_PASS_CHANGE",
    "user/account/get": "USER_ACCOUNT_GET",
    "user/account/get_batch": "USER_ACCOUNT_GET_BATCH",
    "trade/check_margin": "TRADE_MARGIN_CHECK",
    "trade/calc_profit": "TRADE_PROFIT",
    "trade/calc_rate_buy": "TRADE_RATE_BUY",
    "trade/calc_rate_sell": "TRADE_RATE_SELL",
    "user/archive/add": "USER_ARCHIVE_ADD",
    "user/archive/get": "USER_ARCHIVE_GET",
    "user/archive/logins": "USER_ARCHIVE_LOGINS",
}
AT_TOP = ("LOGIN", "TRANS_ID")  # beside "answer", not in it
ANSWER_NAMES = {
    "TICKET": "Ticket",
    "TIME": "time",
    "TOTAL": "total",
    "ID": "id",
    "PROFIT": "Profit",
    "PROFIT_RATE": "Profit_rate",
    "RATE": "Rate",
}


class HttpRequest:
    """One request: method, path without the prefix, parameters by upper-case name, JSON body as text."""

    def __init__(self, head: str, body: str) -> None:
        self.method, target, _version = head.split("\r\n", 1)[0].split(" ")
        parts = urlsplit(target)
        self.path = unquote(parts.path).strip("/").removeprefix("api/").lower()
        self.parameters = {k.upper(): v for k, v in parse_qsl(parts.query, keep_blank_values=True)}
        self.json = ""
        if body.lstrip().startswith(("{", "[")):
            self.json = body
            document = json.loads(body)
            if isinstance(document, dict):
                known = {JSON_NAMES[k]: str(v) for k, v in document.items() if k in JSON_NAMES}
                self.parameters.update(known)
        else:
            self.parameters.update({k.upper(): v for k, v in parse_qsl(body, keep_blank_values=True)})

    @property
    def command(self) -> str:
        if self.path in SPECIAL:
            return SPECIAL[self.path]
        return self.path.replace("/", "_").upper()

    def request(self) -> protocol.Request:
        return protocol.Request(self.command, self.parameters, self.json)


class RestSession:
    """One TLS connection and whether it is logged in."""

    def __init__(self, server: Mt5Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.secret = protocol.secret_of(server.settings.manager.password)
        self.challenge = ""
        self.is_in = False

    async def serve(self) -> None:
        while True:
            head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)).decode("latin-1")
            headers = {k.strip().lower(): v.strip() for k, _, v in (x.partition(":") for x in head.split("\r\n")[1:])}
            length = int(headers.get("content-length") or 0)
            if not 0 <= length <= BODY_MAX:
                raise Hangup
            body = (await asyncio.wait_for(self.reader.readexactly(length), IDLE_SECONDS)).decode()
            request = HttpRequest(head, body)
            if request.path in ("auth/start", "auth_start"):
                await self._start(request.parameters)
            elif request.path in ("auth/answer", "auth_answer"):
                await self._answer_of(request.parameters)
            elif not self.is_in:
                await self._say(403, _document(1000))
            elif request.path == "quit":
                await self._say(200, _document(0))
                return
            else:
                await self._command(request.request())
            if headers.get("connection", "").lower() == "close":
                return

    # -- log-in

    async def _start(self, query: dict[str, str]) -> None:
        settings, agent = self.server.settings, query.get("AGENT", "")
        self.is_in, self.challenge = False, ""
        version = int(query["VERSION"]) if query.get("VERSION", "").isdigit() else 0
        code = 0
        if version < 484:
            code = 1010
        elif query.get("TYPE", "").lower() != "manager" or not agent or " " in agent:
            code = 1000
        elif query.get("LOGIN") != str(settings.manager.login):
            code = 1001
        if code:
            await self._say(403, _document(code))
            return
        self.challenge = secrets.token_hex(16)
        await self._say(200, _document(0, {"version_access": VERSION, "srv_rand": self.challenge}))

    async def _answer_of(self, query: dict[str, str]) -> None:
        proof = protocol.proof(self.secret, self.challenge) if self.challenge else ""
        if not proof or not secrets.compare_digest(query.get("SRV_RAND_ANSWER", "").lower(), proof):
            await self._say(403, _document(1001))
            return
        self.is_in = True
        answer = protocol.proof(self.secret, query.get("CLI_RAND", ""))
        await self._say(
            200, _document(0, {"version_access": VERSION, "version_trade": VERSION, "cli_rand_answer": answer})
        )

    # -- commands

    async def _command(self, request: protocol.Request) -> None:
        if request.name not in commands.HANDLERS:
            self.server.count("unknown")
            await self._say(404, _document(12000))
            return
        self.server.count(request.name)
        faults = self.server.faults.take(request.name)
        if "forbidden" in faults:
            self.is_in = False
            await self._say(403, _document(1000))
            return
        code, (parameters, data) = perform(self.server.books, self.server, request, faults)
        if "slow" in faults:
            await asyncio.sleep(faults["slow"].value or 5)
        if "drop_before" in faults or "drop_after" in faults:
            raise Hangup
        if "never_before" in faults or "never_after" in faults:
            await asyncio.sleep(IDLE_SECONDS)
            raise Hangup
        if "garbage" in faults:
            await self._write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", faults)
            return
        if "proxy_403" in faults:
            await self._say(403, "<html><title>403 Forbidden</title></html>")
            return
        answer = data
        if data is None:
            answer = {ANSWER_NAMES.get(k, k): v for k, v in parameters.items() if k not in AT_TOP} or None
        top = {name.lower(): parameters[name] for name in AT_TOP if name in parameters}
        await self._say(200, _document(code, top, answer), faults)
        if "duplicate" in faults:
            await self._say(200, _document(code, top, answer), faults)
        if "restart" in faults:
            self.server.restart()

    # -- writing

    async def _say(self, status: int, text: str, faults: dict[str, Fault] | None = None) -> None:
        body = text.encode("utf-8", "replace")
        head = (
            f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\nContent-Type: application/json; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: keep-alive\r\n\r\n"
        )
        await self._write(head.encode() + body, faults or {})

    async def _write(self, data: bytes, faults: dict[str, Fault]) -> None:
        pause = faults["drip"].value if "drip" in faults else 0.001
        piece = 1 if "drip" in faults else int(faults["split"].value) if "split" in faults else 0
        if "cut_off" in faults:
            self.writer.write(data[: int(faults["cut_off"].value)])
            await self.writer.drain()
            raise Hangup
        for start in range(0, len(data), piece or len(data)):
            self.writer.write(data[start : start + (piece or len(data))])
            await self.writer.drain()
            if piece:
                await asyncio.sleep(pause)


def _document(code: int, top: dict[str, Any] | None = None, answer: Any = None) -> str:
    text = protocol.RETCODE_TEXTS.get(code, "Error")
    document: dict[str, Any] = {"retcode": f"{code} {text}", **(top or {})}
    if answer is not None and code in (0, 1):
        document["answer"] = answer
    return protocol.to_json(document)


class RestListener:
    """Accepts managers over TLS; its sessions count and end with those of the raw side."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self._listener: asyncio.Server | None = None

    async def start(self, server: Mt5Server, host: str, port: int) -> int:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.hold(RestSession(server, reader, writer).serve(), writer)

        self._listener = await asyncio.start_server(accept, host, port, ssl=self.context, limit=HEAD_MAX)
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._listener:
            self._listener.close()
