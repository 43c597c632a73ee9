"""With Redis away stored webhooks are booked and events delivered all the same, and nobody who pays waits for it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import redis

from crm.models import EventDelivery
from crm.queue import enqueue, without_broker
from launcher import devdb
from tests.sandbox.psp.running import wait_until
from tests.trading.processes import CELERY, WORKER, _process
from tests.wallet.conftest import outside  # noqa: F401 — a fixture
from tests.wallet.deposits.test_deposit import pay, start
from tests.wallet.withdrawals.test_withdrawal import rich, state, wallet  # noqa: F401 — rich is a fixture
from wallet.choices.deposits import DepositState
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import WebhookMessage

DONE_SECONDS_MAX = 90


@pytest.fixture
def own_redis(tmp_path: Path):
    """A Redis that nobody else needs."""
    folder = tmp_path / "var"
    url = devdb.ensure_redis(folder)
    yield folder, url
    devdb.stop_redis(folder)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_a_deposit_is_booked_and_told_while_redis_is_away(rich, outside, own_redis, tmp_path):
    folder, url = own_redis
    beat = [*CELERY, "beat", "--loglevel", "ERROR", "--schedule", str(tmp_path / "beat"), "--pidfile="]
    worker = [*WORKER, "--pool", "prefork", "-c", "1", "-Q", "events,default", "-n", f"away-{os.getpid()}@%h"]
    with _process(beat, REDIS_URL=url), _process(worker, REDIS_URL=url):
        broker = redis.from_url(url)
        wait_until(lambda: broker.keys("*"), seconds_max=DONE_SECONDS_MAX)  # they are at work
        devdb.stop_redis(folder)
        deposit = start(rich, outside, "50")
        pay(deposit)
        assert set(outside.deliver(wait_for=1, process=False)) == {200}
        wait_until(lambda: state(deposit) == DepositState.SETTLED, seconds_max=DONE_SECONDS_MAX)
        wait_until(lambda: not EventDelivery.objects.exclude(state="done").exists(), seconds_max=DONE_SECONDS_MAX)
        assert devdb.redis_pid(folder) is None
    assert not WebhookMessage.objects.filter(state="waiting").exists()
    assert posting.balance(wallet(rich)) == 105_000
    assert verify().problems == []


def test_what_is_due_is_done_here_only_while_the_broker_is_away(own_redis):
    folder, url = own_redis
    done: list[str] = []
    fallback = without_broker.Fallback({"a": lambda: done.append("a"), "b": lambda: 1 / 0}, redis_url=url)
    assert not fallback.look()
    devdb.stop_redis(folder)
    assert fallback.look()
    wait_until(lambda: done == ["a"], seconds_max=10)
    devdb.ensure_redis(folder)
    assert fallback.look(), "workers take a while to come back"
    fallback.needed_until = time.monotonic() - 1
    assert not fallback.look()


def test_every_task_that_goes_on_without_the_broker_exists():
    tasks = without_broker.due_tasks()
    assert {
        "crm.deliver_events",
        "wallet.process_due_webhooks",
        "wallet.continue_work",
        "trading.continue_work",
    } <= set(tasks)
    assert all(callable(task) for task in tasks.values())


def test_after_one_failure_nobody_waits_for_the_broker(monkeypatch):
    """A Redis that hangs costs one request its time-out, not each of them."""
    from crm import tasks

    asked: list[object] = []

    def hang(*_arguments: object, **_named: object) -> None:
        asked.append(1)
        raise redis.TimeoutError("Timeout reading from socket")

    monkeypatch.setattr(tasks.deliver_events, "apply_async", hang)
    for _request in range(10):
        enqueue.enqueue("crm.deliver_events")
    assert len(asked) == 1
    enqueue.expect_broker()
    enqueue.enqueue("crm.deliver_events")
    assert len(asked) == 2
