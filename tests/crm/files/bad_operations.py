"""What a child may be made to do by a file; run in the prepared child by `test_prepared_child.py`."""

from __future__ import annotations

import os
import resource
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Answer = tuple[dict[str, Any], bytes]
SEEN: list[int] = []


def warm_up() -> None:
    """Nothing to load."""


def measure(contents: Sequence[bytes]) -> Answer:
    SEEN.append(len(contents[0]))
    return {"sizes": [len(content) for content in contents], "seen": len(SEEN), "pid": os.getpid()}, contents[0][:3]


def hang(_contents: Sequence[bytes]) -> Answer:
    time.sleep(60)
    return {}, b""


def spin(_contents: Sequence[bytes]) -> Answer:
    while True:
        pass


def swallow(_contents: Sequence[bytes]) -> Answer:
    return {"size": len(bytearray(8 * 1024**3))}, b""


def crash(_contents: Sequence[bytes]) -> Answer:
    os._exit(3)


def overflow(_contents: Sequence[bytes]) -> Answer:
    return {}, b"x" * 4_000_000


def reach_out(_contents: Sequence[bytes], *, secret: str) -> Answer:
    """Try what nobody's file should be able to: a network, a secret, a program, the parent's pipe."""
    tried: dict[str, str] = {}
    for name, work in (
        ("network", lambda: socket.create_connection(("127.0.0.1", 9))),
        ("file", lambda: Path(secret).read_text()),
        ("program", lambda: os.execv("/bin/true", ["true"])),
    ):
        try:
            work()
            tried[name] = "done"
        except OSError as error:
            tried[name] = type(error).__name__
    os.write(1, b'{"refused": "", "bytes": 0}\n')
    return {
        "tried": tried,
        "environment": sorted(os.environ),
        "modules": [
            name for name in ("django.db.backends.postgresql.base", "psycopg", "celery") if name in sys.modules
        ],
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }, b""


OPERATIONS = {
    "measure": measure,
    "hang": hang,
    "spin": spin,
    "swallow": swallow,
    "crash": crash,
    "overflow": overflow,
    "reach_out": reach_out,
}
