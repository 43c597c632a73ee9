"""A request body of any length that never lies in memory, sent through the whole server stack."""

from __future__ import annotations

import io
import tracemalloc

from django.test.client import ClientHandler


class Endless(io.RawIOBase):
    """A body of any length that is made as it is read; it counts what was asked of it."""

    def __init__(self, length: int) -> None:
        self.left, self.given = length, 0

    def read(self, size: int = -1) -> bytes:
        piece = b"x" * min(self.left, size if size > 0 else self.left)
        self.left -= len(piece)
        self.given += len(piece)
        return piece


def send(browser, address, length):
    """A POST through the whole server stack, whose body never lies in memory."""
    body = Endless(length)
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": address,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": body,
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "CONTENT_LENGTH": str(length),
        "SCRIPT_NAME": "",
        "HTTP_COOKIE": "; ".join(f"{key}={morsel.value}" for key, morsel in browser.cookies.items()),
        "QUERY_STRING": "",
    }
    tracemalloc.start()
    answer = ClientHandler(enforce_csrf_checks=True)(environ)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return answer.status_code, answer.content.decode(), body.given, peak
