"""The Celery application. Each app's `tasks.py` may hold a SCHEDULE that beat runs."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec

from celery import Celery, Task
from celery.signals import beat_init, task_postrun, task_prerun, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings.dev")
app = Celery("keelson")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery would close the database's connection before and after every task, whatever CONN_MAX_AGE: see `keep_connection`.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize


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


@task_prerun.connect
@task_postrun.connect
def keep_connection(sender: Task, **_kwargs: object) -> None:
    """Close a connection that is too old or broken, and keep any other for the next task, as a web server does for a request."""
    from django.db import close_old_connections

    if not sender.request.is_eager:
        close_old_connections()


@beat_init.connect
def go_on_without_broker(**_kwargs: object) -> None:
    """Start the thread that keeps the most important work going while the broker is away."""
    from crm.queue import without_broker

    without_broker.start()
