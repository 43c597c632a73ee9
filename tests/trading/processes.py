"""The processes between a platform and an open page, as they run in production: beat, a worker, the live server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from trading.models import SyncCursor, TradingServer

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 180
CELERY = [sys.executable, "-m", "celery", "--quiet", "-A", "crm"]
WORKER = [*CELERY, "worker", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(command: list[str], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    more = {"PYTHONWARNINGS": "ignore", **environment}
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **more}, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


@contextmanager
def live_server_process(*, port: int, base_url: str) -> Iterator[str]:
    """The process that open pages listen to; its address."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "crm.asgi:application",
        "--port",
        str(port),
        "--log-level",
        "error",
        "--lifespan",
        "off",
    ]
    address = f"http://localhost:{port}"
    with _process(command, KEELSON_BASE_URL=base_url, KEELSON_LIVE_URL=address):
        _wait(lambda: _answers(f"{address}/live/"), "the live process did not start")
        yield address


@contextmanager
def worker_and_beat(folder: Path) -> Iterator[None]:
    """What does what is due: beat, and the worker of events and of accounts' money."""
    name = f"two-seconds-{os.getpid()}@%h"
    with (
        _process([*WORKER, "--pool", "prefork", "-c", "2", "-Q", "events,default", "-n", f"worker-{name}"]),
        _process([*CELERY, "beat", "--loglevel", "ERROR", "--schedule", str(folder / "beat"), "--pidfile="]),
    ):
        yield


@contextmanager
def readers(server: TradingServer, folder: Path) -> Iterator[None]:
    """Beat and the workers, waited for until they read this server's deals."""
    sync = [*WORKER, "--pool", "threads", "-c", "4", "-Q", "sync", "-n", f"sync-two-seconds-{os.getpid()}@%h"]
    with _process(sync), worker_and_beat(folder):
        started = time.time()
        _wait(lambda: _was_read(server, started), "the worker did not read the server")
        yield


def _was_read(server: TradingServer, since: float) -> bool:
    cursor = SyncCursor.objects.filter(server=server, kind="deals", read_at__isnull=False).first()
    return cursor is not None and cursor.read_at is not None and cursor.read_at.timestamp() > since


def _answers(address: str) -> bool:
    try:
        httpx.get(address, timeout=5)
    except httpx.HTTPError:
        return False
    return True


def _wait(done: object, otherwise: str) -> None:
    assert callable(done)
    deadline = time.monotonic() + START_SECONDS
    while not done():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.2)
