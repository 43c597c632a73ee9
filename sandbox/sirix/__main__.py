"""Start the sandbox server: `python -m sandbox.sirix --port 8458 --state var/sandbox/sirix.sqlite --http-port 8459`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from sandbox.engine import process
from sandbox.engine.books import Books
from sandbox.engine.process import Process
from sandbox.engine.tls import Identity
from sandbox.sirix.server import SirixServer

TOKEN = "sandbox-sirix-token"  # noqa: S105 - of the sandbox


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line of the Sirix sandbox."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.sirix", description=__doc__)
    parser.add_argument(
        "--port", dest="sirix_port", metavar="PORT", type=int, default=8458, help="REST port (0: any free one)"
    )
    parser.add_argument("--token", default=os.environ.get("SANDBOX_SIRIX_TOKEN", TOKEN), help="bearer token")
    parser.add_argument("--tls", action="store_true", help="speak TLS, with a certificate that the server makes itself")
    process.common_options(parser)
    return parser.parse_args(argv)


def gateway(books: Books, options: argparse.Namespace) -> SirixServer:
    """Put the server together from its books and options."""
    if not options.tls:
        return SirixServer(books, options.token)
    identity = Identity(options.state, "sirix")
    server = SirixServer(books, options.token, identity.context())
    server.certificate = identity.certificate
    return server


def make(options: argparse.Namespace) -> Process:
    """Make the process that serves this sandbox."""
    return Process(options, gateway)


if __name__ == "__main__":
    raise SystemExit(process.main(arguments(), make))
