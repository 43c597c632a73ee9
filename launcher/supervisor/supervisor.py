"""The supervisor: starts everything in order, watches it, and stops everything in reverse order."""

import contextlib
import fcntl
import http.client
import json
import os
import secrets
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import groupby
from pathlib import Path
from typing import NoReturn

from launcher import devdb
from launcher.supervisor import guard, ports, sandboxes, statics
from launcher.supervisor.plan import Child, Options, address, addresses, children, shared_environment
from launcher.supervisor.processes import Output, Running
from launcher.supervisor.statics import ROOT

TICK_SECONDS = 0.2
# Who waits has a slow or busy machine; what gives up ends the start earlier.
READY_SECONDS_MAX = 900
STOP_SECONDS_MAX = 12
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CannotStart(RuntimeError):
    """Keelson can't be started or kept running; the message says why and what to do."""


class StopAsked(Exception):
    """Somebody asked us to stop while we were still starting."""


class Supervisor:
    def __init__(self, options: Options) -> None:
        self.options = options.with_free_ports()
        self.instance = f"{os.getpid()}-{secrets.token_hex(6)}"
        self.environment = shared_environment(self.options, self.instance)
        # Machines read our standard output when it is JSON; people's lines then go to standard error.
        self.output = Output(sys.stderr if options.as_json else sys.stdout)
        self.running: list[Running] = []
        self.stop_signal: int | None = None
        self.parent = os.getppid()
        self.own_postgres = not os.environ.get("DATABASE_URL")
        self.own_redis = not os.environ.get("REDIS_URL")

    # --- life ---

    def run(self) -> int:
        """Run until asked to stop. Return the exit code: 0 after a clean stop, 1 when something could not run."""
        with _only_one(self.options):
            self._check_machine()
            self._check_ports()
            self._take_signals()
            leash = guard.start(self.instance, self.options.var_dir, stop_servers=self.own_postgres or self.own_redis)
            code = 1
            try:
                self._start_all()
                self._announce()
                self._watch()
            except StopAsked:
                code = 0
            except (CannotStart, devdb.DevServerError) as error:
                self.output.plain(f"\n{error}")
            finally:
                self._stop_all()
                guard.dismiss(leash)
            return code

    def _check_machine(self) -> None:
        shared = Path("/dev/shm")  # noqa: S108 - only looked at
        if shared.is_dir() and not os.access(shared, os.W_OK):
            raise CannotStart(
                f"{shared} is not writable for user id {os.geteuid()}, and the workers' locks live there. "
                "Ask for `mount -t tmpfs -o mode=1777 tmpfs /dev/shm` (a container: --shm-size=256m)."
            )

    def _check_ports(self) -> None:
        try:
            ports.check(self.options.bind, self.options.wanted_ports())
        except ports.PortTaken as error:
            raise CannotStart(str(error)) from error

    def _take_signals(self) -> None:
        for number in STOPPING:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        if self.stop_signal is not None:  # asked twice: no more patience
            for process in self.running:
                process.kill()
            return
        self.stop_signal = number

    # --- starting ---

    def _start_all(self) -> None:
        self._ensure_servers()
        (self.options.var_dir / "sandbox").mkdir(exist_ok=True)
        if self.options.runs("web"):
            self._prepare()
        for child in children(self.options):
            process = Running(child, self.environment, self.output)
            self.running.append(process)
            process.start()
        if self.options.runs("web"):
            self._wait_until_ready()

    def _prepare(self) -> None:
        """Collect static files, migrate and load the demo: once per start, on the machine that has the pages."""
        with statics.collecting(Path(self.environment["KEELSON_STATIC_ROOT"])) as needed:
            # The one needs the processor, the other mostly the disk; they know nothing of each other.
            static = (
                self._begin_managing("static", "collectstatic", "--noinput", "--verbosity", "0") if needed else None
            )
            self._manage("migrate", "migrate", "--noinput", "--verbosity", "0")
            if static:
                self._run_to_end(static)
        if self.options.demo:
            self._manage("demo", "load_demo", "--if-empty", "--scale", str(self.options.demo), in_terminal=True)

    def _manage(self, name: str, *arguments: str, in_terminal: bool = False) -> None:
        self._run_to_end(self._begin_managing(name, *arguments, in_terminal=in_terminal))

    def _ensure_servers(self) -> None:
        if self.own_postgres:
            devdb.ensure_postgres(self.options.var_dir, durable=self.options.durable)
        if self.own_redis:
            devdb.ensure_redis(self.options.var_dir)

    def _begin_managing(self, name: str, *arguments: str, in_terminal: bool = False) -> Running:
        child = Child(name, [sys.executable, str(ROOT / "manage.py"), *arguments], phase=0)
        process = Running(child, self.environment, self.output)
        self.running.append(process)
        process.start(in_terminal=in_terminal)
        return process

    def _run_to_end(self, process: Running) -> None:
        """Wait for a preparing command; its failure is ours."""
        while process.is_alive:
            self._stop_if_asked()
            time.sleep(0.05)
        process.finish_output()
        self.running.remove(process)
        assert process.process
        if process.process.returncode:
            lines = "\n".join(process.last_lines)
            raise CannotStart(f"`{' '.join(process.child.command[1:])}` failed.\n{lines}")

    def _wait_until_ready(self) -> None:
        """Wait until the pages answer. Raises: CannotStart when they don't, or the process behind them gave up."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.options.bind, self.options.bind)  # noqa: S104
        url = f"http://{address(host, self.options.port)}/healthz"
        answer = "none"
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            self._stop_if_asked()
            self._restart_the_fallen()
            answer = _answer(url)
            if answer == "200":
                return
            time.sleep(TICK_SECONDS)
        raise CannotStart(
            f"The pages did not get ready at {url} within {READY_SECONDS_MAX} s; the last answer was: {answer}. "
            "The lines above may say why."
        )

    def _stop_if_asked(self) -> None:
        if self.options.follows_parent and os.getppid() != self.parent:
            self.stop_signal = signal.SIGTERM
        if self.stop_signal is not None:
            raise StopAsked

    def _announce(self) -> None:
        options = self.options
        if options.as_json:
            sys.stdout.write(json.dumps(addresses(options, self.environment)) + "\n")
            sys.stdout.flush()
            return
        if options.demo:
            self._manage("demo", "demo_logins", in_terminal=True)
        lines = [f"Keelson runs at {options.public_base_url}  (Ctrl-C stops it; the data stays in {options.var_dir})"]
        found = {"psp": f"PSPs at {options.psp_url}", "screening": f"screening at {options.screening_url}"}
        found |= {server.name: f"{server.name} at {options.control_url(server)}" for server in sandboxes.SERVERS}
        present = [text for name, text in found.items() if name in options.sandboxes()]
        if present:
            lines.append(f"Sandbox: {', '.join(present)}")
        self.output.plain("\n" + "\n".join(lines) + "\n")
        if options.runs("web") and not options.demo:
            self._manage("set-up", "set_up_link", "--if-empty", in_terminal=True)

    # --- watching ---

    def _watch(self) -> NoReturn:
        while True:
            self._stop_if_asked()
            self._restart_the_fallen()
            self._watch_servers()
            time.sleep(TICK_SECONDS)

    def _restart_the_fallen(self) -> None:
        """Start again what ended unasked. Raises: CannotStart when something ends again and again."""
        for process in self.running:
            if process.process is None:
                if time.monotonic() >= process.start_again_at:
                    process.start()
            elif not process.is_alive and not process.note_end():
                lines = "\n".join(process.last_lines)
                raise CannotStart(f"`{process.name}` does not stay up, so Keelson stops. Its last lines:\n{lines}")

    def _watch_servers(self) -> None:
        var_dir = self.options.var_dir
        if self.own_postgres and devdb.postgres_pid(var_dir) is None:
            self.output.line("postgres", "it stopped; starting it again")
            devdb.ensure_postgres(var_dir, durable=self.options.durable)
        if self.own_redis and devdb.redis_pid(var_dir) is None:
            self.output.line("redis", "it stopped; starting it again")
            devdb.ensure_redis(var_dir)

    # --- stopping ---

    def _stop_all(self) -> None:
        """Stop in reverse order, phase by phase; within a phase all at once, so that stopping takes seconds."""
        if self.running:
            self.output.plain("Stopping …")
        last_first = sorted(self.running, key=lambda process: -process.child.phase)
        for _phase, group in groupby(last_first, key=lambda process: process.child.phase):
            self._stop_group(list(group))
        guard.end_marked(self.instance, grace_seconds=3)
        if self.own_redis:
            devdb.stop_redis(self.options.var_dir)
        if self.own_postgres:
            devdb.stop_postgres(self.options.var_dir)
        for process in self.running:
            process.finish_output()
        if self.running:
            self.output.plain("Stopped.")

    def _stop_group(self, group: list[Running]) -> None:
        for process in group:
            process.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while any(process.is_alive for process in group) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in group:
            if process.is_alive:
                self.output.line(process.name, f"did not stop within {STOP_SECONDS_MAX} s and was killed")
            process.kill()


def _answer(url: str) -> str:
    """Ask our own address and describe the answer: its status, or why there is none."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own address
            return str(response.status)
    except (OSError, http.client.HTTPException) as error:  # a status from 300 on is one of these too
        return str(error)


# --- one per var/ ---


def lock_file(var_dir: Path) -> Path:
    """Name the file that the running supervisor of this `var/` holds locked."""
    return var_dir / "supervisor.json"


@contextlib.contextmanager
def _only_one(options: Options) -> Iterator[None]:
    """Hold the lock of this `var/`, with our addresses in it. After a kill the guard holds it until all is tidy."""
    devdb.places.check_writable(options.var_dir)
    path = lock_file(options.var_dir)
    with path.open("a+") as file:
        deadline = time.monotonic() + 2 * guard.GRACE_SECONDS
        while not _locks(file):
            other = read_lock(options.var_dir)
            if other and _is_running(int(other["pid"])):
                raise CannotStart(
                    f"Keelson already runs on {options.var_dir}, as process {other['pid']} at {other['base_url']}. "
                    "Stop it with `make stop`, or give this one another directory: KEELSON_VAR=…"
                )
            if time.monotonic() > deadline:
                raise CannotStart(f"{path} is locked, but not by a running Keelson. Try again in a moment.")
            time.sleep(0.2)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "base_url": options.public_base_url}))
        file.flush()
        yield
        file.truncate(0)


def _locks(file: TextIOWrapper) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_lock(var_dir: Path) -> dict[str, str | int] | None:
    """Read the addresses of the running supervisor; None where there is none."""
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(lock_file(var_dir).read_text()))
    return None


def _is_running(pid: int) -> bool:
    return "launcher.supervisor" in ports.describe_process(pid)


def stop_running(var_dir: Path, seconds: float = 60) -> bool:
    """Asks the supervisor of this `var/` to stop and waits; then the embedded servers. True when something ran."""
    other = read_lock(var_dir)
    ran = bool(other and _is_running(int(other["pid"])))
    if other and ran:
        os.kill(int(other["pid"]), signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while _is_running(int(other["pid"])) and time.monotonic() < deadline:
            time.sleep(0.1)
    ran = ran or bool(devdb.postgres_pid(var_dir) or devdb.redis_pid(var_dir))
    devdb.stop(var_dir)
    return ran
