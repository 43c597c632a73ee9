"""Starting a child for one file, and what its end means."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.files.parsing.slots import slot

logger = logging.getLogger(__name__)
FOLDER = Path(__file__).resolve().parent
# Isolated (-I): neither the environment nor the working directory decides what is imported.
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from child.run import main; main()"
MEGABYTE = 1024 * 1024
FACTS_BYTES_MAX = 32 * MEGABYTE


class Pool(StrEnum):
    """Who is waiting: a page, a job, or a document's checks, which take longest. None holds up the others."""

    PAGES = "pages"
    JOBS = "jobs"
    CHECKS = "checks"


@dataclass(frozen=True)
class Limits:
    """What one file may cost. memory_bytes: of address space; wall_seconds: until the child is killed."""

    memory_bytes: int = 768 * MEGABYTE
    cpu_seconds: int = 10
    wall_seconds: float = 20.0
    output_bytes: int = 64 * MEGABYTE
    wait_seconds: float = 20.0


@dataclass(frozen=True)
class Answer:
    """facts: what the operation found; content: the bytes it made; cost: the child's seconds of processor and peak bytes."""

    facts: dict[str, Any]
    content: bytes = b""
    cost: dict[str, float] = field(default_factory=dict)


class ParsingRefused(DomainError):
    """The file can't be opened within the limits, or is damaged. `code` says which; `values` are the operation's figures.

    Codes of every operation: `memory`, `time`, `output`, `crashed`, `damaged`; an operation may add its own.
    """

    code = "damaged"

    def __init__(self, code: str, values: dict[str, Any] | None = None) -> None:
        super().__init__(_words(code), code=code)
        self.values = values or {}


class ParsingBusy(DomainError):
    """All slots are taken by other files."""

    code = "busy"


def _words(code: str) -> str:
    if code in ("memory", "output"):
        return _(
            "This file expands to far more than its own size and was rejected. Save it again in the "
            "program that created it, or upload a smaller one."
        )
    if code == "time":
        return _(
            "This file takes too long to open and was rejected. Save it again in a simpler form, or "
            "upload a smaller one."
        )
    return _("This file is damaged and can't be opened. Save it again in the program that created it.")


def parse(
    operation: str, content: bytes | BinaryIO, *, limits: Limits | None = None, pool: Pool = Pool.PAGES, **options: Any
) -> Answer:
    """Run one operation on one file in a child. Raises: ParsingRefused, ParsingBusy."""
    limits = limits or Limits()
    with slot(pool, wait_seconds=limits.wait_seconds) as is_free:
        if not is_free:
            raise ParsingBusy(_("Too many files are being opened right now. Try again in a minute."))
        with _anonymous_file() as source, _anonymous_file() as target:
            _fill(source, content)
            _run(operation, source, target, limits, options)
            return _answer(operation, target)


@contextlib.contextmanager
def _anonymous_file() -> Iterator[BinaryIO]:
    """Open a nameless file that only this process and its child have: in memory where the system can do that."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("keelson-parsing", os.MFD_CLOEXEC), "w+b") as file:
            yield file
    else:
        with tempfile.TemporaryFile() as file:
            yield file


def _fill(source: BinaryIO, content: bytes | BinaryIO) -> None:
    if isinstance(content, bytes):
        source.write(content)
    else:
        content.seek(0)
        shutil.copyfileobj(content, source, MEGABYTE)
    source.flush()
    source.seek(0)


def _run(operation: str, source: BinaryIO, target: BinaryIO, limits: Limits, options: dict[str, Any]) -> None:
    """Let the child write its answer into `target`. Raises ParsingRefused for a child that was ended."""
    order = json.dumps({"operation": operation, "limits": asdict(limits), "options": options})
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    child = subprocess.Popen(
        [sys.executable, "-I", "-c", BOOT, str(FOLDER), order],
        stdin=source,
        stdout=target,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        env={**environment, "LC_ALL": "C.UTF-8", "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        status = child.wait(limits.wall_seconds)
    except subprocess.TimeoutExpired:
        raise _refused(operation, "time") from None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _refused(operation, "time")
    if status:
        # A library that finds no memory ends its process; so does one that a broken file leads astray.
        raise _refused(operation, "memory" if status == -signal.SIGABRT else "crashed")


def _answer(operation: str, target: BinaryIO) -> Answer:
    target.seek(0)
    try:
        head = json.loads(target.readline(FACTS_BYTES_MAX))
    except ValueError:
        raise _refused(operation, "crashed") from None
    if "refused" in head:
        raise _refused(operation, str(head["refused"]), head.get("values"), str(head.get("error", "")))
    return Answer(head["facts"], target.read(), head.get("cost", {}))


def _refused(operation: str, code: str, values: dict[str, Any] | None = None, error: str = "") -> ParsingRefused:
    logger.info("parsing %s refused a file: %s %s", operation, code, error[:200])
    return ParsingRefused(code, values)
