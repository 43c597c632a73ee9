"""`bench memory`: its pages are found by following links, and it asks for them as somebody who stays signed in."""

from __future__ import annotations

import os

import pytest

from bench import memory
from tests.cast import signed_in
from tests.trading.processes import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def test_pages_are_found_and_asked_for_without_signing_out(cast, live_server) -> None:
    cookie = "sessionid=" + signed_in(cast.agent).cookies["sessionid"].value
    port = live_server.thread.port
    pages = memory.found_pages(port, cookie, 8)
    assert len(pages) == 8 and not any("logout" in path or "export" in path for path in pages)
    memory.ask(port, [(cookie, path) for path in pages], 16)
    assert memory.found_pages(port, cookie, 8) == pages


def test_a_page_that_cannot_be_asked_for_ends_the_benchmark() -> None:
    with pytest.raises(OSError):
        memory.ask(free_port(), [("", "/")], 1)


def test_memory_without_mapped_files_is_read() -> None:
    assert 1 < memory.resident_mb(os.getpid()) < 10_000
