"""`python -m sandbox.mail`: runs the sandbox mail server until stopped."""

import argparse
import signal
import sys
import threading

from sandbox.mail.server import ImapServer, Inbox, SmtpServer
from sandbox.mail.service import Account, MailServiceServer


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.mail", description="A mail server in miniature.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8463, help="of IMAP; 0 takes any free port")
    parser.add_argument("--smtp-port", type=int, default=8464, help="0 takes any free port")
    parser.add_argument("--api-port", type=int, default=8466, help="of the mail service's API; 0 takes any free port")
    parser.add_argument("--webhook-url", default="", help="where the mail service reports; empty reports nowhere")
    return parser.parse_args(arguments)


def main() -> int:
    """Serve until stopped, and return the exit code."""
    options, inbox = parse(), Inbox()
    try:
        servers = (
            ImapServer((options.host, options.port), inbox),
            SmtpServer((options.host, options.smtp_port), inbox),
            MailServiceServer((options.host, options.api_port), Account(webhook_url=options.webhook_url)),
        )
    except OSError as error:
        print(f"The sandbox mail server can't listen: {error.strerror}.", file=sys.stderr)
        return 1
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    imap, smtp, api = (f"{options.host}:{server.server_address[1]}" for server in servers)
    print(f"Sandbox mail: IMAP on {imap}, SMTP on {smtp}, a mail service's API on http://{api}", flush=True)
    stopping.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
