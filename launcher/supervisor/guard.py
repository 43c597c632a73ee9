"""The guard: a small process that outlives the supervisor by a moment and stops what a killed one left behind.

It waits on a pipe whose other end only the supervisor holds. After a clean stop a word comes through it, and the guard
goes. When the pipe closes without a word, the guard ends every process that bears the instance's mark (a worker's
children may have left its process group) and the embedded servers. Until then it keeps the lock of `var/`.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

from launcher import devdb
from launcher.supervisor.plan import INSTANCE_MARK

GRACE_SECONDS = 8
CLEAN = b"c"


def start(instance: str, var_dir: Path, *, stop_servers: bool) -> int:
    """Forks the guard; returns the descriptor that keeps it waiting. Call before the first thread starts."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(reading)
        os.set_inheritable(writing, False)
        return writing
    try:
        os.close(writing)
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _let_go_of_the_terminal()
        if os.read(reading, 1) != CLEAN:
            end_marked(instance)
            if stop_servers:
                devdb.stop(var_dir)
    finally:
        os._exit(0)


def dismiss(leash: int) -> None:
    """After a clean stop: the guard has nothing to do."""
    with contextlib.suppress(OSError):
        os.write(leash, CLEAN)
    os.close(leash)


def _let_go_of_the_terminal() -> None:
    """Whoever reads our output must not wait for the guard."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def marked(instance: str) -> list[int]:
    """List the living processes of this instance, without ourselves and the supervisor (which bear no mark)."""
    mark = f"{INSTANCE_MARK}={instance}".encode()
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            alive = b"\nState:\tZ" not in (process / "status").read_bytes()
            if alive and mark in (process / "environ").read_bytes().split(b"\0"):
                pids.append(int(process.name))
    return pids


def end_marked(instance: str, grace_seconds: float = GRACE_SECONDS) -> list[int]:
    """Asks every process of the instance to stop, waits, then insists. Returns those that had to be killed."""
    _signal(marked(instance), signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline:
        if not marked(instance):
            return []
        time.sleep(0.1)
    stubborn = marked(instance)
    _signal(stubborn, signal.SIGKILL)
    return stubborn


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
