"""A tracking system that postbacks call."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ib.tracking import sending


@pytest.fixture
def tracker():
    """A partner's tracking system: what it was called with, and what it answers (status or None: it hangs)."""
    calls, answers = [], [200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append((self.path, self.headers.get(sending.SIGNATURE)))
            self.send_response(answers[0])
            self.send_header("Location", "http://127.0.0.1/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", calls, answers
    server.shutdown()
    server.server_close()
