"""Shared by all tests. The database part is in `tests/database.py`."""

from tests.database import django_db_setup, empty_redis, pytest_configure, pytest_unconfigure

__all__ = ["django_db_setup", "empty_redis", "pytest_configure", "pytest_unconfigure"]
