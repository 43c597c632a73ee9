"""What a long-lived process does once it has loaded everything."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Final

from django.apps import apps
from django.urls import get_resolver

from crm.project.appbase import KeelsonAppConfig

# Libraries that one act in a hundred needs. The functions that use them import them, so that a start doesn't wait for them;
# servers and workers load them before they fork.
LATE: Final = (
    "anymail.exceptions",
    "maxminddb",
    "phonenumbers",
    "pikepdf",
    "requests",
    "schwifty",
    "twilio.rest",
    "xlsxwriter",
)


def freeze_gc(*, pages: bool = True) -> None:
    """Load everything and leave it out of garbage collection, which then runs less often.

    A full collection walks half a million objects that never go: a tenth of a second in the middle of somebody's page.
    Before a fork it also keeps the memory of the processes shared (https://docs.python.org/3/library/gc.html#gc.freeze).
    """
    load_all(pages=pages)
    gc.unfreeze()  # garbage of the start, frozen with what stays
    gc.collect()
    gc.freeze()


def load_all(*, pages: bool = True) -> None:
    """Load all pages' modules and what a first use would wait for; garbage is looked for less often from then on."""
    if pages:
        _all_pages = get_resolver().url_patterns  # reading them imports the views
    warm_up()
    gc.set_threshold(20_000, 20, 5)


def warm_up() -> None:
    """Load the late libraries and every app's tables, which the first use would wait for; commands that end soon don't."""
    for library in LATE:
        import_module(library)
    for config in apps.get_app_configs():
        if isinstance(config, KeelsonAppConfig):
            config.warm_up()
