"""`bench weight`: what a first visit to a trader's and a partner's home and to a client's page sends, and when it answers.

A throw-away instance as the supervisor starts it, over a demo brokerage, and Chromium with an empty cache. Bytes are those on
the wire, headers too, as the browser counts them. Interactive is when the page's scripts have run and no task of more than
50 ms follows, at 1.6 Mbit/s with 150 ms a request and a processor four times slower. Beside them is a bare page in the
same browser on the same line, taken in turns. What a busy machine doesn't disturb is the processor time of the page's main
thread, taken at full speed.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from bench.harness import Figure, at_most, say
from bench.memory import instance

CHROMIUM: Final = os.environ.get("KEELSON_CHROMIUM", "/usr/bin/chromium-headless-shell")
# Rounds of some 17 s, and the demo's scale; with the demo's loading full ends within three minutes on two free cores.
SIZES: Final = {"tiny": (1, 0.02), "quick": (3, 0.1), "full": (7, 0.3)}
BARE: Final = "/healthz"
LINE: Final = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
SLOWER: Final = 4
PHONE: Final = {"width": 390, "height": 844}
SETTLED_MS: Final = 2_500
# A page's scripts are at its end or deferred, so they have run when DOMContentLoaded is over; what they put off is long tasks.
INTERACTIVE: Final = """() => {
  const at = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
  return Math.max(at, ...window.kLongTasks.map((task) => task.startTime + task.duration));
}"""
LONG_TASKS: Final = """window.kLongTasks = [];
new PerformanceObserver((list) => window.kLongTasks.push(...list.getEntries())).observe({type: "longtask", buffered: true});"""
PAINTED: Final = (
    '() => (performance.getEntriesByName("first-contentful-paint")[0] || performance.getEntriesByType("navigation")[0])'
    ".startTime"
)


@dataclass
class Visit:
    """Bytes on the wire, milliseconds to the first paint and to the page that answers, and of the main thread's work."""

    sent: int
    paint_ms: float
    ready_ms: float
    work_ms: float = 0


def run(size: str) -> list[Figure]:
    rounds, scale = SIZES[size]
    say("loading the demo")
    with instance(scale, people="bench.weight") as (port, _pid, sessions), browser() as chromium:
        home = f"http://localhost:{port}"
        pages = {
            "bare page": (BARE, sessions["client"]),
            "trader's home": ("/portal/", sessions["client"]),
            "partner's home": ("/partners/", sessions["partner"]),
            "client page": (sessions["page"], sessions["staff"]),
        }
        samples: dict[str, list[Visit]] = {name: [] for name in pages}
        visit(chromium, home, *pages["client page"])  # what is loaded on first use
        for _round in range(rounds):
            for name, (path, cookie) in pages.items():
                samples[name].append(visit(chromium, home, path, cookie))
                samples[name][-1].work_ms = work(chromium, home, path, cookie)
    return figures(samples)


def figures(samples: dict[str, list[Visit]]) -> list[Figure]:
    """Medians of the times; of the bytes the most, since pages are padded at random."""
    bare = middle(samples["bare page"])
    goals = {"trader's home": (150, 1.5), "partner's home": (150, None), "client page": (180, None)}
    made = []
    for name, (most_kb, most_seconds) in goals.items():
        page = middle(samples[name])
        made.append(
            at_most(Figure(f"{name}: sent cold", page.sent / 1000, "kB", bare.sent / 1000, "bare page"), most_kb)
        )
        made.append(Figure(f"{name}: first paint", page.paint_ms / 1000, "s", bare.paint_ms / 1000, "bare page"))
        ready = Figure(f"{name}: interactive", page.ready_ms / 1000, "s", bare.ready_ms / 1000, "bare page")
        made.append(at_most(ready, most_seconds) if most_seconds else ready)
        made.append(Figure(f"{name}: main thread at full speed", page.work_ms, "ms", bare.work_ms, "bare page"))
    return made


def middle(rows: list[Visit]) -> Visit:
    return Visit(
        max(row.sent for row in rows),
        statistics.median(row.paint_ms for row in rows),
        statistics.median(row.ready_ms for row in rows),
        statistics.median(row.work_ms for row in rows),
    )


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def opened(chromium: Any, home: str, cookie: str) -> Iterator[tuple[Any, Any]]:
    """A page with nothing cached, signed in, and the line to the browser's insides."""
    context = chromium.new_context(base_url=home, viewport=PHONE, is_mobile=True, has_touch=True)
    name, _equals, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "domain": "localhost", "path": "/"}])
    context.add_init_script(LONG_TASKS)
    page = context.new_page()
    yield page, context.new_cdp_session(page)
    context.close()


def show(page: Any, path: str) -> None:
    answer = page.goto(path, wait_until="load")
    assert answer is not None and answer.ok, path
    page.wait_for_timeout(
        min(SETTLED_MS, 500) if path == BARE else SETTLED_MS
    )  # cards and charts that come after the page


def visit(chromium: Any, home: str, path: str, cookie: str) -> Visit:
    """Over the slow line, on the slow processor."""
    with opened(chromium, home, cookie) as (page, insides):
        insides.send("Network.enable")
        insides.send("Network.emulateNetworkConditions", LINE)
        insides.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        sent: list[int] = []
        insides.on("Network.loadingFinished", lambda event: sent.append(int(event["encodedDataLength"])))
        show(page, path)
        return Visit(sum(sent), float(page.evaluate(PAINTED)), float(page.evaluate(INTERACTIVE)))


def work(chromium: Any, home: str, path: str, cookie: str) -> float:
    """Milliseconds of processor time that the page's main thread used."""
    with opened(chromium, home, cookie) as (page, insides):
        insides.send("Performance.enable", {"timeDomain": "threadTicks"})
        show(page, path)
        metrics = {row["name"]: row["value"] for row in insides.send("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"]) * 1000


def print_people() -> None:
    """In a process that has joined the instance: the client whom the demo names, and a desk head with a client's page."""
    import django

    django.setup()
    from django.conf import settings

    from bench.web import signed_in
    from clients.queries import clients_visible_to
    from crm.accounts import demo_mode
    from crm.choices import Role, UserKind
    from crm.models import User

    shown = User.objects.filter(is_active=True, preferences__demo_login=True).order_by("pk")
    client, partner = (shown.filter(kind=kind).first() for kind in (UserKind.CLIENT, UserKind.PARTNER))
    staff = User.objects.get(
        pk__in=[user.pk for _label, user in demo_mode.staff_of_each_role()], groups__name=Role.DESK_HEAD
    )
    person = clients_visible_to(staff).order_by("-net_deposits").first()
    assert client is not None and partner is not None and person is not None
    name = settings.SESSION_COOKIE_NAME
    people = {"client": client, "partner": partner, "staff": staff}
    cookies = {who: f"{name}={signed_in(user).cookies[name].value}" for who, user in people.items()}
    sys.stdout.write(json.dumps({**cookies, "page": person.get_absolute_url()}))


if __name__ == "__main__":
    print_people()
