"""A web process frees the requests that it has answered."""

from __future__ import annotations

import sys

import httpx
import pytest

from tests.trading.processes import _process, _wait, free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
REQUESTS = 60


def test_answered_requests_do_not_stay_in_memory(cast):
    """All of them did: each refers to itself, and the collection that frees old ones came after 20 million allocations."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "tests.crm.counted_site:application",
        "--bind",
        f"127.0.0.1:{port}",
        "--worker-class",
        "crm.project.web_worker.BoundedWorker",
        "--workers",
        "1",
        "--threads",
        "2",
        "--log-level",
        "warning",
        "--no-control-socket",
        "--preload",
    ]
    with _process(command), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as browser:

        def is_up() -> bool:
            try:
                return browser.get("/healthz").status_code == 200
            except httpx.HTTPError:
                return False

        _wait(is_up, "the web server did not start")
        for _number in range(REQUESTS):
            assert browser.get("/accounts/login/").status_code == 200
        _wait(lambda: int(browser.get("/requests-in-memory").text) <= REQUESTS // 6, "answered requests stay in memory")
