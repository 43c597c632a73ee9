"""Wakes a worker for one of this app's tasks. A broker that is away loses nothing: beat polls the rows."""

from __future__ import annotations

import logging

from django.db import transaction

logger = logging.getLogger(__name__)


def wake_on_commit(task: str, *arguments: int, seconds: float = 0) -> None:
    """Ask for a task when the transaction commits; without one, now."""
    transaction.on_commit(lambda: _wake(task, arguments, seconds))


def _wake(task: str, arguments: tuple[int, ...], seconds: float) -> None:
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    from wallet import tasks

    try:
        getattr(tasks, task).apply_async(arguments, countdown=seconds or None, retry=False)
    except (OperationalError, RedisError, OSError):
        logger.warning("the broker is away; beat will run %s%r", task, arguments)
