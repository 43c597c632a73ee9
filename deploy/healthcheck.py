"""`python deploy/healthcheck.py [PORT] [PATH]`: exit code 0 when this container's own pages answer.

Speaks as the proxy in front would: production answers only its own host names, and only over TLS.
"""

import os
import sys
import urllib.request


def main() -> int:
    port = sys.argv[1] if len(sys.argv) > 1 else "8000"
    path = sys.argv[2] if len(sys.argv) > 2 else "/healthz"
    host = os.environ.get("KEELSON_HOSTS", "localhost").split(",")[0].strip().lstrip(".")
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Host": host, "X-Forwarded-Proto": "https"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310 — our own address on this machine
            return 0
    except OSError as error:
        print(f"{path} on port {port}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
