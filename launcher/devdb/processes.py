"""Starting a server in the background, knowing it again later, and stopping it."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from launcher.devdb.places import DevServerError, Runner, give_to_owner

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
LOG_BYTES_MAX = 10_000_000


@contextlib.contextmanager
def locked(var_dir: Path) -> Iterator[None]:
    """One process at a time starts servers for a `var/`."""
    with (var_dir / "devdb.lock").open("a") as file:
        give_to_owner(var_dir / "devdb.lock", var_dir)
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_alive(pid: int, *programs: str) -> bool:
    """Tell whether `pid` lives and is one of these programs: after a reboot another process may bear the number."""
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
    return "State:\tZ" not in status and any(program.encode() in command for program in programs)


def read_number(path: Path) -> int | None:
    """Read the number on the first line of a file; None where there is none."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(path.read_text().splitlines()[0])
    return None


def answers(path: Path) -> bool:
    """Tell whether somebody listens on this Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def log_file(var_dir: Path, name: str) -> Path:
    """Open the place of a server's log, with a large old one set aside."""
    directory = var_dir / "log"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.log"
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    path.touch()
    give_to_owner(directory, var_dir)
    give_to_owner(path, var_dir)
    return path


def environment() -> dict[str, str]:
    """Choose what a server sees of our environment: no PG* variable and no Python path, which would lead it astray."""
    memory = {name: os.environ[name] for name in ("GLIBC_TUNABLES",) if name in os.environ}
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": "/", **memory}


def spawn(command: list[str], log: Path, runner: Runner | None = None) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that a Ctrl-C meant for the command that needed it passes it by."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=environment(),
            start_new_session=True,
            umask=0o077,
            **(runner.popen_arguments() if runner else {}),
        )


def run_as(runner: Runner, command: list[str], log: Path, stdin: str = "") -> None:
    """Run a command as this user to its end, with its output in the log. Raises: DevServerError when it fails."""
    done = subprocess.run(
        command,
        input=stdin,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=environment(),
        umask=0o077,
        **runner.popen_arguments(),
    )
    with log.open("a") as file:
        file.write(done.stdout)
    if done.returncode:
        raise DevServerError(f"`{Path(command[0]).name}` failed:\n{done.stdout.strip()[-2000:]}")


def wait_until(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path, name: str) -> None:
    """Wait until the server is ready. Raises: DevServerError with the end of its log when it never will be."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DevServerError(f"{name} stopped while starting. The end of {log}:\n{_tail(log)}")
        if is_ready():
            process.returncode = 0  # it outlives us: without this Python warns when the object goes
            return
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise DevServerError(f"{name} did not answer within {START_SECONDS_MAX} s. The end of {log}:\n{_tail(log)}")


def _tail(path: Path, lines: int = 15) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def stop_process(find: Callable[[], int | None], first: signal.Signals, last: signal.Signals) -> None:
    """Asks with `first`, waits, insists with `last`."""
    for number in (first, last):
        pid = find()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # when it is our own child, so that it does not stay a zombie
            if find() is None:
                return
            time.sleep(0.02)
