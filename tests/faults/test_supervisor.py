"""One command starts and stops the whole of Keelson: real processes, killed and asked to stop."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from launcher import devdb
from launcher.devdb.places import Runner
from launcher.supervisor import guard, ports, sandboxes
from launcher.supervisor.plan import Child, Options
from launcher.supervisor.processes import CRASHES_MAX, Output, Running
from tests.faults.helpers import ROOT, environment, ordinary_user, project_for, run
from tests.ready import STATIC_ROOT

MYSELF = Runner(os.geteuid(), os.getegid())
# One sandbox trading server beside MT5's stands for the others: they come from one table, and each is started alone elsewhere.
EVERYBODY = {"sandbox-mt5", "sandbox-mt4", "sandbox-psp", "web", "live", "worker", "sync", "slow", "rq", "beat"}


class Instance:
    """A throw-away Keelson in a process of its own."""

    def __init__(self, var_dir: Path, *options: str, runner: Runner = MYSELF) -> None:
        project = project_for(runner)
        self.var_dir, self.runner = var_dir, runner
        with (var_dir.parent / "output").open("w") as output:
            self.process = subprocess.Popen(
                [project.python, "-m", "launcher.supervisor", "--ephemeral", str(var_dir), "--web-workers=1", *options],
                env=environment(**project.paths, KEELSON_STATIC_ROOT=str(STATIC_ROOT)),
                cwd=project.root,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                **runner.popen_arguments(),
            )
        assert self.process.stdout
        with self.process.stdout as stdout:
            line = stdout.readline()
        if not line:
            self.process.wait(timeout=60)
            pytest.fail(self.output())
        self.addresses = json.loads(line)

    def output(self) -> str:
        return (self.var_dir.parent / "output").read_text()

    def living(self) -> dict[int, str]:
        """Our processes by number, with the names that the supervisor gave them."""
        names = {}
        for pid in guard.marked(self.addresses["instance"]):
            try:
                words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            names[pid] = next(word[16:].decode() for word in words if word.startswith(b"KEELSON_PROCESS="))
        return names

    def health(self) -> dict[str, bool]:
        with urllib.request.urlopen(f"{self.addresses['base_url']}/healthz", timeout=10) as response:
            return json.load(response)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"not so within {seconds} s")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="keelson-test-"))
    ordinary_user().own(directory)
    directory.chmod(0o755)
    yield directory
    devdb.stop(directory / "var")
    shutil.rmtree(directory)


def test_the_whole_starts_heals_stops_and_starts_again_with_its_data(home: Path) -> None:
    """First as an ordinary user; then as whoever runs the tests, perhaps root, in the same place."""
    user = ordinary_user()
    instance = Instance(home / "var", f"--only={','.join(sorted(EVERYBODY))}", runner=user)
    try:
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in instance.living()}
        assert owners == {user.uid}
        assert instance.health() == {"database": True, "queue": True}
        assert set(instance.living().values()) >= EVERYBODY
        _a_killed_worker_comes_back(instance)
        _work_goes_on_after_a_redis_that_hung_and_forgot(instance)
        _a_killed_redis_comes_back_with_its_queue(instance)
        with psycopg.connect(instance.addresses["database_url"]) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS answer")
        _a_second_one_is_refused(instance)
    finally:
        code = instance.stop()
    assert code == 0, instance.output()
    assert instance.output().rstrip().endswith("Stopped.")
    assert not instance.living()
    assert devdb.postgres_pid(instance.var_dir) is None
    assert devdb.redis_pid(instance.var_dir) is None
    again = Instance(home / "var", "--only=web,worker")
    try:
        with psycopg.connect(again.addresses["database_url"]) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (7,)
        assert redis.from_url(again.addresses["redis_url"]).lrange("kept", 0, -1) == [b"job"]
        _killing_the_supervisor_leaves_no_orphan(again)
    finally:
        again.process.kill()


def _a_killed_worker_comes_back(instance: Instance) -> None:
    killed = next(pid for pid, name in instance.living().items() if name == "beat")
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: "beat" in {name for pid, name in instance.living().items() if pid != killed})
    assert "ended by SIGKILL; starting it again" in instance.output()


def _a_killed_redis_comes_back_with_its_queue(instance: Instance) -> None:
    client = redis.from_url(instance.addresses["redis_url"])
    client.rpush("kept", "job")
    time.sleep(1.1)  # appendfsync everysec: the promise is one second
    killed = devdb.redis_pid(instance.var_dir)
    assert killed
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: devdb.redis_pid(instance.var_dir) not in (None, killed))
    wait_for(lambda: instance.health()["queue"])
    assert client.lrange("kept", 0, -1) == [b"job"]


# Asked for in the web process' place, while Redis hangs: an event, a job, and how long the person waited for it.
ASK = """
import time
from decimal import Decimal
from django.db import transaction
from crm.events import BalanceOperationSettled, publish
from crm.files.jobs import start_job
from crm.models import User

started = time.monotonic()
with transaction.atomic():
    user = User.objects.create_superuser("root@keelson.example", "root@keelson.example", "correct horse battery")
    event = publish(BalanceOperationSettled(operation_id=0, account_id=0, confirmed=True, amount=Decimal("1"), currency="EUR"))
    job = start_job("crm.table_export", owner=user, parameters={"table": "clients", "query": "", "scope": {}, "about": 1})
print("asked", event, job.pk, round(time.monotonic() - started))
"""


def _work_goes_on_after_a_redis_that_hung_and_forgot(instance: Instance) -> None:
    """Redis stops answering, then dies, and all it held is lost: the rows are the truth, and the clock finds them."""
    redis_pid = devdb.redis_pid(instance.var_dir)
    assert redis_pid
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        assert instance.health() == {"database": True, "queue": False}
        asked = run(
            instance.runner, str(ROOT / "manage.py"), "shell", "-v0", "-c", ASK, **instance.addresses["environment"]
        )
        word, event_id, job_id, seconds = asked.stdout.split()[-4:] if asked.stdout else ("", "", "", "")
        assert word == "asked", asked.stderr
        assert int(seconds) < 20, "a person does not wait for Redis"
    finally:
        os.kill(redis_pid, signal.SIGKILL)
    wait_for(lambda: instance.health()["queue"])
    redis.from_url(instance.addresses["redis_url"]).flushall()
    with psycopg.connect(instance.addresses["database_url"], autocommit=True) as connection:

        def is_done() -> bool:
            states = connection.execute(
                "SELECT state FROM crm_eventdelivery WHERE event_id = %s", [event_id]
            ).fetchall()
            job = connection.execute("SELECT state FROM crm_job WHERE id = %s", [job_id]).fetchone()
            return bool(states) and {state for (state,) in states} == {"done"} and job == ("done",)

        wait_for(is_done, 240)  # beside everything else on two cores


def _a_second_one_is_refused(instance: Instance) -> None:
    second = run(MYSELF, "-m", "launcher.supervisor", "--ephemeral", str(instance.var_dir))
    assert second.returncode == 1
    assert f"already runs on {instance.var_dir}, as process {instance.process.pid}" in second.stderr
    assert "make stop" in second.stderr


def _killing_the_supervisor_leaves_no_orphan(instance: Instance) -> None:
    assert set(instance.living().values()) == {"web", "worker"}
    instance.process.kill()
    instance.process.wait()
    wait_for(lambda: not instance.living(), 20)
    wait_for(lambda: devdb.postgres_pid(instance.var_dir) is None and devdb.redis_pid(instance.var_dir) is None, 20)


def test_a_taken_port_is_named_with_its_holder_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        chosen = ["--var", str(tmp_path), "--port", str(port), "--live-port", "0", "--no-sandboxes"]
        refused = run(MYSELF, "-m", "launcher.supervisor", *chosen)
    assert refused.returncode == 1
    assert f"Port {port} (the pages) is taken by process {os.getpid()}" in refused.stderr
    assert "`--port N` or KEELSON_PORT=N" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "pg").exists()


def test_a_var_that_cannot_be_made_is_named_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    refused = run(MYSELF, "-m", "launcher.supervisor", "--var", str(tmp_path / "file" / "var"), "--no-sandboxes")
    assert refused.returncode == 1
    assert "can't be made (Not a directory). Set KEELSON_VAR to a directory you own." in refused.stderr
    assert "Traceback" not in refused.stderr


def test_two_parts_on_one_port_are_told_apart() -> None:
    with pytest.raises(ports.PortTaken, match="asked for twice, by the pages and live updates"):
        [port] = ports.free_ports(1)
        ports.check("127.0.0.1", {"the pages": (port, "--port"), "live updates": (port, "--live-port")})


def test_free_ports_are_different_and_free() -> None:
    options = Options(
        Path("/nowhere"), port=0, live_port=0, sandbox_ports=dict.fromkeys(sandboxes.PORTS, 0), psp_port=8444
    )
    chosen = options.with_free_ports()
    numbers = [chosen.port, chosen.live_port, *chosen.sandbox_ports.values()]
    assert len(set(numbers)) == 2 + len(sandboxes.LISTENERS)
    assert all(ports.is_free("127.0.0.1", number) for number in numbers)
    assert chosen.psp_port == 8444


def test_what_ends_again_and_again_is_given_up_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.supervisor.processes.BACK_OFF_SECONDS", (0,))
    words = "print('no such host', flush=True); raise SystemExit(3)"
    with (tmp_path / "output").open("w") as stream:
        process = Running(Child("web", [sys.executable, "-S", "-c", words], phase=2), dict(os.environ), Output(stream))
        tries = 0
        while True:
            process.start()
            tries += 1
            assert process.process
            process.process.wait(timeout=20)
            process.finish_output()
            if not process.note_end():
                break
    assert tries == CRASHES_MAX
    assert process.last_lines[-1] == "no such host"
    assert "web          | ended with exit code 3; starting it again" in (tmp_path / "output").read_text()
    assert "giving up" in (tmp_path / "output").read_text()
