"""`python deploy/healthcheck.py [PORT]`: exit code 0 when this container's own pages answer, at the port of web or live."""

import sys
import urllib.request


def main() -> int:
    port = sys.argv[1] if len(sys.argv) > 1 else "8000"
    try:
        # Probes are answered before host names and TLS are asked for (crm.pages.health).
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
            return 0
    except OSError as error:
        print(f"/healthz on port {port}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
