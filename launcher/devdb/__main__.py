"""`python -m launcher.devdb start|stop|status|url|psql|dump FILE|restore FILE`: the embedded servers by hand."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from launcher import devdb

VAR_DIR = Path(os.environ.get("KEELSON_VAR") or Path(__file__).resolve().parent.parent.parent / "var")


def _status() -> str:
    lines = []
    for name, pid, url in (
        ("PostgreSQL", devdb.postgres_pid(VAR_DIR), devdb.database_url(VAR_DIR)),
        ("Redis", devdb.redis_pid(VAR_DIR), devdb.redis_url(VAR_DIR)),
    ):
        lines.append(f"{name}: {f'runs as process {pid}' if pid else 'stopped'}, {url}")
    return "\n".join(lines)


def _client(program: str, *arguments: str) -> int:
    devdb.ensure_postgres(VAR_DIR)
    return subprocess.run([*devdb.client_command(VAR_DIR, program), *arguments]).returncode


def main() -> int:
    """Run the chosen action on the embedded servers of this checkout."""
    parser = argparse.ArgumentParser(prog="python -m launcher.devdb", description=__doc__)
    parser.add_argument("action", choices=["start", "stop", "status", "url", "psql", "dump", "restore"])
    parser.add_argument("file", nargs="?", help="for dump and restore")
    chosen = parser.parse_args()
    if chosen.action in {"dump", "restore"} and not chosen.file:
        parser.error(f"{chosen.action} needs a file name")
    match chosen.action:
        case "start":
            devdb.ensure_postgres(VAR_DIR)
            devdb.ensure_redis(VAR_DIR)
        case "stop":
            devdb.stop(VAR_DIR)
        case "url":
            sys.stdout.write(f"DATABASE_URL={devdb.database_url(VAR_DIR)}\nREDIS_URL={devdb.redis_url(VAR_DIR)}\n")
            return 0
        case "psql":
            return _client("psql")
        case "dump":
            return _client("pg_dump", "--format=custom", f"--file={chosen.file}")
        case "restore":
            return _client("pg_restore", "--clean", "--if-exists", "--single-transaction", "--no-owner", chosen.file)
    sys.stdout.write(_status() + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except devdb.DevServerError as error:
        sys.exit(str(error))
