"""The servers of an installation, each started by us in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from launcher.devdb.places import Runner
from launcher.supervisor.ports import free_ports
from sandbox.engine import tls

ROOT = Path(__file__).resolve().parent.parent.parent
SYSROOT = ROOT / "var" / "sysroot"
ADMINISTRATOR, OWNER_PASSWORD, APP_PASSWORD = "postgres", "owner-7f3a9c", "app-51be77"
HOST = "crm.example.com"


class Failed(Exception):
    """What did not hold, in words."""


def program(name: str) -> str:
    """A program of the system, or of the packages that were unpacked without root."""
    versions = sorted(
        (path for base in ("/", SYSROOT) for path in Path(base).glob("usr/lib/postgresql/*/bin")), key=str
    )
    places = [*map(str, versions), "/usr/sbin", "/usr/bin", f"{SYSROOT}/usr/sbin", f"{SYSROOT}/usr/bin"]
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ["PATH"]]))
    if not found:
        raise Failed(f"{name} is missing: `make production` installs it (deploy/apt-packages-servers.txt)")
    return found


def run(*command: str, **options: Any) -> str:
    """Runs a command of the manual to its end; what it said is the reason when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **options)
    if done.returncode:
        raise Failed(f"`{' '.join(map(str, command))}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def wait_for(what: str, condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds:g} s")
        time.sleep(0.2)


@dataclass
class Cluster:
    """A PostgreSQL cluster with the two roles of deploy/roles.sql and an empty database of the owner."""

    folder: Path
    runner: Runner
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.runner.own(self.folder)
        [self.port] = free_ports(1)
        data = self.folder / "data"
        secret = self.folder / "password"
        secret.write_text("administrator-19")
        options = self.runner.popen_arguments()
        secure = ["--auth=scram-sha-256", f"--username={ADMINISTRATOR}", f"--pwfile={secret}", "--encoding=UTF8"]
        secret.chmod(0o644)
        run(program("initdb"), "-D", str(data), *secure, "--locale=C.UTF-8", "--no-sync", **options)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "log_statement": "all",
            "fsync": "off",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", str(data), *words], stdout=log, stderr=log, **options
            )
        wait_for("PostgreSQL answers", self._answers, 300)

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def url(self, user: str, password: str, database: str = "keelson") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    @property
    def owner_url(self) -> str:
        return self.url("keelson", OWNER_PASSWORD)

    @property
    def app_url(self) -> str:
        return self.url("keelson_app", APP_PASSWORD)

    def as_administrator(self, name: str, *arguments: str, typed: str = "") -> str:
        libpq = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": ADMINISTRATOR,
            "PGPASSWORD": "administrator-19",
        }
        # A session of its own has no terminal: psql reads what is typed from its input.
        return run(program(name), *arguments, env={**os.environ, **libpq}, input=typed, start_new_session=True)

    def as_owner(self, name: str, *arguments: str) -> str:
        libpq = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "keelson", "PGPASSWORD": OWNER_PASSWORD}
        return run(program(name), *arguments, env={**os.environ, **libpq})

    def prepare(self) -> None:
        """The manual's words: roles, their passwords, an empty database."""
        self.as_administrator("psql", "--file=deploy/roles.sql", "postgres")
        for role, password in (("keelson", OWNER_PASSWORD), ("keelson_app", APP_PASSWORD)):
            self.as_administrator("psql", f"--command=\\password {role}", "postgres", typed=f"{password}\n{password}\n")
        self.as_administrator("createdb", "--owner=keelson", "--encoding=UTF8", "--template=template0", "keelson")

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise Failed(f"PostgreSQL ended while starting:\n{self.log.read_text()}")
        try:
            psycopg.connect(self.url(ADMINISTRATOR, "administrator-19", "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def start_redis(folder: Path, port: int) -> subprocess.Popen[bytes]:
    settings = ["--requirepass", "queue-83", "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--save", ""]
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), *settings]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def start_nginx(folder: Path, *, ports: dict[str, int]) -> subprocess.Popen[bytes]:
    """With deploy/nginx/keelson.conf as it is, but for ports and places."""
    certificate, key = tls.make("keelson")
    (folder / "fullchain.pem").write_text(certificate)
    (folder / "privkey.pem").write_text(key)
    site = (ROOT / "deploy" / "nginx" / "keelson.conf").read_text()
    for ours, here in {
        "listen 80;": f"listen 127.0.0.1:{ports['http']};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{ports['https']} ssl http2;",
        "127.0.0.1:8000": f"127.0.0.1:{ports['pages']}",
        "127.0.0.1:8001": f"127.0.0.1:{ports['live']}",
        "/etc/keelson/tls": str(folder),
        "/var/log/nginx": str(folder),
    }.items():
        if ours not in site:
            raise Failed(f"deploy/nginx/keelson.conf has no {ours}")
        site = site.replace(ours, here)
    (folder / "site.conf").write_text(site)
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{name}_temp_path {folder}/{name};" for name in names)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}\n"
        f"events {{ worker_connections 1024; }}\nhttp {{ {temporary} include {folder}/site.conf; }}\n"
    )
    arguments = ["-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
    run(program("nginx"), *arguments, "-t")
    return subprocess.Popen([program("nginx"), *arguments])
