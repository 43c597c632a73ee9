"""Servers that answer what no honest one would, over real sockets."""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Speak = Callable[[socket.socket], None]
MEGABYTE = 2**20


class Hostile:
    """`asked`: the head of each request that came."""

    def __init__(self, port: int) -> None:
        self.port, self.asked = port, list[bytes]()
        self.url = f"http://127.0.0.1:{port}"


@contextmanager
def hostile(speak: Speak, *, waits_for: bytes = b"\r\n\r\n") -> Iterator[Hostile]:
    """Reads a request's head (`waits_for` ends it; empty: nothing) on each connection, then lets `speak` answer."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Hostile(listener.getsockname()[1])

    def serve(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(20)
            head = b""
            while waits_for and waits_for not in head and (piece := sock.recv(65_536)):
                head += piece
            server.asked.append(head)
            speak(sock)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65_536):  # closed with a request unread, the answer might be lost on its way
                pass

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> Speak:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Content-Length: %d" % len(body), *headers]
    return lambda sock: sock.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)


def endless(sock: socket.socket) -> None:
    """A body that never ends, as fast as it can."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        sock.sendall(b"10000\r\n" + b"[" * 65_536 + b"\r\n")


@functools.cache
def bomb(megabytes: int = 400) -> bytes:
    """Gzip that holds a thousand times its size: one megabyte, again and again. Its checksum at the end is of the first."""
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    head = packer.compress(b'{"a": "') + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + piece * megabytes + packer.flush()


def gzip_bomb(sock: socket.socket) -> None:
    answer(bomb(), b"Content-Encoding: gzip")(sock)


def nested(sock: socket.socket) -> None:
    """JSON that is lists in lists in lists."""
    answer(b"[" * 200_000 + b"]" * 200_000)(sock)


def drip(sock: socket.socket) -> None:
    """A byte at a time, each well within any time-out."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    stop = threading.Event()
    while True:
        sock.sendall(b" ")
        stop.wait(0.02)


def drip_headers(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    stop = threading.Event()
    while True:
        sock.sendall(b"x: y\r\n")
        stop.wait(0.02)
