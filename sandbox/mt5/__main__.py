"""Start the sandbox server: `python -m sandbox.mt5 --port 8443 --state var/sandbox/mt5.sqlite --http-port 8445`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from sandbox.engine import process
from sandbox.engine.books import Books
from sandbox.engine.faults import Faults
from sandbox.engine.process import Process
from sandbox.engine.tls import Identity
from sandbox.mt5.exporter import Exporter
from sandbox.mt5.rest import RestListener
from sandbox.mt5.server import OWN_FAULTS, Manager, Mt5Server, Settings


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line of the MT5 sandbox."""
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m sandbox.mt5", description=__doc__)
    parser.add_argument(
        "--port", dest="mt5_port", metavar="PORT", type=int, default=8443, help="raw Web API port (0: any free one)"
    )
    parser.add_argument("--rest-port", type=int, help="HTTPS form of the Web API (0: any free one); none: not served")
    parser.add_argument("--crypt", action="store_true", help="accept only encrypted sessions on the raw port")
    parser.add_argument("--login", type=int, default=int(env("SANDBOX_MT5_LOGIN", "1000")), help="manager login")
    parser.add_argument("--password", default=env("SANDBOX_MT5_PASSWORD", "Sandbox-1000!"), help="manager API password")
    parser.add_argument("--ping-seconds", type=float, default=20.0)
    parser.add_argument("--export", type=Path, help="SQLite file that is kept as a broker's SQL export")
    process.common_options(parser, zone="EET")
    return parser.parse_args(argv)


def gateway(books: Books, options: argparse.Namespace) -> Mt5Server:
    """Put the server together from its books and options."""
    manager = Manager(options.login, options.password)
    settings = Settings(manager, options.ping_seconds, only_encrypted=options.crypt)
    if options.rest_port is None:
        return Mt5Server(books, settings, Faults(OWN_FAULTS))
    identity = Identity(options.state)
    server = Mt5Server(books, settings, Faults(OWN_FAULTS), RestListener(identity.context()))
    server.certificate = identity.certificate
    return server


def make(options: argparse.Namespace) -> Process:
    """Make the process that serves this sandbox, with its SQL export where one is asked for."""
    made = Process(options, gateway)
    if options.export:
        exporter = Exporter(made.books, options.export)
        made.look_for_import()
        exporter.step()
        made.every_tick.append(exporter.step)
    return made


if __name__ == "__main__":
    raise SystemExit(process.main(arguments(), make))
