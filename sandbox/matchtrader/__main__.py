"""Start the sandbox server: `python -m sandbox.matchtrader --port 8455 --grpc-port 8456 --state FILE --http-port 8457`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from sandbox.engine import process
from sandbox.engine.books import Books
from sandbox.engine.process import Process
from sandbox.engine.tls import Identity
from sandbox.matchtrader.server import PER_MINUTE, MatchTraderServer


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line of the Match-Trader sandbox."""
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m sandbox.matchtrader", description=__doc__)
    parser.add_argument(
        "--port", dest="matchtrader_port", metavar="PORT", type=int, default=8455, help="REST port (0: any free one)"
    )
    parser.add_argument("--grpc-port", type=int, help="port of the streams (0: any free one); none: not served")
    parser.add_argument("--key", default=env("SANDBOX_MATCHTRADER_KEY", "Sandbox-key-0!"), help="the API key")
    parser.add_argument("--broker-id", type=int, default=0, help="brokerID that the key is bound to")
    parser.add_argument("--per-minute", type=int, default=PER_MINUTE, help="requests in a minute; 0: no limit")
    parser.add_argument("--heartbeat-seconds", type=float, default=30.0, help="of streams that have nothing to tell")
    parser.add_argument("--tls", action="store_true", help="both ports with a certificate of its own")
    process.common_options(parser)
    return parser.parse_args(argv)


def gateway(books: Books, options: argparse.Namespace) -> MatchTraderServer:
    """Put the server together from its books and options."""
    return MatchTraderServer(
        books,
        options.key,
        broker_id=options.broker_id,
        per_minute=options.per_minute,
        heartbeat_seconds=options.heartbeat_seconds,
        identity=Identity(options.state, "matchtrader") if options.tls else None,
    )


def make(options: argparse.Namespace) -> Process:
    """Make the process that serves this sandbox."""
    return Process(options, gateway)


if __name__ == "__main__":
    raise SystemExit(process.main(arguments(), make))
