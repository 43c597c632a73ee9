"""What there is to run: the addresses, the environment that all processes share, and the command of each."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from launcher import devdb
from launcher.supervisor import ports, sandboxes, statics
from launcher.supervisor.statics import ROOT

TETHER = Path(__file__).with_name("parent_death_signal.py")
PARTS = (
    *(server.part for server in sandboxes.SERVERS),
    "sandbox-psp",
    "sandbox-kyc",
    "sandbox-screening",
    "sandbox-phone",
    "sandbox-receiver",
    "web",
    "live",
    "worker",
    "sync",
    "slow",
    "rq",
    "phone",
    "beat",
)
SYNC_THREADS = 12
# What a command that joins this instance from outside has to know.
JOINED = (
    "DJANGO_SETTINGS_MODULE",
    "KEELSON_VAR",
    "KEELSON_STATIC_ROOT",
    "KEELSON_BASE_URL",
    "KEELSON_LIVE_URL",
    "KEELSON_DEMO",
    *(name for server in sandboxes.SERVERS for name in server.environment(sandboxes.PORTS)),
    "SANDBOX_MT5_CERTIFICATE",
    "SANDBOX_CTRADER_CERTIFICATE",
    "SANDBOX_PSP_URL",
    "SANDBOX_KYC_URL",
    "SANDBOX_SCREENING_URL",
    "SANDBOX_PHONE_URL",
    "SANDBOX_RECEIVER_URL",
)
# Marks every process of one running Keelson, so that none can get lost.
INSTANCE_MARK = "KEELSON_INSTANCE"


@dataclass(frozen=True)
class Options:
    """What the command line or the environment chose. Ports: 0 takes any free one."""

    var_dir: Path
    bind: str = "127.0.0.1"
    port: int = 8000
    live_port: int = 8001
    # Of the sandbox trading servers, by listener (`sandboxes.LISTENERS`).
    sandbox_ports: Mapping[str, int] = field(default_factory=lambda: dict(sandboxes.PORTS))
    psp_port: int = 8444
    kyc_port: int = 8460
    screening_port: int = 8461
    phone_port: int = 8462
    receiver_port: int = 8465
    base_url: str = ""
    live_url: str = ""
    static_root: Path | None = None
    with_sandboxes: bool = True
    # Names of the parts to run here, when others run elsewhere; empty runs all.
    only: frozenset[str] = frozenset()
    # How large a demo to load into an empty database; 0 loads none.
    demo: float = 0
    durable: bool = True
    web_workers: int = 2
    web_threads: int = 8
    worker_processes: int = 2
    as_json: bool = False
    # A throw-away instance goes when the program that started it is gone.
    follows_parent: bool = False

    @property
    def public_base_url(self) -> str:
        return self.base_url or f"http://{_shown(self.bind)}:{self.port}"

    @property
    def public_live_url(self) -> str:
        return self.live_url or f"http://{_shown(self.bind)}:{self.live_port}"

    @property
    def psp_url(self) -> str:
        return f"http://127.0.0.1:{self.psp_port}"

    @property
    def kyc_url(self) -> str:
        return f"http://127.0.0.1:{self.kyc_port}"

    @property
    def screening_url(self) -> str:
        return f"http://127.0.0.1:{self.screening_port}"

    @property
    def phone_url(self) -> str:
        return f"http://127.0.0.1:{self.phone_port}"

    @property
    def receiver_url(self) -> str:
        return f"http://127.0.0.1:{self.receiver_port}"

    def control_url(self, server: sandboxes.SandboxServer) -> str:
        return f"http://127.0.0.1:{self.sandbox_ports[server.control.name]}"

    def runs(self, name: str) -> bool:
        return not self.only or name in self.only

    def sandboxes(self) -> set[str]:
        if not self.with_sandboxes:
            return set()
        names = (*(server.name for server in sandboxes.SERVERS), "psp", "kyc", "screening", "phone", "receiver")
        running = {name for name in names if self.runs(f"sandbox-{name}")}
        return {name for name in running if _is_runnable(f"sandbox.{name}")}

    def wanted_ports(self) -> dict[str, tuple[int, str]]:
        ports = {}
        if self.runs("web"):
            ports["the pages"] = (self.port, "`--port N` or KEELSON_PORT=N")
        if self.runs("live"):
            ports["live updates"] = (self.live_port, "`--live-port N` or KEELSON_LIVE_PORT=N")
        present = self.sandboxes()
        for server in sandboxes.SERVERS:
            for listener in server.all_listeners if server.name in present else ():
                ports[listener.words] = (
                    self.sandbox_ports[listener.name],
                    f"`--{listener.option} N` or {listener.variable}=N",
                )
        if "psp" in present:
            ports["the sandbox PSPs"] = (self.psp_port, "`--psp-port N` or KEELSON_PSP_PORT=N")
        if "kyc" in present:
            ports["the sandbox KYC provider"] = (self.kyc_port, "`--kyc-port N` or KEELSON_KYC_PORT=N")
        if "screening" in present:
            how = "`--screening-port N` or KEELSON_SCREENING_PORT=N"
            ports["the sandbox screening vendor"] = (self.screening_port, how)
        if "phone" in present:
            ports["the sandbox phone exchange"] = (self.phone_port, "`--phone-port N` or KEELSON_PHONE_PORT=N")
        if "receiver" in present:
            how = "`--receiver-port N` or KEELSON_RECEIVER_PORT=N"
            ports["the sandbox receiver of webhooks"] = (self.receiver_port, how)
        return ports

    def with_free_ports(self) -> "Options":
        """Port 0 replaced by a free one."""
        named = ("port", "live_port", "psp_port", "kyc_port", "screening_port", "phone_port", "receiver_port")
        own = [name for name in named if getattr(self, name) == 0]
        theirs = [name for name, port in self.sandbox_ports.items() if port == 0]
        free = iter(ports.free_ports(len(own) + len(theirs)))
        chosen = {name: next(free) for name in own}
        listening = {**self.sandbox_ports, **{name: next(free) for name in theirs}}
        return replace(self, sandbox_ports=listening, **chosen)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Child:
    """One process to keep running. Those of a higher `phase` start later and stop earlier."""

    name: str
    command: list[str]
    phase: int
    environment: dict[str, str] = field(default_factory=dict)


def addresses(options: Options, environment: dict[str, str]) -> dict[str, object]:
    """Collect what another program needs to talk to this instance: its addresses, and the environment to join it."""
    var_dir = options.var_dir
    return {
        "pid": os.getpid(),
        "instance": environment[INSTANCE_MARK],
        "var": str(var_dir),
        "base_url": options.public_base_url,
        "live_url": options.public_live_url,
        **{
            listener.name: f"127.0.0.1:{options.sandbox_ports[listener.name]}"
            for server in sandboxes.SERVERS
            for listener in server.listeners
        },
        **{f"{server.name}_control_url": options.control_url(server) for server in sandboxes.SERVERS},
        "psp_url": options.psp_url,
        "kyc_url": options.kyc_url,
        "screening_url": options.screening_url,
        "phone_url": options.phone_url,
        "receiver_url": options.receiver_url,
        "database_url": os.environ.get("DATABASE_URL") or devdb.database_url(var_dir),
        "redis_url": os.environ.get("REDIS_URL") or devdb.redis_url(var_dir),
        "environment": {name: environment[name] for name in JOINED},
    }


def shared_environment(options: Options, instance: str) -> dict[str, str]:
    """Build the environment of every process from the supervisor's own and the addresses of this instance."""
    return {
        **os.environ,
        INSTANCE_MARK: instance,
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "crm.settings.dev"),
        "KEELSON_VAR": str(options.var_dir),
        "KEELSON_STATIC_ROOT": str(statics.place(options.static_root, options.var_dir)),
        "KEELSON_BASE_URL": options.public_base_url,
        "KEELSON_LIVE_URL": options.public_live_url,
        "KEELSON_DEMO": "1" if options.demo else os.environ.get("KEELSON_DEMO", "0"),
        **{
            name: value
            for server in sandboxes.SERVERS
            for name, value in server.environment(options.sandbox_ports).items()
        },
        "SANDBOX_MT5_CERTIFICATE": str(options.var_dir / "sandbox" / "mt5.sqlite.crt"),
        "SANDBOX_CTRADER_CERTIFICATE": str(options.var_dir / "sandbox" / "ctrader.sqlite.crt"),
        "SANDBOX_PSP_URL": options.psp_url,
        "SANDBOX_KYC_URL": options.kyc_url,
        "SANDBOX_SCREENING_URL": options.screening_url,
        "SANDBOX_PHONE_URL": options.phone_url,
        "SANDBOX_RECEIVER_URL": options.receiver_url,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }


def children(options: Options) -> list[Child]:
    """Every process, in the order in which they start."""
    ours = [child for child in [*_servers(options), *_workers(options)] if options.runs(child.name)]
    return [*_sandboxes(options), *(replace(child, environment=child.environment | as_app(options)) for child in ours)]


def as_app(options: Options) -> dict[str, str]:
    """Log running processes in to the database as a role that can't touch append-only tables (`crm.security.database_role`)."""
    own = "" if os.environ.get("DATABASE_URL") else devdb.database_url(options.var_dir, role=devdb.APP_ROLE)
    url = os.environ.get("KEELSON_APP_DATABASE_URL") or own
    return {"DATABASE_URL": url} if url else {}


def _sandboxes(options: Options) -> list[Child]:
    state = options.var_dir / "sandbox"
    commands = {
        **{server.name: server.command(options.sandbox_ports, state) for server in sandboxes.SERVERS},
        "psp": [
            "--port",
            str(options.psp_port),
            "--state",
            str(state / "psp.sqlite"),
            "--public-url",
            options.psp_url,
            "--import",
            str(state / "psp-import.jsonl"),
            "--webhook-url",
            f"http://127.0.0.1:{options.port}/webhooks/psp/{{psp}}/",
        ],
        "kyc": [
            "--port",
            str(options.kyc_port),
            "--state",
            str(state / "kyc.sqlite"),
            "--public-url",
            options.kyc_url,
            "--webhook-url",
            f"http://127.0.0.1:{options.port}/webhooks/kyc/sandbox/",
        ],
        "screening": [
            "--port",
            str(options.screening_port),
            "--webhook-url",
            f"http://127.0.0.1:{options.port}/webhooks/screening/sandbox/",
        ],
        "phone": [
            "--port",
            str(options.phone_port),
            "--voice-url",
            f"{options.public_base_url}/webhooks/phone/sandbox/",
            "--text-url",
            f"{options.public_base_url}/webhooks/text/sandbox/",
            "--callback-origin",
            f"http://127.0.0.1:{options.port}",
        ],
        "receiver": ["--port", str(options.receiver_port)],
    }
    present = options.sandboxes()
    return [
        Child(f"sandbox-{name}", [sys.executable, "-m", f"sandbox.{name}", *arguments], phase=1)
        for name, arguments in commands.items()
        if name in present
    ]


def _servers(options: Options) -> list[Child]:
    web = [
        sys.executable,
        "-m",
        "gunicorn",
        "crm.wsgi:application",
        "--bind",
        address(options.bind, options.port),
        "--worker-class",
        "crm.project.web_worker.BoundedWorker",
        "--workers",
        str(options.web_workers),
        "--threads",
        str(options.web_threads),
        "--max-requests",
        "20000",
        "--max-requests-jitter",
        "5000",
        "--timeout",
        "60",
        "--graceful-timeout",
        "5",
        "--keep-alive",
        "15",
        "--log-level",
        "warning",
        "--worker-tmp-dir",
        str(options.var_dir),
        "--no-control-socket",
        "--preload",
    ]
    live = [
        sys.executable,
        "-m",
        "uvicorn",
        "crm.asgi:application",
        "--host",
        options.bind,
        "--port",
        str(options.live_port),
        "--log-level",
        "warning",
        "--timeout-graceful-shutdown",
        "2",
        "--lifespan",
        "off",
        "--no-access-log",
    ]
    return [Child("web", web, phase=2), Child("live", live, phase=2)]


def _workers(options: Options) -> list[Child]:
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "crm"]
    # Celery warns of root at every start. Root on one's own machine is a supported way to run Keelson.
    quiet = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"} if os.geteuid() == 0 else {}
    any_pool = [*celery, "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    worker = [*any_pool, "--pool", "prefork"]
    # One process whose threads wait for servers: each platform sees one connection that brings its new deals.
    sync = [*any_pool, "--pool", "threads", "-Q", "sync", "-c", str(SYNC_THREADS), "-n", "sync@%h"]
    rq = [sys.executable, str(ROOT / "manage.py"), "rqworker", "default", "--verbosity", "0"]
    phone = [sys.executable, str(ROOT / "manage.py"), "listen_to_exchanges"]
    beat = [
        *celery,
        "beat",
        "--loglevel",
        "WARNING",
        "--schedule",
        str(options.var_dir / "beat-schedule"),
        "--pidfile=",
    ]
    events = [*worker, "-Q", "events,default", "-c", str(options.worker_processes), "-n", "worker@%h"]
    return [
        Child("worker", events, phase=3, environment=quiet),
        Child("sync", sync, phase=3, environment=quiet),
        Child("slow", [*worker, "-Q", "slow", "-c", "1", "-n", "slow@%h"], phase=3, environment=quiet),
        Child("rq", rq, phase=3),
        Child("phone", phone, phase=3),
        Child("beat", beat, phase=4),
    ]


def _is_runnable(module: str) -> bool:
    try:
        return find_spec(f"{module}.__main__") is not None
    except ModuleNotFoundError:
        return False


def _shown(bind: str) -> str:
    """Name the host that a person on this machine types: a name, because passkeys need one."""
    if bind in {"0.0.0.0", "::", "127.0.0.1"}:  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{bind}]" if ":" in bind else bind


def address(host: str, port: int) -> str:
    """Join host and port, with an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
