"""Shared by all tests. The database part is in `tests/database.py`, the people in `tests/cast.py`."""

from tests.cast import browse, cast
from tests.database import django_db_setup, empty_redis, pytest_configure, pytest_unconfigure

__all__ = ["browse", "cast", "django_db_setup", "empty_redis", "pytest_configure", "pytest_unconfigure"]
