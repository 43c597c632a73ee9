"""Waking a worker for work whose rows are already there. A broker that is away loses nothing: beat polls the rows."""

from __future__ import annotations

import logging
import threading
import time
from importlib import import_module

from django.db import transaction

logger = logging.getLogger(__name__)


# After a failure nobody asks for so long: a request that meets a broker which hangs waits for it, and the next ones don't.
AWAY_SECONDS = 5.0
_away_until = 0.0


def expect_broker() -> None:
    """Ask again, whatever was found before."""
    global _away_until
    _away_until = 0.0


def enqueue(task: str, *arguments: int | str, seconds: float = 0) -> None:
    """Ask for a task of an app now, e.g. `enqueue("wallet.send_payout", 17)`; `seconds`: not before they have passed."""
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    global _away_until
    if time.monotonic() < _away_until:
        return  # beat's process works on due rows meanwhile (crm.queue.without_broker)
    app, _dot, name = task.partition(".")
    try:
        getattr(import_module(f"{app}.tasks"), name).apply_async(arguments, countdown=seconds or None, retry=False)
    except (OperationalError, RedisError, OSError):
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("the broker is away; beat will run %s%r", task, arguments)


def enqueue_on_commit(task: str, *arguments: int | str, seconds: float = 0) -> None:
    """Ask for a task when the transaction commits; without one, now."""
    transaction.on_commit(lambda: enqueue(task, *arguments, seconds=seconds))


BURST_SECONDS = 0.05
_last_enqueued: dict[str, float] = {}
_lock = threading.Lock()


def enqueue_soon_on_commit(task: str) -> None:
    """Ask for a task that does whatever is due, when the transaction commits: at once, and in a burst once per 50 ms.

    The last one of a burst is followed by a wake too. What a process that dies here leaves out, beat finds.
    """
    transaction.on_commit(lambda: _enqueue_soon(task))


def _enqueue_soon(task: str) -> None:
    with _lock:
        now, due = time.monotonic(), _last_enqueued.get(task, 0.0) + BURST_SECONDS
        if due > now + BURST_SECONDS:
            return  # one is on its way already, and comes after this
        _last_enqueued[task] = max(now, due)
    if due <= now:
        enqueue(task)
        return
    timer = threading.Timer(due - now, enqueue, [task])
    timer.daemon = True
    timer.start()
