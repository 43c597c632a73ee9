"""`python -m sandbox.screening`: runs the sandbox screening vendor until stopped."""

import argparse
import logging
import signal
import sys
import threading

from sandbox.screening.server import ScreeningServer


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.screening", description="A screening vendor in miniature.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8461, help="0 takes any free port")
    parser.add_argument("--webhook-url", default="", help="where events go; empty sends none")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args(arguments)


def main() -> int:
    """Serve until stopped, and return the exit code."""
    options = parse()
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.WARNING)
    try:
        server = ScreeningServer((options.host, options.port), webhook_url=options.webhook_url)
    except OSError as error:
        print(
            f"The sandbox screening vendor can't listen on {options.host}:{options.port}: {error.strerror}.",
            file=sys.stderr,
        )
        return 1
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    print(f"Sandbox screening vendor on http://{options.host}:{server.server_address[1]}", flush=True)
    stopping.wait()
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
