"""A child that has its libraries loaded and forks for each file: for work whose libraries take longer to load than a file to read.

    READER = PreparedChild("kyc.examination.apart")     # the module: `warm_up()`, and `OPERATIONS` by name
    answer = READER.ask("examine", [content], limits=Limits(), kind="passport")

The child has no database, no keys and no network, and opens no file itself: the fork that does is confined as every child of
`crm.files.parsing`, answers once and ends, so that nothing of one file reaches the next. What a fork doesn't survive is
`ParsingRefused` here; a child that doesn't answer is ended and started again with the next file.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from crm.files.parsing.process import FACTS_BYTES_MAX, Answer, Limits, ParsingBusy, ParsingRefused, Pool
from crm.files.parsing.slots import slot

# `crm`'s own first module starts the whole project: the child gets an empty one in its place.
BOOT = """
import sys, types
crm = types.ModuleType("crm")
crm.__path__ = [sys.argv[1] + "/crm"]
sys.modules["crm"] = crm
sys.path.insert(0, sys.argv[1])
from crm.files.parsing.child.prepared import main
main(sys.argv[2])
"""
PASSED_ON = ("LD_LIBRARY_PATH", "KEELSON_TESSDATA")
logger = logging.getLogger(__name__)
START_SECONDS = 60.0
# Beyond the file's own time: for the fork and the way of the answer.
GRACE_SECONDS = 10.0


_parents: list[subprocess.Popen[bytes]] = []


class PreparedChild:
    """One child for each process that asks, started with the first file."""

    def __init__(self, module: str) -> None:
        self.module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, operation: str, contents: Sequence[bytes], *, limits: Limits, **options: Any) -> Answer:
        """Run one operation on one file, or the files that belong together, in a fork. Raises: ParsingRefused, ParsingBusy."""
        with slot(Pool.CHECKS, wait_seconds=limits.wait_seconds) as is_free:
            if not is_free:
                raise ParsingBusy(_("Too many files are being opened right now. Try again in a minute."))
            with self._lock:
                return self._ask(operation, contents, limits, options)

    def stop(self) -> None:
        """End the child; the next file starts another one."""
        with self._lock:
            self._end()

    def _ask(self, operation: str, contents: Sequence[bytes], limits: Limits, options: dict[str, Any]) -> Answer:
        order = {
            "operation": operation,
            "limits": asdict(limits),
            "options": options,
            "sizes": [len(content) for content in contents],
        }
        try:
            child = self._running()
            deadline = time.monotonic() + limits.wall_seconds + GRACE_SECONDS
            _write(child, b"".join([json.dumps(order).encode(), b"\n", *contents]), deadline)
            head = json.loads(_read_line(child, deadline))
            body = _read(child, int(head["bytes"]), deadline)
        except (OSError, ValueError, TimeoutError, EOFError) as problem:
            self._end()
            logger.warning("a child was ended: %r", problem)
            raise ParsingRefused("time" if isinstance(problem, TimeoutError) else "crashed") from problem
        if head["refused"]:
            logger.warning("a child ended with a file: %s, status %s", head["refused"], head.get("status"))
            raise ParsingRefused(str(head["refused"]))
        line, _end, content = body.partition(b"\n")
        try:
            facts = json.loads(line[:FACTS_BYTES_MAX])
        except ValueError:
            raise ParsingRefused("crashed") from None
        if "refused" in facts:
            logger.warning("a child gave up a file: %s %s", facts["refused"], facts.get("error", ""))
            raise ParsingRefused(str(facts["refused"]), facts.get("values"))
        return Answer(facts["facts"], content, facts.get("cost", {}))

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner != os.getpid():
            # This process was forked: the child is its parent's, and is neither asked nor ended here.
            _parents.append(self._process)
            self._process = None
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._process, self._owner = self._started(), os.getpid()
            atexit.unregister(self.stop)
            atexit.register(self.stop)
        return self._process

    def _started(self) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", BOOT, str(settings.BASE_DIR), self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            env={**environment, "LC_ALL": "C.UTF-8", "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        assert child.stdin is not None and child.stdout is not None
        os.set_blocking(child.stdin.fileno(), False)
        if _read_line(child, time.monotonic() + START_SECONDS) != b"ready":
            raise EOFError
        return child

    def _end(self) -> None:
        child, self._process = self._process, None
        if child is None or self._owner != os.getpid():
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # with the fork that it waits for
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _wait(handle: int, deadline: float, *, to_write: bool = False) -> None:
    left = deadline - time.monotonic()
    ready = select.select([] if to_write else [handle], [handle] if to_write else [], [], max(0.0, left))
    if not any(ready):
        raise TimeoutError


def _write(child: subprocess.Popen[bytes], content: bytes, deadline: float) -> None:
    assert child.stdin is not None
    handle, view = child.stdin.fileno(), memoryview(content)
    while view:
        _wait(handle, deadline, to_write=True)
        with contextlib.suppress(BlockingIOError):
            view = view[os.write(handle, view[: 1 << 16]) :]


def _read(child: subprocess.Popen[bytes], count: int, deadline: float) -> bytes:
    assert child.stdout is not None
    handle, parts = child.stdout.fileno(), []
    while count > 0:
        _wait(handle, deadline)
        part = os.read(handle, min(count, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _read_line(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Read a line byte by byte: nothing behind it is taken away from the answer that follows."""
    line = bytearray()
    while not line.endswith(b"\n"):
        line += _read(child, 1, deadline)
        if len(line) > 4096:
            raise ValueError("a head that long is none of ours")
    return bytes(line[:-1])
