"""`bench memory`: what a web process grows by while signed-in people of all roles ask for pages.

A throw-away instance as the supervisor starts it, with one process of the web server over a demo brokerage. Its pages are found
by following links, then asked for at random by four at once. The first half of the requests loads what is loaded on first use;
the second half is judged.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from bench.harness import Figure, at_most, say

# Requests, and the demo's scale. A process is replaced after 20,000 (`--max-requests`).
SIZES: Final = {"tiny": (60, 0.02), "quick": (6_000, 0.05), "full": (15_000, 0.1)}
PAGES_PER_PERSON: Final = {"tiny": 3, "quick": 60, "full": 60}
PAGES_PER_SHAPE: Final = 3
ASKING_AT_ONCE: Final = 4
GROWTH_MB_MAX: Final = 0.3
LINK: Final = re.compile(r'(?:href|hx-get)="(/[^"#]*)"')
# What is no page, or ends the session.
LEFT_OUT: Final = re.compile(
    r"logout|export|download|original|render|language|\.pdf|/pdf|/file|/static/|/live/|/api/|^/accounts/"
)
# What would lead the instance to somebody's data.
NOT_INHERITED: Final = ("DATABASE_URL", "KEELSON_APP_DATABASE_URL", "REDIS_URL", "KEELSON_VAR", "KEELSON_PRIVATE_DIR")


def run(size: str) -> list[Figure]:
    requests, scale = SIZES[size]
    say("loading the demo")
    with instance(scale) as (port, pid, cookies):
        pages = [(cookie, path) for cookie in cookies for path in found_pages(port, cookie, PAGES_PER_PERSON[size])]
        say(f"{len(pages)} pages")
        fresh = resident_mb(pid)
        ask(port, pages, requests // 2)
        warm = resident_mb(pid)
        ask(port, pages, requests - requests // 2)
        last = resident_mb(pid)
    thousands = requests / 2_000
    growth = Figure(
        "growth per 1,000 requests, second half",
        (last - warm) / thousands,
        "MB",
        (warm - fresh) / thousands,
        "first half",
    )
    return [
        Figure("pages asked for", len(pages), "pages"),
        Figure("resident before", fresh, "MB"),
        Figure(f"resident after {requests // 2:,} requests", warm, "MB"),
        Figure(f"resident after {requests:,} requests", last, "MB"),
        at_most(growth, GROWTH_MB_MAX) if size != "tiny" else growth,
    ]


@contextmanager
def instance(scale: float, *, people: str = "bench.memory") -> Iterator[tuple[int, int, Any]]:
    """The port of its pages, the process that makes them, and what a module that joins it prints: sessions of people."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    with tempfile.TemporaryDirectory(prefix="keelson-bench-", ignore_cleanup_errors=True) as folder:
        command = [
            sys.executable,
            "-m",
            "launcher.supervisor",
            "--ephemeral",
            folder,
            "--demo",
            str(scale),
            "--no-sandboxes",
            "--only",
            "web",
            "--web-workers",
            "1",
        ]
        process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=inherited, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            told = process.stdout.readline()
            if not told:
                raise RuntimeError("the throw-away instance did not start; its words are above")
            addresses = json.loads(told)
            joined = {**inherited, **addresses["environment"], "DATABASE_URL": addresses["database_url"]}
            joined["REDIS_URL"] = addresses["redis_url"]
            signing_in = [sys.executable, "-m", people]
            cookies = subprocess.run(
                signing_in, cwd=settings.BASE_DIR, env=joined, stdout=subprocess.PIPE, text=True, check=True
            )
            yield urlsplit(addresses["base_url"]).port or 0, web_process(process.pid), json.loads(cookies.stdout)
        finally:
            process.terminate()
            process.wait(60)


def web_process(supervisor: int) -> int:
    """The process below gunicorn's own that answers requests."""
    for server in children_of(supervisor):
        if b"gunicorn" in Path(f"/proc/{server}/cmdline").read_bytes():
            return children_of(server)[0]
    raise RuntimeError("the web server is not there")


def children_of(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def resident_mb(pid: int) -> float:
    """What is in memory of a process without what it maps from files."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def found_pages(port: int, cookie: str, most: int) -> list[str]:
    """Addresses that answer a person with a page, found by following links, a few of each shape."""
    pages: list[str] = []
    waiting, seen, shapes = deque(["/"]), {"/"}, Counter[str]()
    with closing(http.client.HTTPConnection("localhost", port, timeout=60)) as browser:
        while waiting and len(pages) < most:
            path = waiting.popleft()
            status, location, text = get(browser, cookie, path)
            if status == http.client.OK:
                pages.append(path)
            for link in [location, *LINK.findall(text)]:
                address = link.replace("&amp;", "&")
                shape = re.sub(r"\d+", "N", address.partition("?")[0])
                if address.startswith("/") and address not in seen and not LEFT_OUT.search(address):
                    seen.add(address)
                    shapes[shape] += 1
                    if shapes[shape] <= PAGES_PER_SHAPE:
                        waiting.append(address)
    return pages


def get(browser: http.client.HTTPConnection, cookie: str, path: str) -> tuple[int, str, str]:
    browser.request("GET", path, headers={"Cookie": cookie})
    answer = browser.getresponse()
    text = answer.read().decode(errors="replace")
    if answer.status >= http.client.INTERNAL_SERVER_ERROR:
        raise RuntimeError(f"{path} answered {answer.status}")
    return answer.status, answer.getheader("Location", ""), text


def ask(port: int, pages: list[tuple[str, str]], times: int) -> None:
    """Ask for pages at random, `ASKING_AT_ONCE` at a time; always the same ones in the same order."""
    chosen = iter(random.Random(times).choices(pages, k=times))
    lock, failed = threading.Lock(), list[Exception]()

    def work() -> None:
        try:
            with closing(http.client.HTTPConnection("localhost", port, timeout=60)) as browser:
                while not failed:
                    with lock:
                        page = next(chosen, None)
                    if page is None:
                        return
                    get(browser, *page)
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            failed.append(error)

    workers = [threading.Thread(target=work) for _number in range(ASKING_AT_ONCE)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    if failed:
        raise failed[0]


def print_cookies() -> None:
    """In a process that has joined the instance: sign everybody in whom the demo names."""
    import django

    django.setup()
    from bench.web import signed_in
    from crm.accounts import demo_mode
    from crm.choices import UserKind
    from crm.models import User

    people = [user for _label, user in demo_mode.staff_of_each_role()]
    for kind in (UserKind.CLIENT, UserKind.PARTNER):
        people += User.objects.filter(kind=kind, is_active=True, preferences__demo_login=True).order_by("pk")[:2]
    name = settings.SESSION_COOKIE_NAME
    sys.stdout.write(json.dumps([f"{name}={signed_in(user).cookies[name].value}" for user in people]))


if __name__ == "__main__":
    print_cookies()
