"""A fresh temporary Keelson: every process of `make demo`, on free ports, in a directory that goes when the run ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher import devdb

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS_MAX = 1_800


@dataclass(frozen=True)
class Instance:
    var: Path
    base_url: str
    addresses: dict[str, Any]

    @property
    def database_url(self) -> str:
        return str(self.addresses.get("database_url") or devdb.database_url(self.var))

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a manage.py command on this instance."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(
                f"manage.py {' '.join(arguments)} exited {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done

    def manage_at_once(self, *commands: list[str]) -> list[subprocess.CompletedProcess[str]]:
        """Several commands beside one another, however they end."""
        with ThreadPoolExecutor(len(commands)) as pool:
            return list(pool.map(lambda arguments: self.manage(*arguments, check=False), commands))

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "KEELSON_VAR": str(self.var),
            "KEELSON_DEMO": "1",
            **self.addresses.get("environment", {}),
        }


def _too_late(_number: int, _frame: object) -> None:
    raise AssertionError(f"the instance did not start within {START_SECONDS_MAX} s")


@contextmanager
def fresh_instance() -> Iterator[Instance]:
    """Starts everything with the demo loaded, hands it out, and stops it cleanly.

    With KEELSON_SMOKE_URL and KEELSON_SMOKE_VAR set, that running demo is used instead: for work on the journey itself.
    """
    if os.environ.get("KEELSON_SMOKE_URL"):
        url = os.environ["KEELSON_SMOKE_URL"]
        addresses = {"base_url": url, "environment": {"KEELSON_BASE_URL": url}}
        yield Instance(var=Path(os.environ["KEELSON_SMOKE_VAR"]), base_url=url, addresses=addresses)
        return
    folder = Path(tempfile.mkdtemp(prefix="keelson-smoke-"))
    folder.chmod(0o755)
    log = (folder / "supervisor.log").open("w")
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "launcher.supervisor", "--ephemeral", str(folder / "var"), "--demo", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        signal.signal(signal.SIGALRM, _too_late)
        signal.alarm(START_SECONDS_MAX)
        assert supervisor.stdout is not None
        line = supervisor.stdout.readline()
        signal.alarm(0)
        if not line:
            raise AssertionError("the instance did not start:\n" + (folder / "supervisor.log").read_text()[-3000:])
        addresses = json.loads(line)
        yield Instance(var=folder / "var", base_url=addresses["base_url"], addresses=addresses)
    finally:
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(30)
        except subprocess.TimeoutExpired:
            supervisor.kill()
        log.close()
        if not os.environ.get("KEELSON_SMOKE_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
