"""The demo at its smallest scale as a database to be cloned: `manage.py load_demo` once, for all tests that walk through it.

A test asks for it by the fixture `demo_world` (`tests/peopled.py`) and finds the rows, and the files that belong to them. It is
made anew when the code changes, and every few hours: a demo is of today.
"""

import fcntl
import gc
import shutil
import time
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from tests import database

SCALE = "0.02"
HOURS_KEPT = 6
OTHERS_KEPT = 1  # another run, of other code, may just be cloning it
PREFIX = "demo_"


def template_name() -> str:
    return f"{PREFIX}{database.template_name().removeprefix('template_')}_{int(time.time() / 3600 / HOURS_KEPT)}"


def files_of(name: str) -> Path:
    return Path(settings.VAR_DIR) / name


def ensure_template() -> str:
    """Its name, once it is there; whoever comes second waits for whoever makes it."""
    bare = database.ensure_template()
    name = template_name()
    with (settings.VAR_DIR / "demo.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if name not in _existing():
            _build(name, bare)
    return name


def put_files(name: str) -> None:
    """The documents, evidence and stories for the sandboxes that the rows name, where this test process keeps its files."""
    shutil.copytree(files_of(name), settings.PRIVATE_DIR, dirs_exist_ok=True)


def _existing() -> list[str]:
    with database.server() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid DESC", [rf"{PREFIX[:-1]}\_%"]
        )
        return [row[0] for row in cursor.fetchall()]


def _build(name: str, bare: str) -> None:
    draft = f"draft_{name}"
    shutil.rmtree(files_of(name), ignore_errors=True)  # of a draft that was never finished
    for old in _existing()[OTHERS_KEPT:]:
        _drop(old)
    database.clone_database(bare, draft)
    files = files_of(name)
    thresholds = gc.get_threshold()
    where = {
        "PRIVATE_DIR": files,
        "MEDIA_ROOT": files / "media",
        "ERASURE_REGISTER": files / "erasures.jsonl",
        "SANDBOX_IMPORTS": files / "sandbox",
    }
    with database.pointed_at(draft), override_settings(**where):
        call_command("load_demo", "--scale", SCALE, stdout=StringIO())
    gc.set_threshold(*thresholds)
    with database.server() as cursor:
        cursor.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')


def _drop(name: str) -> None:
    with database.server() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    shutil.rmtree(files_of(name), ignore_errors=True)
