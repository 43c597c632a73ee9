"""The Celery application. Each app's `tasks.py` may hold a SCHEDULE that beat runs."""

import os
from importlib import import_module
from importlib.util import find_spec

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings.dev")
app = Celery("keelson")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def gather_schedules(sender: Celery, **_kwargs: object) -> None:
    from django.conf import settings

    for name in settings.KEELSON_APPS:
        if find_spec(f"{name}.tasks"):
            sender.conf.beat_schedule.update(getattr(import_module(f"{name}.tasks"), "SCHEDULE", {}))
