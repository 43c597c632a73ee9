"""Waking a worker for work whose rows are already there. A broker that is away loses nothing: beat polls the rows."""

from __future__ import annotations

import logging
from importlib import import_module

from django.db import transaction

logger = logging.getLogger(__name__)


def wake(task: str, *arguments: int, seconds: float = 0) -> None:
    """Ask for a task of an app now, e.g. `wake("wallet.send_payout", 17)`; `seconds`: not before they have passed."""
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    app, _dot, name = task.partition(".")
    try:
        getattr(import_module(f"{app}.tasks"), name).apply_async(arguments, countdown=seconds or None, retry=False)
    except (OperationalError, RedisError, OSError):
        logger.warning("the broker is away; beat will run %s%r", task, arguments)


def wake_on_commit(task: str, *arguments: int, seconds: float = 0) -> None:
    """Ask for a task when the transaction commits; without one, now."""
    transaction.on_commit(lambda: wake(task, *arguments, seconds=seconds))
