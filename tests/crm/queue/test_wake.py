"""A burst of wakes is few messages to the broker, and the last of them comes after the last of the burst."""

import time

import pytest

from crm.queue.enqueue import BURST_SECONDS, enqueue_soon_on_commit

pytestmark = pytest.mark.django_db(transaction=True)
TASK = "wallet.process_due_webhooks"


def waiting(redis) -> int:
    """Messages in all of the broker's queues."""
    return sum(redis.llen(key) for key in redis.keys("*") if redis.type(key) == b"list")


def test_the_first_goes_at_once_and_one_follows_the_last(empty_redis):
    time.sleep(2 * BURST_SECONDS)  # whatever another test asked for is over
    enqueue_soon_on_commit(TASK)
    assert waiting(empty_redis) == 1
    for _again in range(30):
        enqueue_soon_on_commit(TASK)
    assert waiting(empty_redis) < 30
    asked_before_the_last = waiting(empty_redis)
    enqueue_soon_on_commit(TASK)
    time.sleep(4 * BURST_SECONDS)
    assert asked_before_the_last <= waiting(empty_redis) <= asked_before_the_last + 2
    assert waiting(empty_redis) >= 2, "what came during the burst is woken for too"
