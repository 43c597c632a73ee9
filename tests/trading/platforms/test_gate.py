"""Circuit breaker, rate limits, separate pools, and forks: what stands between us and a server in trouble."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trading.sandbox_server import Sandbox
from trading.models import TradingServer
from trading.platforms import pool, shared
from trading.platforms.base import Purpose
from trading.platforms.circuit_breaker import REST_SECONDS, Breaker, Gate, Limit, Rate
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError, ReadTimedOut
from trading.platforms.shared import shared_turn


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def fail(gate: Gate, problem: PlatformError) -> None:
    with pytest.raises(type(problem)), gate.passing():
        raise problem


# -- breaker ----------------------------------------------------------------------------------------------------------


def test_after_five_silences_in_a_row_the_server_is_left_alone_and_tried_once() -> None:
    clock = Time()
    gate = Gate(Breaker(clock=clock))
    for problem in (ReadTimedOut("x"), OutcomeUnknown("x"), NotStarted("x"), ReadTimedOut("x"), ReadTimedOut("x")):
        fail(gate, problem)
    with pytest.raises(NotStarted, match="5 times in a row"), gate.passing():
        raise AssertionError("this must not be asked")
    clock.now += REST_SECONDS[0]
    with gate.passing(), pytest.raises(NotStarted), gate.passing():  # one command tries, the others wait
        raise AssertionError("this must not be asked")
    with gate.passing():
        pass


def test_a_failed_try_makes_the_rest_longer() -> None:
    clock = Time()
    breaker = Breaker(clock=clock)
    gate = Gate(breaker)
    for _number in range(5):
        fail(gate, ReadTimedOut("x"))
    rests = []
    for _try in range(5):
        rests.append(breaker.open_until - clock.now)
        clock.now = breaker.open_until
        fail(gate, ReadTimedOut("x"))
    assert rests == [2, 5, 10, 30, 30]
    assert breaker.is_open


def test_a_refusal_is_an_answer_and_breaks_nothing() -> None:
    gate = Gate(Breaker())
    for _number in range(20):
        fail(gate, FinalError("no money", code=10019))
        fail(gate, NotStarted("wrong password", code=1001))
        fail(gate, PlatformBusy("too frequent", code=12))
    with gate.passing():
        pass


def test_an_open_breaker_says_not_started_so_that_money_may_wait_and_go_later() -> None:
    gate = Gate(Breaker(failures_max=1, clock=Time()))
    fail(gate, OutcomeUnknown("the answer was lost"))
    with pytest.raises(NotStarted), gate.passing():
        pass


# -- rate -------------------------------------------------------------------------------------------------------------


def test_commands_wait_for_their_turn_and_give_up_when_it_is_far() -> None:
    clock = Time()
    limit = Limit(Rate(10, 5, 1.0), clock=clock, sleep=clock.sleep)
    for _number in range(5):
        limit.enter()
    assert clock.slept == 0
    for _number in range(20):
        limit.enter()
    assert clock.slept == pytest.approx(2.0)
    held = Limit(Rate(10, 1, 1.0), clock=lambda: 1000.0, sleep=lambda _seconds: None)
    with pytest.raises(PlatformBusy, match="our own limit"):
        for _number in range(30):
            held.enter()


def test_too_frequent_halves_the_rate_and_success_brings_it_back() -> None:
    clock = Time()
    limit = Limit(Rate(100, 10, 1.0), clock=clock, sleep=clock.sleep)
    gate = Gate(limit=limit)
    fail(gate, PlatformBusy("too frequent", code=12))
    fail(gate, PlatformBusy("too frequent", code=12))
    assert limit.per_second == 25
    for _number in range(40):
        with gate.passing():
            pass
    assert limit.per_second == 100


def test_a_server_that_counts_commands_is_obeyed(sandbox: Sandbox) -> None:
    """facts/platforms §8: retcode 12 with an undocumented threshold."""
    sandbox.post("frequency", per_second=5)
    try:
        with sandbox.client() as client:
            limit = client.gate.limit = Limit(Rate(50, 10, 1.0))
            outcomes = []
            for _number in range(12):
                try:
                    client.read("GROUP_TOTAL")
                    outcomes.append(True)
                except PlatformBusy:
                    outcomes.append(False)
            assert outcomes[0] and not all(outcomes)
            assert limit.per_second < 50
    finally:
        sandbox.post("frequency", per_second=0)


def test_processes_share_one_rate() -> None:
    """Two workers get what one would: five at once, then one a second between them."""
    name = f"test-{time.monotonic_ns()}"
    clock = Time()
    here = Limit(Rate(1, 5, 5.0), shared=shared_turn(name), clock=clock, sleep=clock.sleep)

    def elsewhere() -> float:
        slept: list[float] = []
        there = Limit(Rate(1, 5, 5.0), shared=shared_turn(name), sleep=slept.append)
        for _number in range(4):
            there.enter()
        return sum(slept)

    for _number in range(4):
        here.enter()
    assert clock.slept == 0
    assert float(in_child(elsewhere)) > 2  # 1 of its 4 was free; the others were due 1, 2 and 3 s later
    impatient = Limit(Rate(1, 5, 0.01), shared=shared_turn(name), sleep=lambda _seconds: None)
    with pytest.raises(PlatformBusy):
        impatient.enter()


def test_without_redis_every_process_counts_for_itself(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    shared.redis_client.cache_clear()
    try:
        turn = shared_turn("nobody")
        assert turn(10, 5, 1.0) is None
        clock = Time()
        limit = Limit(Rate(10, 2, 1.0), shared=turn, clock=clock, sleep=clock.sleep)
        for _number in range(4):
            limit.enter()
        assert clock.slept == pytest.approx(0.2)
    finally:
        shared.redis_client.cache_clear()


# -- pools ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_long_read_does_not_hold_up_money(server: TradingServer, sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    money, reads = (pool.platform_for(server, purpose) for purpose in (Purpose.MONEY, Purpose.READS))
    money.server_time(), reads.server_time()
    sandbox.fault("slow", "GROUP_TOTAL", value=3)
    reader = threading.Thread(target=reads.groups)
    reader.start()
    time.sleep(0.1)
    started = time.monotonic()
    assert money.read_account(login) is not None
    assert time.monotonic() - started < 2.5 and reader.is_alive()
    reader.join()


@pytest.mark.django_db
def test_reads_that_hang_do_not_close_the_way_for_money(server: TradingServer, sandbox: Sandbox, settings) -> None:
    settings.TRADING_READ_SECONDS = 0.2
    login = sandbox.new_account()
    reads = pool.platform_for(server, Purpose.READS)
    sandbox.fault("never_before", "TIME_SERVER", times=5)
    for _number in range(5):
        with pytest.raises(ReadTimedOut):
            reads.server_time()
    with pytest.raises(NotStarted, match="in a row"):
        reads.server_time()
    assert pool.platform_for(server, Purpose.MONEY).read_account(login) is not None
    server.port = 1  # a changed server is another way: it starts with a closed breaker
    with pytest.raises(NotStarted, match="can't reach"):
        pool.platform_for(server, Purpose.READS).server_time()


@pytest.mark.django_db
def test_connections_are_kept_per_purpose_and_dropped_when_the_server_changes(server: TradingServer) -> None:
    first = pool.platform_for(server, Purpose.MONEY)
    assert pool.platform_for(server, Purpose.MONEY) is first
    assert pool.platform_for(server, Purpose.BACKFILL) is not first
    server.balance_command = "FXC_CHANGEDEPOSIT"
    assert pool.platform_for(server, Purpose.MONEY) is not first


# -- forks ------------------------------------------------------------------------------------------------------------


def in_child(work: Callable[[], object]) -> str:
    """What `work` returns in a child of a real fork, as text."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        try:
            told = str(work())
        except BaseException as problem:
            told = repr(problem)
        os.write(write_end, told.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return told


def open_files() -> set[str]:
    """What this process holds open, by its name in the kernel."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(entry.readlink()))
    return found


@pytest.mark.parametrize("form", ["raw", "rest"])
def test_no_socket_crosses_a_fork(sandbox: Sandbox, form: str) -> None:
    """facts/platforms §9.4: the child's copy is closed at the fork; the parent's session neither ends nor moves."""
    with sandbox.client(form) as client:
        client.read("TIME_SERVER")
        sock = client._link.sock if form == "raw" else client._session.http.sock  # type: ignore[attr-defined]
        mine = str(Path(f"/proc/self/fd/{sock.fileno()}").readlink())
        assert mine in open_files()

        def in_the_child() -> str:
            mine_still = mine in open_files()
            code = client.read("TIME_SERVER").retcode
            return f"{mine_still} {code} {sandbox_sessions()}"

        def sandbox_sessions() -> int:
            return int(sandbox.state()["sessions"])

        before = sandbox_sessions()
        assert in_child(in_the_child) == f"False 0 {before + 1}"
        assert client.read("TIME_SERVER").retcode == 0
        now = client._link.sock if form == "raw" else client._session.http.sock  # type: ignore[attr-defined]
        assert now is sock


def test_a_fork_in_the_middle_of_a_command_leaves_the_child_free(sandbox: Sandbox) -> None:
    """Another thread holds the connection's lock at the fork: the child must not wait for it for ever."""
    with sandbox.client() as client:
        client.read("TIME_SERVER")
        sandbox.fault("slow", "GROUP_TOTAL", value=3)
        thread = threading.Thread(target=client.read, args=("GROUP_TOTAL",))
        thread.start()
        time.sleep(0.2)
        started = time.monotonic()
        assert in_child(lambda: client.read("TIME_SERVER").retcode) == "0"
        assert time.monotonic() - started < 2.5
        thread.join()


@pytest.mark.django_db
def test_a_child_starts_with_an_empty_pool(server: TradingServer) -> None:
    platform = pool.platform_for(server, Purpose.READS)
    platform.server_time()
    assert in_child(lambda: len(pool._platforms)) == "0"
    assert pool.platform_for(server, Purpose.READS) is platform
    assert platform.deals_since(None, mask="none", overlap=dt.timedelta(0)).deals == []
