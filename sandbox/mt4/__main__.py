"""Start the sandbox server: `python -m sandbox.mt4 --port 8450 --state var/sandbox/mt4.sqlite --http-port 8451`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from sandbox.engine import process
from sandbox.engine.books import Books
from sandbox.engine.process import Process
from sandbox.engine.tls import Identity
from sandbox.mt4.server import Mt4Server, Settings

PLATFORM = "6f1a4c1e-0000-4000-8000-00000000d4d4"
FIRST_ORDER = 500_000_001  # far from the numbers of balance operations: this server has one sequence for both


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line of the MT4 sandbox."""
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m sandbox.mt4", description=__doc__)
    parser.add_argument(
        "--port", dest="mt4_port", metavar="PORT", type=int, default=8450, help="the bridge's port (0: any free one)"
    )
    parser.add_argument("--quote-port", type=int, help="old text port for quotes (0: any free one); none: not served")
    parser.add_argument("--tls", action="store_true", help="serve the bridge over TLS, with a certificate of its own")
    parser.add_argument("--client-id", default=env("SANDBOX_MT4_CLIENT", "keelson"))
    parser.add_argument("--client-secret", default=env("SANDBOX_MT4_SECRET", "Sandbox-4000!"))
    parser.add_argument("--platform", default=env("SANDBOX_MT4_PLATFORM", PLATFORM), help="UUID of the trade platform")
    parser.add_argument("--token-seconds", type=float, default=3600.0, help="how long a token is good")
    parser.add_argument("--code-page", default="cp1252", help="in which the server keeps texts, e.g. cp1251")
    parser.add_argument("--utc", dest="in_utc", action="store_true", help="a bridge that shows times in UTC")
    process.common_options(parser, zone="EET")
    return parser.parse_args(argv)


def gateway(books: Books, options: argparse.Namespace) -> Mt4Server:
    """Put the server together from its books and options."""
    settings = Settings(
        options.client_id,
        options.client_secret,
        options.platform,
        options.token_seconds,
        options.code_page,
        options.in_utc,
    )
    if not options.tls:
        return Mt4Server(books, settings)
    identity = Identity(options.state, "mt4")
    server = Mt4Server(books, settings, identity.context())
    server.certificate = identity.certificate
    return server


def make(options: argparse.Namespace) -> Process:
    """Make the process that serves this sandbox."""
    return Process(options, gateway, first_order=FIRST_ORDER)


if __name__ == "__main__":
    raise SystemExit(process.main(arguments(), make))
