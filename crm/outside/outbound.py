"""HTTP to other people's servers, with a bound on everything that they send.

An answer is bounded in bytes as it is read, after decompression and before it is held in memory: 390 kB of gzip can hold 400 MB.
The whole exchange has a deadline besides the time-outs of its steps, so that a server that drips bytes holds no worker. No
redirect is followed and no proxy is taken from the environment: a request goes where it was meant to go, with the login it bears,
and in production to public addresses over TLS only (`crm.outside.destinations`).
"""

from __future__ import annotations

import contextlib
import functools
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from crm.outside import destinations

PIECE_BYTES = 64 * 1024
HEADERS_MAX = 200  # their bytes are bounded by the parser: 100 kB
GZIP = 16 + zlib.MAX_WBITS


class AnswerTooLarge(httpx.RemoteProtocolError):
    """The other side sends more than was agreed to take; nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """bytes_max: of the decoded body. seconds: for the whole exchange. timeout: for each of its steps."""

    bytes_max: int
    seconds: float
    timeout: httpx.Timeout


@functools.cache
def trusted() -> ssl.SSLContext:
    """Load the certificates that we trust, once a process: it takes 25 ms of the processor, more than a call does."""
    return httpx.create_ssl_context(trust_env=False)


@contextmanager
def streamed(method: str, url: str, *, bounds: Bounds, **options: Any) -> Iterator[httpx.Response]:
    """Send one request; its answer is open and not read yet (`pieces_of`). Raises: httpx.HTTPError."""
    if not url.startswith("https://") and not destinations.is_plain_text_allowed(url):
        raise httpx.ConnectError("without TLS nothing is sent: the address must begin with https://")
    headers = {"Accept-Encoding": "gzip, identity", **(options.pop("headers", None) or {})}
    with (
        httpx.Client(transport=_Transport(bounds.seconds), timeout=bounds.timeout, trust_env=False) as client,
        client.stream(method, url, headers=headers, follow_redirects=False, **options) as response,
    ):
        if len(response.headers.raw) > HEADERS_MAX:
            raise AnswerTooLarge(f"more than {HEADERS_MAX} headers")
        yield response


def pieces_of(response: httpx.Response, *, bytes_max: int) -> Iterator[bytes]:
    """Yield the decoded body, never more than `bytes_max`. Raises: AnswerTooLarge, httpx.HTTPError."""
    left = bytes_max
    for piece in _decoded(response):
        left -= len(piece)
        if left < 0:
            raise AnswerTooLarge(f"more than {bytes_max} bytes")
        if piece:
            yield piece


def request(method: str, url: str, *, bounds: Bounds, **options: Any) -> httpx.Response:
    """Send one request and read its whole answer within the bounds. Raises: AnswerTooLarge, httpx.HTTPError."""
    with streamed(method, url, bounds=bounds, **options) as response:
        return whole(response, bytes_max=bounds.bytes_max)


def whole(response: httpx.Response, *, bytes_max: int) -> httpx.Response:
    """Read a streamed answer to its end and return it decoded, never more than `bytes_max`."""
    content = b"".join(pieces_of(response, bytes_max=bytes_max))
    dropped = (b"content-encoding", b"transfer-encoding", b"content-length")
    return httpx.Response(
        response.status_code,
        headers=[(name, value) for name, value in response.headers.raw if name.lower() not in dropped],
        content=content,
        request=response.request,
        extensions=response.extensions,
    )


def _decoded(response: httpx.Response) -> Iterator[bytes]:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return response.iter_raw(PIECE_BYTES)
    if encoding in ("gzip", "x-gzip"):
        return _inflated(response.iter_raw())
    raise httpx.DecodingError(f"an encoding that was not asked for: {encoding[:40]}")


def _inflated(raw: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress gzip a bounded piece at a time, however much a compressed one holds."""
    inflate, is_empty = zlib.decompressobj(GZIP), True
    try:
        for compressed in raw:
            is_empty = False
            while compressed and not inflate.eof:
                yield inflate.decompress(compressed, PIECE_BYTES)
                compressed = inflate.unconsumed_tail
        yield inflate.flush()
    except zlib.error as error:
        raise httpx.DecodingError(f"not gzip: {error}") from error
    if not inflate.eof and not is_empty:
        raise httpx.DecodingError("the compressed answer is cut off")


class _Transport(httpx.HTTPTransport):
    """httpx's own, over sockets with a deadline."""

    def __init__(self, seconds: float) -> None:
        super().__init__(verify=trusted(), trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted(), max_connections=1, network_backend=_Sockets(time.monotonic() + seconds)
        )


class _Sockets(httpcore.SyncBackend):
    def __init__(self, deadline: float) -> None:
        self.deadline = deadline

    def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.NetworkStream:
        """Connect to an address that `destinations` has checked, and to no other that the name may have a moment later."""
        try:
            addresses = destinations.addresses_of(host, port)
        except (destinations.PrivateAddress, OSError) as error:
            raise httpcore.ConnectError(str(error)) from error
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return _Timed(super().connect_tcp(address, port, *args, **options), self.deadline)
        return _Timed(super().connect_tcp(addresses[-1], port, *args, **options), self.deadline)


class _Timed(httpcore.NetworkStream):
    """A connection on which every step also ends at the deadline of all."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self.stream, self.deadline = stream, deadline

    def _left(self, timeout: float | None, error: type[Exception]) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise error("the time for the whole exchange is over")
        return left if timeout is None else min(timeout, left)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._left(timeout, httpcore.ConnectTimeout)
        return _Timed(self.stream.start_tls(ssl_context, server_hostname, left), self.deadline)

    def close(self) -> None:
        self.stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)
