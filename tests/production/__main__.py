"""See the package."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from launcher.supervisor.ports import free_ports
from tests.faults.helpers import environment, ordinary_user
from tests.production import servers, visit
from tests.production.servers import APP_PASSWORD, OWNER_PASSWORD, ROOT, Cluster, Failed, run, wait_for
from tests.ready import STATIC_ROOT

SECONDS_MAX = 1_200


def settings_of(folder: Path, cluster: Cluster, redis_port: int) -> dict[str, str]:
    """deploy/systemd/keelson.env with values; also what a restored database is proved with."""
    lines = (ROOT / "deploy" / "systemd" / "keelson.env").read_text().splitlines()
    shipped = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    ours = {
        "DATABASE_URL": cluster.owner_url,
        "KEELSON_APP_DATABASE_URL": cluster.app_url,
        "REDIS_URL": f"redis://:queue-83@127.0.0.1:{redis_port}/0",
        "SECRET_KEY": secrets.token_hex(40),
        "KEELSON_FIELD_KEY": "ab" * 32,
        "KEELSON_SEAL_KEY": "cd" * 32,
        "KEELSON_VAR": str(folder / "var"),
        "EMAIL_URL": "smtp://127.0.0.1:1",
    }
    unknown = sorted(ours.keys() - shipped.keys())
    if unknown:
        raise Failed(f"deploy/systemd/keelson.env does not name {', '.join(unknown)}")
    return {**shipped, **ours}


def manage(settings: dict[str, str], *arguments: str) -> str:
    return run(sys.executable, "manage.py", *arguments, env=environment(**settings))


@contextlib.contextmanager
def ended_at_the_end(*processes: subprocess.Popen[bytes] | None) -> Iterator[None]:
    try:
        yield
    finally:
        for process in reversed([process for process in processes if process]):
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=60)
            process.kill()


@contextlib.contextmanager
def supervised(folder: Path, settings: dict[str, str], ports: dict[str, int]) -> Iterator[None]:
    """`keelson.service` runs the same command. Ready when it says so; its first start migrates."""
    log = folder / "supervisor.log"
    given = {
        **settings,
        "KEELSON_PORT": str(ports["pages"]),
        "KEELSON_LIVE_PORT": str(ports["live"]),
        "KEELSON_STATIC_ROOT": str(STATIC_ROOT),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "launcher.supervisor"],
            cwd=ROOT,
            env=environment(**given),
            stdout=output,
            stderr=output,
        )

    def is_ready() -> bool:
        if process.poll() is not None:
            raise Failed(f"the supervisor ended with {process.returncode}:\n{log.read_text()[-4000:]}")
        return "Keelson runs at" in log.read_text()

    with ended_at_the_end(process):
        wait_for("the supervisor is ready", is_ready, SECONDS_MAX)
        yield
        if not is_ready():
            raise Failed("the supervisor is gone")


def who_was_seen(cluster: Cluster) -> set[str]:
    with psycopg.connect(cluster.owner_url) as connection:
        return {str(ip) for (ip,) in connection.execute("SELECT DISTINCT ip FROM usersessions_usersession")}


def use(folder: Path, cluster: Cluster, settings: dict[str, str]) -> None:
    """Everything that wants the running installation."""
    ports = dict(zip(("pages", "live", "http", "https"), free_ports(4), strict=True))
    with supervised(folder, settings, ports):
        say("the supervisor runs under production settings")
        as_app = {**settings, "DATABASE_URL": cluster.app_url}
        manage(as_app, "shell", "-v0", "-c", "import tests.production.prepare")
        with ended_at_the_end(servers.start_nginx(folder, ports=ports)):
            wait_for("nginx listens", lambda: (folder / "nginx.pid").exists(), 120)
            visit.plain_http_is_redirected(ports["http"])
            with contextlib.closing(visit.sign_in(ports["https"])) as client:
                visit.live_updates_arrive(client)
            visit.expect(who_was_seen(cluster) == {visit.VISITOR}, f"seen: {who_was_seen(cluster)}, not the visitor")
            say("signed in through TLS, seen by our own address, live updates arrive")
            visit.half_sent_requests_stop_nobody(ports["https"])
            say("half-sent requests stop nobody")


def restore(folder: Path, cluster: Cluster, empty: Cluster, settings: dict[str, str]) -> None:
    """docs/operations/backup.md, word for word, and the proofs."""
    dump = folder / "keelson.dump"
    cluster.as_owner("pg_dump", "--format=custom", f"--file={dump}", "keelson")
    empty.start()
    with ended_at_the_end(empty.process):
        empty.prepare()
        empty.as_owner(
            "pg_restore", "--dbname=keelson", "--no-owner", "--no-comments", "--single-transaction", str(dump)
        )
        say("dumped, and restored into an empty cluster")
        there = {**settings, "DATABASE_URL": empty.owner_url, "KEELSON_APP_DATABASE_URL": empty.app_url}
        manage(there, "migrate", "-v0")
        proofs = [
            ["verify_ledger"],
            ["verify_audit"],
            ["rebuild_facts", "--check"],
            ["verify_files"],
            ["check", "--deploy", "--database", "default", "--fail-level", "WARNING"],
        ]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda proof: manage(there, *proof), proofs))
        with psycopg.connect(empty.owner_url) as connection:
            [(journals,)] = connection.execute("SELECT count(*) FROM wallet_journal")
        visit.expect(journals == 50, f"{journals} journals were restored, not 50")
        say("proved: ledger, audit log, facts, files, roles")


def say(text: str) -> None:
    print(f"· {text} ({time.monotonic() - STARTED:.0f} s)", flush=True)


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="keelson-production-"))
    folder.chmod(0o755)
    runner = ordinary_user()
    cluster, empty = Cluster(folder / "first", runner), Cluster(folder / "second", runner)
    try:
        cluster.start()
        [redis_port] = free_ports(1)
        with ended_at_the_end(cluster.process, servers.start_redis(folder, redis_port)):
            cluster.prepare()
            say("PostgreSQL with a plain owner, Redis")
            settings = settings_of(folder, cluster, redis_port)
            use(folder, cluster, settings)
            restore(folder, cluster, empty, settings)
        for log in (cluster.log, empty.log):
            visit.expect(
                not any(secret in log.read_text(errors="replace") for secret in (OWNER_PASSWORD, APP_PASSWORD)),
                f"a password is in the server's log {log}",
            )
        say("no password is in a server's log")
    except Failed as error:
        print(f"\nNot as docs/operations/servers.md says: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


STARTED = time.monotonic()

if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
