"""Wakes a worker for one of this app's tasks. A broker that is away loses nothing: beat polls the rows."""

from __future__ import annotations

import logging

logger = logging.getLogger(__name__)


def wake(task: str, *arguments: int, seconds: float = 0) -> None:
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    from trading import tasks

    try:
        getattr(tasks, task).apply_async(arguments, countdown=seconds or None, retry=False)
    except (OperationalError, RedisError, OSError):
        logger.warning("the broker is away; beat will run %s%r", task, arguments)
