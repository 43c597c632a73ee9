"""For tests that start Keelson as another process, perhaps as another user."""

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from crm.devdb.places import Runner

ROOT = Path(__file__).resolve().parent.parent.parent
# Names an instance or a test's own servers: a process started here must find none of it.
FORGOTTEN = {"DATABASE_URL", "REDIS_URL", "KEELSON_VAR", "KEELSON_TEST_SLOT", "DJANGO_SETTINGS_MODULE", "PYTHONPATH"}


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


def ordinary_user() -> Runner:
    """Somebody who is not root: ourselves, or the first named user of the system's own."""
    if os.geteuid() != 0:
        return Runner(os.geteuid(), os.getegid())
    entry = next(entry for entry in pwd.getpwall() if 0 < entry.pw_uid < 65534)
    return Runner(entry.pw_uid, entry.pw_gid)


def python_for(runner: Runner) -> tuple[list[str], dict[str, str]]:
    """An interpreter this user can run, with this project's packages: root's own may be in root's closed home."""
    site_packages = next(path for path in sys.path if path.endswith("site-packages"))
    for candidate in (sys.executable, "/usr/bin/python3.11", "/usr/local/bin/python3.11"):
        path = Path(candidate)
        if (
            path.exists()
            and os.access(path, os.X_OK)
            and runner.can_enter(path.resolve().parent)
            and runner.can_enter(Path(site_packages))
        ):
            return [candidate], {"PYTHONPATH": os.pathsep.join([str(ROOT), site_packages, _missing_packages()])}
    pytest.fail(f"user id {runner.uid} can't enter {sys.executable}, and there is no python3.11 of the system")


def _missing_packages() -> str:
    """redis-py wants `async_timeout` before Python 3.11.3, and a newer Python's environment does not have it."""
    directory = Path(tempfile.gettempdir()) / f"keelson-tests-{os.geteuid()}"
    directory.mkdir(mode=0o755, exist_ok=True)
    (directory / "async_timeout.py").write_text("from asyncio import timeout\n")
    return str(directory)


def run(runner: Runner, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs this Python with `arguments` as that user."""
    python, paths = python_for(runner)
    return subprocess.run(
        [*python, *arguments],
        env=environment(**paths, **more),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        **runner.popen_arguments(),
    )
