"""HTTP/1.1 with keep-alive for servers whose wire is REST, and the faults that concern an answer on its way.

A server gives a `Site`: which command a request is, what answers it, and how its platform says no.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.engine.books import Refused
from sandbox.engine.faults import DONE_KINDS, Fault
from sandbox.engine.gateway import Gateway, Hangup

HEAD_MAX, BODY_MAX, IDLE_SECONDS = 32 * 1024, 16 * 1024 * 1024, 180
REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Request:
    """One request. Header names are in lower case, the path is decoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    pairs: tuple[tuple[str, str], ...] = ()
    """The query as it came, where a name may stand more than once."""

    def many(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def json(self) -> Any:
        """Parse the body. Numbers with a fraction are exact. Raises ValueError."""
        return json.loads(self.body or b"null", parse_float=Decimal)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200, **headers: str) -> Response:
    """Decimals are written as numbers with their digits."""
    return Response(status, _encode(value).encode(), headers=headers)


def _encode(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(k))}:{_encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_encode, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class Site(Protocol):
    """The platform's side of it."""

    def find(self, request: Request) -> tuple[str, Callable[[], Response]]:
        """Find a request's command: its name for counts and faults, and what does it. Unknown requests have both, too."""
        ...

    def refusal(self, command: str, code: int) -> Response:
        """How this platform says no with one of its own codes (fault `retcode`) or one of the books' (`Refused`)."""
        ...

    def too_frequent(self, command: str) -> Response: ...


class HttpListener:
    """Takes requests for a site; its sessions count and end with those of the gateway."""

    def __init__(self, gateway: Gateway, site: Site, context: ssl.SSLContext | None = None) -> None:
        self.gateway, self.site, self.context = gateway, site, context
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        self._listener = await asyncio.start_server(self._accept, host, port, ssl=self.context, limit=HEAD_MAX)
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._listener:
            self._listener.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.gateway.hold(self._serve(reader, writer), writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)).decode("latin-1")
            lines = head.split("\r\n")
            method, target, _version = lines[0].split(" ")
            headers = {k.strip().lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:] if x)}
            length = int(headers.get("content-length") or 0)
            if not 0 <= length <= BODY_MAX:
                raise Hangup
            body = await asyncio.wait_for(reader.readexactly(length), IDLE_SECONDS)
            parts = urlsplit(target)
            pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
            await self._answer(Request(method, unquote(parts.path), dict(pairs), headers, body, pairs), writer)
            if headers.get("connection", "").lower() == "close":
                return

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        command, work = self.site.find(request)
        self.gateway.count(command)
        faults = self.gateway.faults.take(command)
        response = self._do(command, work, faults)
        if "slow" in faults:
            await asyncio.sleep(faults["slow"].value or 5)
        if faults.keys() & {"drop_before", "drop_after"}:
            raise Hangup
        if faults.keys() & {"never_before", "never_after"}:
            await asyncio.sleep(IDLE_SECONDS)
            raise Hangup
        if "garbage" in faults:
            response = Response(502, b"<html>Bad Gateway</html>", "text/html")
        data = _bytes(response)
        await _write(writer, data, faults)
        if "duplicate" in faults:
            await _write(writer, data, faults)
        if "restart" in faults:
            self.gateway.restart()

    def _do(self, command: str, work: Callable[[], Response], faults: Mapping[str, Fault]) -> Response:
        """Run the command, or not, as the faults say."""
        for kind in DONE_KINDS & faults.keys():
            if kind == "retcode":
                return self.site.refusal(command, int(faults[kind].value))
            return self.site.too_frequent(command)
        if self.gateway.is_too_frequent():
            return self.site.too_frequent(command)
        try:
            response = work()
            if "book_twice" in faults:
                response = work()
        except Refused as refused:
            return self.site.refusal(command, refused.code)
        if "retcode_after" in faults:
            return self.site.refusal(command, int(faults["retcode_after"].value))
        return response


def _bytes(response: Response) -> bytes:
    head = [
        f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Status')}",
        f"Content-Length: {len(response.body)}",
    ]
    if response.body:
        head.append(f"Content-Type: {response.content_type}")
    head += [f"{name.replace('_', '-')}: {value}" for name, value in response.headers.items()]
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + response.body


async def _write(writer: asyncio.StreamWriter, data: bytes, faults: Mapping[str, Fault]) -> None:
    if "cut_off" in faults:
        writer.write(data[: int(faults["cut_off"].value)])
        await writer.drain()
        raise Hangup
    pause = faults["drip"].value if "drip" in faults else 0.001
    piece = 1 if "drip" in faults else int(faults["split"].value) if "split" in faults else 0
    for start in range(0, len(data), piece or len(data)):
        writer.write(data[start : start + (piece or len(data))])
        await writer.drain()
        if piece:
            await asyncio.sleep(pause)
