"""Few children at once, counted over all processes that share KEELSON_VAR: a slot is a locked file."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

LOOK_SECONDS = 0.02


@contextlib.contextmanager
def slot(pool: str, *, wait_seconds: float) -> Iterator[bool]:
    """Hold a slot of the pool; yields False when none came free in time. The kernel frees it if this process dies."""
    folder = Path(settings.VAR_DIR) / "run" / "parsing"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + wait_seconds
    held = _free_slot(folder, pool)
    while held is None and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        held = _free_slot(folder, pool)
    try:
        yield held is not None
    finally:
        if held is not None:
            os.close(held)


def _free_slot(folder: Path, pool: str) -> int | None:
    for number in range(max(1, settings.PARSING_SLOTS)):
        handle = os.open(folder / f"{pool}-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
        else:
            return handle
    return None
