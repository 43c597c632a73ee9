"""A real Chromium against a real server.

    def test_something(page, cast):            # 1440 × 900; `phone` is 390 × 844 with touch
        login(page, cast.agent)                # the way a person signs in: form, password, code
        enter(page, cast.finance)              # at once, by a session cookie, where signing in is not the point
        page.goto("/clients/")

`background` delivers events, letters and jobs while the test runs, as workers would. A script error, a request that the
Content-Security-Policy refused or a 500 fails the test; a failing test leaves a screenshot in var/browser/.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser import static_files
from tests.browser.people import enter, login

__all__ = ["enter", "login"]

# Playwright's synchronous API runs an event loop in this thread; Django would refuse the database then.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
CHROMIUM = os.environ.get("KEELSON_CHROMIUM", "/usr/bin/chromium-headless-shell")
SHOTS = Path(settings.BASE_DIR) / "var" / "browser"
# A machine that others keep busy is no fault.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS / 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(str(item.fspath)).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


static_files.keep_static_files()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Watch:
    """What a page must not do: raise, be refused by the policy, get a 500.

    Listening to the console is enough, and takes far less than to be sent every answer: Chromium writes each of 4xx and 5xx
    there, whatever asked for it.
    """

    # Tests ask for answers of 4xx on purpose.
    # A request that a test aborts itself is one it asked for, too.
    EXPECTED = re.compile(r"Failed to load resource: (the server responded with a status of 4|net::ERR_FAILED)")

    def __init__(self) -> None:
        self.problems: list[str] = []

    def on(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("console", self._console)

    def _console(self, message: ConsoleMessage) -> None:
        # The live process is not part of these tests: its address answers nothing.
        source = str(message.location.get("url", ""))
        live = settings.LIVE_URL in message.text or settings.LIVE_URL in source
        if message.type == "error" and not live and not self.EXPECTED.search(message.text):
            self.problems.append(f"console: {message.text} ({source})")


def _context(chromium: Browser, live_server: Any, **options: Any) -> BrowserContext:
    context = chromium.new_context(base_url=live_server.url, locale="en-GB", **options)
    context.set_default_timeout(PATIENCE_MS)
    return context


@pytest.fixture
def open_page(chromium: Browser, live_server: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """`open_page(width=390)` opens a page in a context of its own: another person's browser."""
    opened: list[tuple[BrowserContext, Page, Watch]] = []

    def make(*, width: int = 1440, height: int = 900, **options: Any) -> Page:
        context = _context(chromium, live_server, viewport={"width": width, "height": height}, **options)
        page = context.new_page()
        watch = Watch()
        watch.on(page)
        page.watch = watch  # type: ignore[attr-defined]
        opened.append((context, page, watch))
        return page

    yield make
    failed = getattr(getattr(request.node, "report_call", None), "failed", False)
    problems = []
    for number, (context, page, watch) in enumerate(opened):
        if failed and not page.is_closed():
            SHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SHOTS / f"{request.node.name[:120]}-{number}.png", full_page=True)
        problems += watch.problems
        context.close()
    if not failed:
        assert not problems, problems


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


@pytest.fixture
def phone(open_page: Callable[..., Page]) -> Page:
    return open_page(width=390, height=844, is_mobile=True, has_touch=True, device_scale_factor=2)


@pytest.fixture
def background(transactional_db: None) -> Iterator[None]:
    """Workers beside the server: a Celery worker on a thread, the jobs people wait on, and what beat would sweep."""
    from celery.contrib.testing.worker import start_worker
    from celery.signals import task_postrun
    from django.db import connections

    from crm.celery import app

    stop = threading.Event()

    def sweep() -> None:
        from crm import due, events
        from crm.files.jobs import run_job
        from crm.models import Job
        from crm.notices import mail
        from crm.work import SETTLING

        try:
            while not stop.is_set():
                events.deliver_due(limit=50)
                mail.deliver_due(limit=20)
                due.sweep(kinds=[SETTLING])
                for pk in Job.objects.filter(state="queued").values_list("pk", flat=True)[:5]:
                    run_job(pk)
                time.sleep(0.1)
        finally:
            connections.close_all()

    def close(**_kwargs: object) -> None:
        connections.close_all()  # no task knows whether it is this thread's last

    thread = threading.Thread(target=sweep, daemon=True)
    thread.start()
    task_postrun.connect(close)
    with start_worker(
        app, pool="solo", perform_ping_check=False, queues=["events", "default", "sync", "slow"], loglevel="ERROR"
    ):
        yield
    task_postrun.disconnect(close)
    stop.set()
    thread.join(timeout=20)
