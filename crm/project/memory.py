"""What a long-lived process does once it has loaded everything."""

from __future__ import annotations

import gc

from django.apps import apps
from django.urls import get_resolver

from crm.project.appbase import KeelsonAppConfig


def freeze_gc(*, pages: bool = True) -> None:
    """Load all pages' modules and leave what is loaded out of garbage collection, which then runs less often.

    A full collection walks half a million objects that never go: a tenth of a second in the middle of somebody's page.
    Before a fork it also keeps the memory of the processes shared (https://docs.python.org/3/library/gc.html#gc.freeze).
    """
    if pages:
        _all_pages = get_resolver().url_patterns  # reading them imports the views
    warm_up()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 5)


def warm_up() -> None:
    """Let every app load the tables that its first use would wait for; commands that end soon don't."""
    for config in apps.get_app_configs():
        if isinstance(config, KeelsonAppConfig):
            config.warm_up()
