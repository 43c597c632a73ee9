"""`python -m sandbox.psp`: runs the sandbox PSPs until stopped."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from sandbox.psp import api, control, hosted, rates  # noqa: F401 (importing them registers their pages)
from sandbox.psp.characters import CHARACTERS
from sandbox.psp.dialects import bankwire, btcpay, paypal, praxis  # noqa: F401 (importing them registers their APIs)
from sandbox.psp.history import HistoryFile
from sandbox.psp.payments import Pace
from sandbox.psp.server import PspServer
from sandbox.psp.store import Store
from sandbox.psp.transfers import TIMERS
from sandbox.psp.webhooks import Dispatcher


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line of the sandbox PSPs."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.psp", description="Payment service providers in miniature."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8444, help="0 takes any free port")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file; it is made when missing")
    parser.add_argument(
        "--webhook-url", default="", help="where events go; {psp} is replaced by the PSP's code; empty sends none"
    )
    parser.add_argument("--public-url", default="", help="how browsers reach this server, when not by the Host header")
    parser.add_argument(
        "--import", dest="history", type=Path, help="JSON lines of past movements, loaded when they appear"
    )
    parser.add_argument("--pace", type=float, default=1.0, help="factor on all waiting times; tests use 0.05")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args(arguments)


def main() -> int:
    """Serve the sandbox PSPs until stopped, and return the exit code."""
    options = parse()
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING, format="%(asctime)s %(name)s %(message)s"
    )
    store = Store(options.state)
    try:
        server = PspServer((options.host, options.port), store, Pace(options.pace), options.public_url)
    except OSError as error:
        print(
            f"The sandbox PSP can't listen on {options.host}:{options.port}: {error.strerror}. Choose another --port.",
            file=sys.stderr,
        )
        return 1
    dispatcher = Dispatcher(store, options.webhook_url, TIMERS)
    dispatcher.start()
    history = HistoryFile(store, options.history) if options.history else None
    if history is not None:
        history.start()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    print(f"Sandbox PSPs {', '.join(CHARACTERS)} on http://{options.host}:{server.server_address[1]}", flush=True)
    stopping.wait()
    server.shutdown()
    dispatcher.stop()
    if history is not None:
        history.stop()
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
