"""The command line of the supervisor. Every flag has an environment variable; the flag wins."""

import argparse
import os
import sys
from pathlib import Path

from launcher.devdb import DevServerError
from launcher.supervisor import sandboxes
from launcher.supervisor.plan import PARTS, Options
from launcher.supervisor.statics import ROOT
from launcher.supervisor.supervisor import CannotStart, Supervisor, stop_running

PORTS = {
    "port": 8000,
    "live-port": 8001,
    "psp-port": 8444,
    "kyc-port": 8460,
    "screening-port": 8461,
    "phone-port": 8462,
    "receiver-port": 8465,
}


def _parser() -> argparse.ArgumentParser:
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m launcher.supervisor", description="Runs the whole of Keelson.")
    parser.add_argument("action", nargs="?", choices=["run", "stop"], default="run")
    parser.add_argument(
        "--var", type=Path, default=Path(env("KEELSON_VAR") or ROOT / "var"), help="data, logs, sockets"
    )
    parser.add_argument("--bind", default=env("KEELSON_BIND", "127.0.0.1"), help="address to listen on")
    for name, default in {**PORTS, **{listener.option: listener.port for listener in sandboxes.LISTENERS}}.items():
        variable = f"KEELSON_{name.replace('-', '_').upper()}"
        parser.add_argument(
            f"--{name}", type=_port, default=env(variable, str(default)), help=f"{variable}; 0: any free"
        )
    parser.add_argument("--no-sandboxes", action="store_true", default=env("KEELSON_SANDBOXES") == "0")
    parser.add_argument(
        "--only",
        default=env("KEELSON_ONLY", ""),
        metavar="NAMES",
        help=f"run only these here, by comma: {','.join(PARTS)}",
    )
    parser.add_argument(
        "--demo",
        nargs="?",
        type=float,
        const=1.0,
        default=0.0,
        metavar="SCALE",
        help="load the demo brokerage into an empty database; 0.2 makes one of a fifth",
    )
    parser.add_argument("--ephemeral", type=Path, metavar="DIR", help="a throw-away instance in DIR on free ports")
    parser.add_argument("--json", action="store_true", help="print one line of JSON with the addresses when ready")
    parser.add_argument("--web-workers", type=int, default=int(env("KEELSON_WEB_WORKERS", "2")))
    parser.add_argument("--web-threads", type=int, default=int(env("KEELSON_WEB_THREADS", "8")))
    parser.add_argument("--worker-processes", type=int, default=int(env("KEELSON_WORKER_PROCESSES", "2")))
    return parser


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to 65535")
    return number


def _parts(text: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if names - set(PARTS):
        raise SystemExit(
            f"--only: no part is called {', '.join(sorted(names - set(PARTS)))}. There are: {', '.join(PARTS)}"
        )
    return names


def _static_root(throw_away: bool) -> Path | None:
    """Let a throw-away instance share the collected static files of the lasting one: they are the same."""
    if os.environ.get("KEELSON_STATIC_ROOT"):
        return Path(os.environ["KEELSON_STATIC_ROOT"])
    return ROOT / "var" / "staticfiles" if throw_away else None


def options_from(arguments: list[str] | None = None) -> tuple[str, Options]:
    """Parse the command line into the action and the supervisor's options."""
    chosen = _parser().parse_args(arguments)
    throw_away = chosen.ephemeral is not None
    # A throw-away instance takes free ports, whatever the environment says of the lasting one.

    def port(option: str) -> int:
        return 0 if throw_away else getattr(chosen, option.replace("-", "_"))

    ports = {name.replace("-", "_"): port(name) for name in PORTS}
    return chosen.action, Options(
        var_dir=(chosen.ephemeral or chosen.var).resolve(),
        bind=chosen.bind,
        base_url="" if throw_away else os.environ.get("KEELSON_BASE_URL", ""),
        live_url="" if throw_away else os.environ.get("KEELSON_LIVE_URL", ""),
        with_sandboxes=not chosen.no_sandboxes,
        only=_parts(chosen.only),
        static_root=_static_root(throw_away),
        demo=chosen.demo,
        durable=not throw_away,
        web_workers=chosen.web_workers,
        web_threads=chosen.web_threads,
        worker_processes=chosen.worker_processes,
        as_json=chosen.json or throw_away,
        follows_parent=throw_away,
        sandbox_ports={listener.name: port(listener.option) for listener in sandboxes.LISTENERS},
        **ports,
    )


def main() -> int:
    """Start or stop Keelson, and return the exit code."""
    action, options = options_from()
    if action == "stop":
        sys.stdout.write("Stopped.\n" if stop_running(options.var_dir) else "Nothing was running.\n")
        return 0
    try:
        return Supervisor(options).run()
    except (CannotStart, DevServerError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
