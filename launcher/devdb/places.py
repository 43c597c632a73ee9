"""Where the servers keep their data and sockets, who PostgreSQL runs as, and the secrets made on first use."""

import contextlib
import hashlib
import os
import pwd
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

ROLE = DATABASE = "keelson"
APP_ROLE = "keelson_app"  # what running processes log in as: see crm.security.database_role
# sockaddr_un.sun_path holds 108 bytes on Linux, 104 elsewhere, with its closing zero.
SOCKET_PATH_BYTES_MAX = 103
POSTGRES_SOCKET = ".s.PGSQL.5432"


class DevServerError(RuntimeError):
    """A server can't be started; the message says why and what to do."""


@dataclass(frozen=True)
class Runner:
    """The user that PostgreSQL runs as: ourselves, or somebody unprivileged when we are root."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    def popen_arguments(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}

    def can_enter(self, directory: Path) -> bool:
        """Tell whether this user may walk down to `directory`, which may not exist yet; access lists are not looked at."""
        if self.uid == 0:
            return True
        for part in [*reversed(directory.parents), directory]:
            try:
                info = part.stat()
            except FileNotFoundError:
                return True
            except PermissionError:
                return False
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
        """Make `directory` this user's own and closed to others."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        if self.is_other:
            os.chown(directory, self.uid, self.gid)


def owner(var_dir: Path) -> Runner:
    """Find the owner of `var/`: root works in somebody's `var/` as that user, or they could not start Keelson again."""
    if os.geteuid() == 0:
        with contextlib.suppress(FileNotFoundError):
            info = var_dir.stat()
            return Runner(info.st_uid, info.st_gid)
    return Runner(os.geteuid(), os.getegid())


def postgres_runner(var_dir: Path) -> Runner:
    """Ourselves, or `nobody` when we are root, because PostgreSQL refuses root. No user is created."""
    who = owner(var_dir)
    if who.uid != 0:
        return who
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Runner(65534, 65534)
    return Runner(entry.pw_uid, entry.pw_gid)


def digest(var_dir: Path) -> str:
    """Shorten the path of `var/` to twelve hex digits, for names outside of it."""
    return hashlib.sha256(str(var_dir.resolve()).encode()).hexdigest()[:12]


def data_dir(var_dir: Path) -> Path:
    """PostgreSQL's data: under `var/`, or where `var/pg.elsewhere` remembers that it had to go."""
    try:
        return Path((var_dir / "pg.elsewhere").read_text().strip())
    except (FileNotFoundError, PermissionError):
        return var_dir.resolve() / "pg"


def choose_data_dir(var_dir: Path, runner: Runner) -> Path:
    """Choose the data directory, outside of `var/` (and remembered) when the runner may not enter `var/`."""
    directory = data_dir(var_dir)
    if not runner.is_other or runner.can_enter(directory.parent):
        return directory
    directory = elsewhere(var_dir, runner) / "pg"
    (var_dir / "pg.elsewhere").write_text(f"{directory}\n")
    return directory


def keep_data_in(var_dir: Path, folder: Path) -> None:
    """Keep PostgreSQL's data of this `var/` in another folder, such as one in memory, unless there is data already."""
    if not (data_dir(var_dir) / "PG_VERSION").exists():
        (var_dir / "pg.elsewhere").write_text(f"{folder / 'pg'}\n")


def elsewhere(var_dir: Path, runner: Runner) -> Path:
    """Make a directory of root's that the runner can reach, when `var/` or the virtual environment is closed to it."""
    for parent in (Path("/var/lib/keelson"), Path("/var/tmp/keelson")):  # noqa: S108 - root's own, checked
        with contextlib.suppress(OSError):
            parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if parent.lstat().st_uid == os.geteuid() and not parent.is_symlink() and runner.can_enter(parent):
                directory = parent / digest(var_dir)
                directory.mkdir(mode=0o755, exist_ok=True)
                return directory
    raise DevServerError(
        f"PostgreSQL does not run as root, and user id {runner.uid} may not enter {var_dir}. "
        "Set KEELSON_VAR to a directory that every user may walk to, such as /srv/keelson/var."
    )


def run_dir(var_dir: Path) -> Path:
    """Choose the sockets' directory: `var/run`, or a short one under /tmp when that is too long or closed to the runner."""
    inside = var_dir.resolve() / "run"
    fits = len(os.fsencode(inside / "pg" / POSTGRES_SOCKET)) <= SOCKET_PATH_BYTES_MAX
    if fits and postgres_runner(var_dir).can_enter(inside.parent):
        return inside
    return Path("/tmp") / f"keelson-{digest(var_dir)}"  # noqa: S108 - its owner and mode are checked before use


def prepare_run_dir(var_dir: Path, runner: Runner) -> Path:
    """Make the directory of the sockets, and refuse one that somebody else put in its place."""
    directory = run_dir(var_dir)
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    if directory.lstat().st_uid == os.geteuid():
        give_to_owner(directory, var_dir)
    info = directory.lstat()
    if stat.S_ISLNK(info.st_mode) or info.st_uid not in {os.geteuid(), runner.uid, 0} or info.st_mode & 0o022:
        raise DevServerError(
            f"{directory} belongs to somebody else or is open to others to write, so no socket can be put there. "
            f"Remove it, or choose a KEELSON_VAR that is shorter than {var_dir}."
        )
    runner.own(directory / "pg")
    return directory


def give_to_owner(path: Path, var_dir: Path) -> None:
    """Hand a file that root made to the owner of `var/`."""
    who = owner(var_dir)
    if who.is_other:
        os.chown(path, who.uid, who.gid, follow_symlinks=False)


def database_url(var_dir: Path, name: str = DATABASE, role: str = ROLE) -> str:
    """Build the URL of the embedded PostgreSQL of this `var/`, whether it runs or not."""
    return f"postgresql://{role}@/{name}?host={run_dir(var_dir) / 'pg'}"


def redis_url(var_dir: Path, db: int = 0) -> str:
    """Build the URL of the embedded Redis of this `var/`, whether it runs or not."""
    return f"unix://{run_dir(var_dir) / 'redis.sock'}?db={db}"


def numbered_redis_url(url: str, more: int) -> str:
    """Raise the database number in a Redis URL by `more`."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        query = dict(parse_qsl(parts.query))
        query["db"] = str(int(query.get("db", 0)) + more)
        return f"unix://{parts.netloc}{parts.path}?{urlencode(query)}"
    number = int(parts.path.strip("/") or 0) + more
    return urlunsplit(parts._replace(path=f"/{number}"))


def check_writable(var_dir: Path) -> None:
    """Require a `var/` that this user can work in. Raises: DevServerError, for instance because root started Keelson before."""
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DevServerError(f"{var_dir} can't be made ({error.strerror}). Set KEELSON_VAR to a directory you own.")
    if not os.access(var_dir, os.W_OK | os.X_OK):
        owner = var_dir.stat().st_uid
        raise DevServerError(
            f"{var_dir} belongs to user id {owner}, and you are {os.geteuid()}. "
            "Run Keelson as that user, or set KEELSON_VAR to a directory of your own."
        )


def secret(var_dir: Path, name: str) -> str:
    """64 hex characters, made once and kept in `var/secrets/<name>` for the owner's eyes only."""
    path = var_dir / "secrets" / name
    if path.exists():
        return path.read_text().strip()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)  # the first of two writers wins, and both read what it wrote
    draft.unlink()
    return path.read_text().strip()
