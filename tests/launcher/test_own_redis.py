"""Tests on a Redis of one's own: each process has a number, and nobody else's keys are touched."""

import os
import subprocess
import sys

import pytest
import redis
from django.conf import settings

from launcher import devdb
from tests.database import CLAIMED, claim_redis

ASK = """
import os, sys
from crm.settings import test
print(test.REDIS_URL, os.environ["REDIS_URL"], flush=True)
sys.stdin.readline()
"""


def test_processes_side_by_side_get_numbers_of_their_own(tmp_path):
    """As pytest-xdist's workers do, which inherit REDIS_URL and each lease a slot."""
    known = ("KEELSON_TEST_SLOT", "REDIS_URL")
    environment = {name: value for name, value in os.environ.items() if name not in known}
    environment |= {"KEELSON_VAR": str(tmp_path), "REDIS_URL": "redis://:secret@cache.example:6379/4"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ASK], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _number in range(2)
    ]
    try:
        told = [process.stdout.readline().split() for process in processes]
    finally:
        for process in processes:
            process.communicate("\n", timeout=60)
    assert sorted(own for own, _inherited in told) == [
        "redis://:secret@cache.example:6379/5",
        "redis://:secret@cache.example:6379/6",
    ]
    assert {inherited for _own, inherited in told} == {"redis://:secret@cache.example:6379/4"}


@pytest.mark.parametrize(
    ("url", "more", "wanted"),
    [
        ("redis://host:6379", 3, "redis://host:6379/3"),
        ("rediss://user:p@host:6379/2?ssl_cert_reqs=none", 1, "rediss://user:p@host:6379/3?ssl_cert_reqs=none"),
        ("unix:///run/redis.sock?db=0", 7, "unix:///run/redis.sock?db=7"),
        ("unix:///run/redis.sock", 1, "unix:///run/redis.sock?db=1"),
    ],
)
def test_a_number_is_added_to_every_kind_of_address(url, more, wanted):
    assert devdb.numbered_redis_url(url, more) == wanted


@pytest.fixture
def numbers():
    """Two numbers of the tests' own server that no other process has."""
    urls = [devdb.redis_url(settings.VAR_DIR, db=devdb.lease_slot(settings.VAR_DIR)) for _number in range(2)]
    for url in urls:
        redis.from_url(url).flushdb()
    yield urls
    for url in urls:
        redis.from_url(url).flushdb()


def test_a_number_with_somebody_elses_keys_is_refused_and_kept(numbers):
    shared, own = numbers
    redis.from_url(own).set("session:1", "somebody")
    with pytest.raises(pytest.UsageError, match="aren't these tests'"):
        claim_redis(shared, own)
    assert redis.from_url(own).get("session:1") == b"somebody"
    assert not redis.from_url(shared).exists(CLAIMED)


def test_a_number_that_tests_took_before_is_theirs(numbers):
    shared, own = numbers
    redis.from_url(shared).set("somebody", "else")
    claim_redis(shared, own)
    redis.from_url(own).set("left by", "a run that was killed")
    claim_redis(shared, own)
    assert redis.from_url(shared).get("somebody") == b"else"
