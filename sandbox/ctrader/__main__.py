"""Start the sandbox server: `python -m sandbox.ctrader --port 8452 --manager-port 8453 --http-port 8454`."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Sequence

from sandbox.ctrader.server import OWN_FAULTS, CtraderServer, Settings
from sandbox.engine import process
from sandbox.engine.books import Books
from sandbox.engine.faults import Faults
from sandbox.engine.process import Process
from sandbox.engine.tls import Identity


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line of the cTrader sandbox."""
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m sandbox.ctrader", description=__doc__)
    parser.add_argument(
        "--port",
        dest="ctrader_port",
        metavar="PORT",
        type=int,
        default=8452,
        help="WebServices over HTTPS (0: any free one)",
    )
    parser.add_argument("--manager-port", type=int, default=8453, help="Manager API over TLS (0: any free one)")
    parser.add_argument("--login", type=int, default=int(env("SANDBOX_CTRADER_LOGIN", "3000")), help="manager login")
    parser.add_argument("--password", default=env("SANDBOX_CTRADER_PASSWORD", "Sandbox-3000!"), help="manager password")
    parser.add_argument("--plant", default="sandbox", help="plantId of the Manager API")
    parser.add_argument("--environment", choices=["demo", "live"], default="live")
    parser.add_argument("--broker", default="keelson", help="brokerName")
    parser.add_argument("--token-seconds", type=float, default=1800.0, help="how long a manager's token is good")
    parser.add_argument("--chunk", type=int, default=500, help="rows in one answer of a list")
    parser.add_argument("--heartbeat-seconds", type=float, default=10.0)
    parser.add_argument("--connections-max", type=int, default=0, help="managers signed in at once; 0: any")
    parser.add_argument(
        "--silence-seconds", type=float, default=40.0, help="a manager who says nothing so long is hung up"
    )
    process.common_options(parser)
    return parser.parse_args(argv)


def gateway(books: Books, options: argparse.Namespace) -> CtraderServer:
    """Put the server together from its books and options."""
    hashed = hashlib.md5(options.password.encode(), usedforsecurity=False).hexdigest()
    settings = Settings(
        options.login,
        hashed,
        options.plant,
        options.environment,
        options.broker,
        options.token_seconds,
        options.chunk,
        options.heartbeat_seconds,
        options.connections_max,
        options.silence_seconds,
    )
    identity = Identity(options.state, "ctrader")
    server = CtraderServer(books, settings, Faults(OWN_FAULTS), identity.context())
    server.certificate = identity.certificate
    return server


def make(options: argparse.Namespace) -> Process:
    """Make the process that serves this sandbox."""
    return Process(options, gateway)


if __name__ == "__main__":
    raise SystemExit(process.main(arguments(), make))
