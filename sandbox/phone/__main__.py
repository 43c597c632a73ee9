"""`python -m sandbox.phone`: runs the sandbox exchange until stopped."""

import argparse
import logging
import signal
import sys
import threading

from sandbox.phone.exchange import Pace
from sandbox.phone.server import PhoneServer


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.phone", description="A phone exchange in miniature.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8462, help="0 takes any free port")
    parser.add_argument("--voice-url", default="", help="where incoming calls are announced; empty takes none")
    parser.add_argument("--text-url", default="", help="where incoming messages are announced; empty takes none")
    parser.add_argument("--callback-origin", default="", help="where callbacks go instead of the origin they name")
    parser.add_argument("--talk-seconds", type=float, default=20.0, help="how long an answered call lasts")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args(arguments)


def main() -> int:
    """Serve until stopped, and return the exit code."""
    options = parse()
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.WARNING)
    try:
        server = PhoneServer(
            (options.host, options.port),
            voice_url=options.voice_url,
            text_url=options.text_url,
            callback_origin=options.callback_origin,
            pace=Pace(talk=options.talk_seconds),
        )
    except OSError as error:
        print(f"The sandbox exchange can't listen on {options.host}:{options.port}: {error.strerror}.", file=sys.stderr)
        return 1
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    print(f"Sandbox exchange on http://{options.host}:{server.server_address[1]}", flush=True)
    stopping.wait()
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
