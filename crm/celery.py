"""The Celery application. Each app's `tasks.py` may hold a SCHEDULE that beat runs."""

import os
from importlib import import_module
from importlib.util import find_spec

from celery import Celery
from celery.signals import beat_init, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings.dev")
app = Celery("keelson")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def gather_schedules(sender: Celery, **_kwargs: object) -> None:
    """Add every app's SCHEDULE to what beat runs."""
    from django.conf import settings

    for name in settings.KEELSON_APPS:
        if find_spec(f"{name}.tasks"):
            sender.conf.beat_schedule.update(getattr(import_module(f"{name}.tasks"), "SCHEDULE", {}))


@worker_init.connect
def settle_before_forking(**_kwargs: object) -> None:
    """Freeze the loaded tasks: the worker's processes share their memory, and no collection walks it during a task."""
    from crm.project.memory import freeze_gc

    freeze_gc(pages=False)


@beat_init.connect
def go_on_without_broker(**_kwargs: object) -> None:
    """Start the thread that keeps the most important work going while the broker is away."""
    from crm.queue import without_broker

    without_broker.start()
