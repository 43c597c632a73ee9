"""Lists asked for by sixteen people at the same time over HTTP, of the web server as the supervisor starts it.

How many lists a second is what the machine had to give while this ran. Beside it is the processor time of a list by process,
which other work on the machine changes little: what the cores would do if they had nothing else.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser

from bench.harness import Figure, at_least, p95, say
from bench.memory import children_of
from launcher import devdb
from launcher.supervisor import plan

CLIENTS: Final = 16
SECONDS: Final = {"tiny": 1, "quick": 8, "full": 30}
LISTS_PER_SECOND_MIN: Final = 100
STARTS_WITHIN_SECONDS: Final = 120
LISTS: Final = ("/leads/", "/clients/", "/leads/?sort=-score", "/leads/?sales_status=contacted")
TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Asked:
    """What the clients saw."""

    seconds: float = 0
    milliseconds: list[float] = field(default_factory=list)
    sent: int = 0


def measure(people: Sequence[Browser], rows: int, size: str) -> list[Figure]:
    """Ask in turns as each of these people, who are signed in."""
    cookies = ["; ".join(f"{name}={cookie.value}" for name, cookie in each.cookies.items()) for each in people]
    with server() as (port, master):
        ask(port, cookies, at_least_each=len(LISTS) * 2)
        before = _cpu_seconds(master)
        asked = ask(port, cookies, seconds=SECONDS[size])
        after = _cpu_seconds(master)
    lists = len(asked.milliseconds)
    used = {name: (after[name] - before[name]) * 1000 / lists for name in after}
    total = sum(value for name, value in used.items() if name != "machine")
    cores = os.cpu_count() or 1
    others = max(used["machine"] - total, 0) * lists / 1000 / asked.seconds
    head = f"{CLIENTS} clients over HTTP, {rows:,}"
    samples = sorted(asked.milliseconds)
    return [
        at_least(Figure(f"{head}: lists", lists / asked.seconds, "lists/s"), LISTS_PER_SECOND_MIN),
        Figure(f"{head}: a list, median", samples[lists // 2], "ms"),
        Figure(f"{head}: a list, p95", p95(samples), "ms"),
        *(
            Figure(f"{head}: processor time of a list, {name}", value, "ms", total, "all of it")
            for name, value in used.items()
            if name != "machine"
        ),
        Figure(f"{head}: sent for a list", asked.sent / lists / 1000, "kB"),
        Figure(f"{head}: what {cores} free cores would do", cores * 1000 / total, "lists/s"),
        Figure(f"{head}: other work on the machine", others, "cores"),
    ]


@contextmanager
def server() -> Iterator[tuple[int, int]]:
    """The web server as the supervisor starts it, on the database in use: its port and gunicorn's own process."""
    var_dir = Path(os.environ.get("KEELSON_VAR") or settings.BASE_DIR / "var")
    options = plan.Options(var_dir=var_dir, port=0, live_port=0, only=frozenset({"web"})).with_free_ports()
    (web,) = [child for child in plan.children(options) if child.name == "web"]
    environment = {**plan.shared_environment(options, "bench"), **web.environment, "KEELSON_PROCESS": "bench-web"}
    url = environment.get("DATABASE_URL") or devdb.database_url(var_dir)
    name = connection.settings_dict["NAME"]
    environment["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    # A number of its own, or a running site would show these people's menus.
    environment["REDIS_URL"] = devdb.numbered_redis_url(settings.REDIS_URL, devdb.lease_slot(var_dir))
    process = subprocess.Popen(web.command, cwd=settings.BASE_DIR, env=environment)
    try:
        _wait_for(options.port, process)
        yield options.port, process.pid
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as browser:
            browser.request("GET", "/healthz")
            if browser.getresponse().status == http.client.OK:
                return
        time.sleep(0.2)
    raise RuntimeError("the web server did not start")


def ask(port: int, cookies: list[str], *, seconds: float = 0, at_least_each: int = 1) -> Asked:
    """Ask for the lists in turns, one thread a client over one connection, as a browser does that takes compressed pages."""
    asked, failed = Asked(), list[Exception]()
    until = time.monotonic() + seconds

    def work(number: int) -> None:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as browser:
                headers = {"Cookie": cookies[number % len(cookies)], "Accept-Encoding": "gzip"}
                turn = number
                while not failed and (turn - number < at_least_each or time.monotonic() < until):
                    started = time.perf_counter()
                    browser.request("GET", LISTS[turn % len(LISTS)], headers=headers)
                    answer = browser.getresponse()
                    page = answer.read()
                    if answer.status != http.client.OK:
                        raise RuntimeError(f"{LISTS[turn % len(LISTS)]} answered {answer.status}")
                    asked.milliseconds.append((time.perf_counter() - started) * 1000)
                    asked.sent += len(page)
                    turn += 1
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            failed.append(error)

    say(f"{CLIENTS} clients over HTTP")
    started = time.monotonic()
    workers = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    asked.seconds = time.monotonic() - started
    if failed:
        raise failed[0]
    return asked


def _cpu_seconds(master: int) -> dict[str, float]:
    """Processor time used so far by the server's processes, the database's, Redis, these clients, and the whole machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    redis: Any = cache._cache.get_client(None).info("cpu")  # type: ignore[attr-defined]
    return {
        "web": sum(map(_used, [master, *children_of(master)])),
        "PostgreSQL": sum(map(_used, children_of(_parent(backend)))),
        "Redis": redis["used_cpu_user"] + redis["used_cpu_sys"],
        "clients": time.process_time(),
        "machine": _machine(),
    }


def _used(pid: int) -> float:
    """Of a process with all its threads; 0 for one that is gone, or runs on another host."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK
    return 0


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _machine() -> float:
    """What all cores have worked since the machine started, without what they waited."""
    fields = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:8])) / TICK
