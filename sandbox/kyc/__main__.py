"""`python -m sandbox.kyc`: runs the sandbox KYC provider until stopped."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from sandbox.kyc.reviews import Reviewer
from sandbox.kyc.server import WEBHOOK_SECRET, KycServer
from sandbox.kyc.store import Store


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.kyc", description="A KYC provider in miniature.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8460, help="0 takes any free port")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file; it is made when missing")
    parser.add_argument("--webhook-url", default="", help="where events go; empty sends none")
    parser.add_argument("--public-url", default="", help="how browsers reach this server")
    parser.add_argument("--review-seconds", type=float, default=5.0, help="how long a review takes")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args(arguments)


def main() -> int:
    """Serve until stopped, and return the exit code."""
    options = parse()
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.WARNING)
    store = Store(options.state)
    reviewer = Reviewer(store, webhook_url=options.webhook_url, webhook_secret=WEBHOOK_SECRET)
    try:
        server = KycServer(
            (options.host, options.port), store, reviewer, public_url=options.public_url, seconds=options.review_seconds
        )
    except OSError as error:
        print(
            f"The sandbox KYC provider can't listen on {options.host}:{options.port}: {error.strerror}.",
            file=sys.stderr,
        )
        return 1
    reviewer.start()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    print(f"Sandbox KYC provider on http://{options.host}:{server.server_address[1]}", flush=True)
    stopping.wait()
    server.shutdown()
    reviewer.stop()
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
