"""Shared by all tests. The database part is in `tests/database.py`, the people in `tests/cast.py`."""

import functools
import gc
import os
from collections.abc import Generator

import httpx
import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from crm.project import memory
from tests import constants, database
from tests.cast import browse
from tests.database import django_db_setup, empty_redis, pytest_unconfigure
from tests.peopled import cast, cast_and_world, demo_world, pytest_fixture_post_finalizer, pytest_fixture_setup

__all__ = [
    "browse",
    "cast",
    "cast_and_world",
    "demo_world",
    "django_db_setup",
    "empty_redis",
    "pytest_fixture_post_finalizer",
    "pytest_fixture_setup",
    "pytest_unconfigure",
]


# Tests speak plain HTTP to servers of this machine, and each `httpx.post` would read all certificates first, which takes 25 ms.
httpx._transports.default.create_ssl_context = functools.cache(httpx.create_ssl_context)


# A machine that is busy must fail no test: neither a slow example nor slow input does.
settings.register_profile("keelson", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("keelson")


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # while everything is imported nothing is garbage
    database.start_servers()


# Tests of many seconds, the longest first. Begun last, one of them would keep a process busy while the others have nothing to do.
LONGEST = (
    "tests/faults/test_supervisor.py",
    "tests/wallet/test_kill_minus_nine.py",
    "tests/walker/test_every_url_as_every_role.py",
    "tests/wallet/webhooks/test_thousand_events.py",
    "tests/trading/sync/test_live_deals.py",
    "tests/trading/demo/test_demo.py",
    "tests/portal/test_german.py",
    "tests/faults/test_postgres_restart.py",
    "tests/wallet/test_payment_life_cycle.py",
    "tests/properties/test_reconciliation.py",
    "tests/ib/test_oracle.py",
    "tests/browser/test_every_page.py",
    "tests/browser/test_month_end.py",
    "tests/browser/test_live_deal.py",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Hypothesis gets what its plugin would read here; then the order of the tests."""
    if any(is_hypothesis_test(item.obj) for item in items if isinstance(item, pytest.Function)):
        constants.give_to_hypothesis()
    yield
    longest_first(items)


def longest_first(items: list[pytest.Item]) -> None:
    """Each process starts with its share of the long ones: xdist gives it one stretch of the list to begin with.

    After pytest has put tests of one parameter together, which moves them across the stretches.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes == 1:
        return
    rank = {name: place for place, name in enumerate(LONGEST)}
    long = sorted(
        (item for item in items if item.nodeid.split("::")[0] in rank),
        key=lambda item: rank[item.nodeid.split("::")[0]],
    )
    others = [item for item in items if item.nodeid.split("::")[0] not in rank]
    size = -(-len(others) // processes)
    items[:] = [
        item
        for number in range(processes)
        for item in (*long[number::processes], *others[number * size : (number + 1) * size])
    ]


def pytest_collection_finish(session: pytest.Session) -> None:
    """As a server does: what was loaded stays, and is left out of the search for garbage. Frozen before anything is looked for:
    that search takes a sixth of a start, and finds some megabytes."""
    memory.load_all()
    gc.freeze()
    gc.enable()
