"""Test runs that share one pair of servers: each process leases a slot, and the last one out stops the servers."""

import atexit
import fcntl
from io import TextIOWrapper
from pathlib import Path

from launcher.devdb.places import DevServerError
from launcher.devdb.postgres import stop_postgres
from launcher.devdb.redis import REDIS_DATABASES, stop_redis

# Open, locked files: a lease ends with its process, however that ends.
_slots: list[TextIOWrapper] = []
_uses: dict[Path, TextIOWrapper] = {}


def lease_slot(var_dir: Path) -> int:
    """Take a number from 1 that no other living process of this `var/` holds: its database and its Redis number."""
    directory = var_dir / "slots"
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(1, REDIS_DATABASES):
        file = (directory / str(number)).open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        _slots.append(file)
        atexit.register(file.close)
        return number
    raise DevServerError(f"{REDIS_DATABASES - 1} test processes already run on {var_dir}.")


def use(var_dir: Path) -> None:
    """Says that this process needs the servers, so that `stop_when_unused` in another leaves them running."""
    if var_dir in _uses:
        return
    var_dir.mkdir(parents=True, exist_ok=True)
    _uses[var_dir] = (var_dir / "in-use").open("a")
    fcntl.flock(_uses[var_dir], fcntl.LOCK_SH)


def stop_when_unused(var_dir: Path) -> None:
    """End this process's `use`; the last one stops the servers."""
    if var_dir in _uses:
        _uses.pop(var_dir).close()
    with (var_dir / "in-use").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        stop_redis(var_dir)
        stop_postgres(var_dir)
