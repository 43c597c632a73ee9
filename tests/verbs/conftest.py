"""The demo with those who call, once for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from crm.models import User
from tests import peopled
from tests.verbs.people import people


@pytest.fixture(scope="module")
def staff(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, User]]:
    """The demo with those who call, for all tests of the module."""
    with django_db_blocker.unblock(), peopled.of_demo(), transaction.atomic():
        yield people()
        transaction.set_rollback(True)


@pytest.fixture
def anew(staff: dict[str, User], django_db_blocker: Any) -> Iterator[dict[str, User]]:
    """Each test finds the demo as it was, and people of whom nothing is remembered."""
    with django_db_blocker.unblock():
        point = transaction.savepoint()
        yield {name: User.objects.get(pk=user.pk) for name, user in staff.items()}
        transaction.set_rollback(False)  # a row that a CHECK refused fails one test, not all after it
        transaction.savepoint_rollback(point)
