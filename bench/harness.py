"""What a benchmark is made of: figures with their yardsticks, a database of its own, and percentiles."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import statistics
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.test.utils import override_settings

from crm.project.memory import freeze_gc
from launcher.supervisor import statics


@dataclass
class Figure:
    """One measured value. `ratio` = value / yardstick (same unit); `goal` says which ratio or value is good."""

    name: str
    value: float
    unit: str
    yardstick: float | None = None
    yardstick_name: str = ""
    goal: str = ""
    ok: bool | None = None

    @property
    def ratio(self) -> float | None:
        return None if not self.yardstick else round(self.value / self.yardstick, 3)

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "yardstick": None if self.yardstick is None else round(self.yardstick, 3),
            "yardstick_name": self.yardstick_name,
            "ratio": self.ratio,
            "goal": self.goal,
            "ok": self.ok,
        }


def at_most(figure: Figure, limit: float, *, by_ratio: bool = False) -> Figure:
    measured = figure.ratio if by_ratio else figure.value
    figure.goal = f"{'ratio' if by_ratio else figure.unit} <= {limit:g}"
    figure.ok = measured is not None and measured <= limit
    return figure


def at_least(figure: Figure, limit: float, *, by_ratio: bool = False) -> Figure:
    measured = figure.ratio if by_ratio else figure.value
    figure.goal = f"{'ratio' if by_ratio else figure.unit} >= {limit:g}"
    figure.ok = measured is not None and measured >= limit
    return figure


def machine() -> dict[str, object]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    model = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "postgresql": version,
        "load": round(os.getloadavg()[0], 2),
    }


def p95(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20)[-1] if len(samples) > 1 else samples[0]


def cpu_ms() -> float:
    """Processor time that this process and its database session have used so far. A server on another host, or one whose
    figures are not ours to read, is left out."""
    used = time.process_time() * 1000
    pid = connection.connection.info.backend_pid if connection.connection else 0
    with contextlib.suppress(OSError, ValueError):
        used += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
    return used


def interleaved(runs: dict[str, Callable[[], object]], *, times: int, warm_up: int = 3) -> dict[str, list[float]]:
    """Milliseconds of several runs taken in turns, so that a noisy neighbour hits all alike."""
    for run in runs.values():
        for _round in range(warm_up):
            run()
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for _round in range(times):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            samples[name].append((time.perf_counter() - started) * 1000)
    return samples


def work_of(runs: dict[str, Callable[[], object]], *, times: int) -> dict[str, float]:
    """Median milliseconds of processor time of each run: what is left of a figure when the neighbours' noise is gone."""
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for _round in range(times):
        for name, run in runs.items():
            started = cpu_ms()
            run()
            samples[name].append(cpu_ms() - started)
    return {name: statistics.median(values) for name, values in samples.items()}


@contextlib.contextmanager
def own_pages() -> Iterator[None]:
    """Pages can be asked for in this process: static files collected, a cache that no running site reads."""
    root = Path(settings.STATIC_ROOT)
    if "Manifest" in settings.STORAGES["staticfiles"]["BACKEND"]:
        with statics.collecting(root) as needed:
            if needed:
                call_command("collectstatic", verbosity=0, interactive=False)
    root.mkdir(parents=True, exist_ok=True)
    caches = {name: {**cache, "KEY_PREFIX": f"bench{os.getpid()}"} for name, cache in settings.CACHES.items()}
    freeze_gc()  # as the web process does
    with override_settings(CACHES=caches, ALLOWED_HOSTS=["testserver"]):
        yield


@contextlib.contextmanager
def own_database(name: str) -> Iterator[None]:
    """A fresh, migrated database beside the configured one, for as long as the benchmark runs."""
    original = settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"]
    database = f"bench_{name}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{database}"')
    _point_at(database)
    try:
        call_command("migrate", verbosity=0, interactive=False)
        yield
    finally:
        _point_at(original)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def _point_at(database: str) -> None:
    connections.close_all()
    settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] = database
    connection.settings_dict["NAME"] = database


def say(text: str) -> None:
    """What a benchmark does right now, for whoever waits: on stderr, so that `--json` stays JSON."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.in_atomic_block else "VACUUM ANALYZE")


def in_a_process(work: Callable[[], None]) -> tuple[float, int]:
    """Seconds of a forked child, and how many bytes it grew at its most."""
    connections.close_all()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            started = time.perf_counter()
            work()
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
            os.write(tell, struct.pack(">dq", time.perf_counter() - started, grown))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(tell)
    try:
        answer = os.read(told, 16)
    finally:
        os.close(told)
        os.waitpid(child, 0)
    if len(answer) != 16:
        raise RuntimeError("a process of the benchmark failed; its traceback is above")
    seconds, grown = struct.unpack(">dq", answer)
    return seconds, grown


def in_processes(count: int, work: Callable[[int], None]) -> float:
    """`work(0)`, `work(1)` … at the same time, a process each with a connection of its own; the seconds from the moment
    when all of them are ready. Raises when one fails."""
    connections.close_all()
    ready, go = os.pipe(), os.pipe()
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(go[1])
                try:
                    connection.ensure_connection()
                finally:
                    os.write(ready[1], b".")
                os.read(go[0], 1)
                work(number)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    for _child in children:
        os.read(ready[0], 1)
    started = time.perf_counter()
    for end in (*ready, *go):
        os.close(end)  # the end of the pipe is the sign to start
    codes = [os.waitpid(child, 0)[1] for child in children]
    spent = time.perf_counter() - started
    if any(codes):
        raise RuntimeError("a process of the benchmark failed; its traceback is above")
    return spent
