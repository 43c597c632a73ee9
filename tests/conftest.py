"""Shared by all tests. The database part is in `tests/database.py`, the people in `tests/cast.py`."""

import gc

import pytest

from crm import memory
from tests import database
from tests.cast import browse, cast
from tests.database import django_db_setup, empty_redis, pytest_unconfigure

__all__ = ["browse", "cast", "django_db_setup", "empty_redis", "pytest_unconfigure"]


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # while everything is imported nothing is garbage
    database.start_servers()


def pytest_collection_finish(session: pytest.Session) -> None:
    """As a server does: what was loaded stays, and is left out of the search for garbage."""
    gc.enable()
    memory.settle()
