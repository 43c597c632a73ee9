"""Work goes on while the broker is away: due rows are worked on in beat's process, by threads that need no Redis.

Workers hear of work through Redis, and stand still without it; they come back half a minute after it does. What must not wait so
long (webhooks that were stored, events, money under way) is in rows that any process may take: every such task may run twice.
An app names its own in `WITHOUT_BROKER` of its `tasks.py`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import redis
from django.conf import settings
from django.db import connections

logger = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
PING_SECONDS = 1.0
# Workers try to reconnect less and less often: that long after the broker's return they are at work again.
RECONNECT_SECONDS = 45.0


class Fallback:
    """Watches the broker, and does what is due while it is away and shortly after."""

    def __init__(self, tasks: dict[str, Callable[[], Any]], *, redis_url: str) -> None:
        self.tasks = tasks
        self.redis_url = redis_url
        self.needed_until = 0.0
        self._running: dict[str, threading.Thread] = {}

    def watch(self) -> None:
        while True:
            self.look()
            time.sleep(LOOK_SECONDS)

    def look(self) -> bool:
        """Look once; returns whether work is done here."""
        now = time.monotonic()
        if not self._broker_answers():
            if now > self.needed_until:
                logger.warning("the broker is away: due rows are worked on without it")
            self.needed_until = now + RECONNECT_SECONDS
        if now > self.needed_until:
            return False
        for name, task in self.tasks.items():
            if name not in self._running or not self._running[name].is_alive():
                self._running[name] = threading.Thread(target=_run, args=[name, task], daemon=True)
                self._running[name].start()
        return True

    def _broker_answers(self) -> bool:
        client = redis.from_url(self.redis_url, socket_timeout=PING_SECONDS, socket_connect_timeout=PING_SECONDS)
        try:
            return bool(client.ping())
        except (redis.RedisError, OSError):
            return False
        finally:
            client.close()


def _run(name: str, task: Callable[[], Any]) -> None:
    try:
        task()
    except Exception:
        logger.exception("%s failed; it is tried again", name)
    finally:
        connections.close_all()


def due_tasks() -> dict[str, Callable[[], Any]]:
    """Collect what apps run even while the broker is away: `"wallet.continue_work"` and the function."""
    tasks: dict[str, Callable[[], Any]] = {}
    for app in settings.KEELSON_APPS:
        if find_spec(f"{app}.tasks"):
            module = import_module(f"{app}.tasks")
            tasks |= {f"{app}.{name}": getattr(module, name) for name in getattr(module, "WITHOUT_BROKER", ())}
    return tasks


def start() -> threading.Thread:
    """Start the fallback in the process of beat, of which there is exactly one."""
    thread = threading.Thread(target=Fallback(due_tasks(), redis_url=settings.REDIS_URL).watch, daemon=True)
    thread.start()
    return thread
