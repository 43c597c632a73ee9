"""Shared by all tests. The database part is in `tests/database.py`, the people in `tests/cast.py`."""

from hypothesis import HealthCheck, settings

from tests.cast import browse, cast
from tests.database import django_db_setup, empty_redis, pytest_configure, pytest_unconfigure

__all__ = ["browse", "cast", "django_db_setup", "empty_redis", "pytest_configure", "pytest_unconfigure"]

# How fast a machine is decides no test.
settings.register_profile("keelson", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("keelson")
