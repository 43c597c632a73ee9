"""For tests that start Keelson as another process, perhaps as another user."""

import atexit
import functools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from launcher.devdb.places import Runner

ROOT = Path(__file__).resolve().parent.parent.parent
SITE_PACKAGES = Path(next(path for path in sys.path if path.endswith("site-packages"))).resolve()
# Names an instance or a test's own servers: a process started here must find none of it.
FORGOTTEN = {"DATABASE_URL", "REDIS_URL", "KEELSON_VAR", "KEELSON_TEST_SLOT", "DJANGO_SETTINGS_MODULE", "PYTHONPATH"}
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "var", ".*_cache", "node_modules")  # what is compiled comes along


@dataclass(frozen=True)
class Project:
    """The project as one user can run it."""

    root: Path
    python: str
    paths: dict[str, str]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


def ordinary_user() -> Runner:
    """Somebody who is not root: ourselves, or the first named user of the system's own."""
    if os.geteuid() != 0:
        return Runner(os.geteuid(), os.getegid())
    entry = next(entry for entry in pwd.getpwall() if 0 < entry.pw_uid < 65534)
    return Runner(entry.pw_uid, entry.pw_gid)


def project_for(runner: Runner) -> Project:
    """The project where this user may enter: root's clone, packages and Python may be in root's closed home."""
    root, packages = ROOT, SITE_PACKAGES
    if not (runner.can_enter(ROOT) and runner.can_enter(SITE_PACKAGES)):
        root, packages = _open_copy()
    for candidate in (sys.executable, "/usr/bin/python3.11", "/usr/local/bin/python3.11"):
        path = Path(candidate)
        if path.exists() and runner.can_enter(path.parent) and runner.can_enter(path.resolve().parent):
            places = [str(root), str(packages), _missing_packages()]
            return Project(root, candidate, {"PYTHONPATH": os.pathsep.join(places)})
    pytest.fail(f"user id {runner.uid} can't enter {sys.executable}, and there is no python3.11 of the system")


@functools.cache
def _open_copy() -> tuple[Path, Path]:
    """Project and packages, hard-linked where everybody may enter; gone when the tests end."""
    place = Path(tempfile.mkdtemp(prefix="keelson-open-", dir="/var/tmp"))
    place.chmod(0o755)
    atexit.register(shutil.rmtree, place, ignore_errors=True)

    def link(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:  # another file system
            shutil.copy2(source, target)

    shutil.copytree(ROOT, place / "keelson", ignore=NOT_COPIED, copy_function=link, symlinks=True)
    shutil.copytree(SITE_PACKAGES, place / "site-packages", copy_function=link, symlinks=True)
    return place / "keelson", place / "site-packages"


@functools.cache
def _missing_packages() -> str:
    """redis-py wants `async_timeout` before Python 3.11.3, and a newer Python's environment does not have it."""
    directory = Path(tempfile.mkdtemp(prefix="keelson-tests-"))
    directory.chmod(0o755)
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    (directory / "async_timeout.py").write_text("from asyncio import timeout\n")
    return str(directory)


def run(runner: Runner, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs this Python with `arguments` as that user."""
    project = project_for(runner)
    return subprocess.run(
        [project.python, *arguments],
        env=environment(**project.paths, **more),
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=120,
        **runner.popen_arguments(),
    )
