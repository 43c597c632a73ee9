"""`bench due` on a few rows: every one of them is handled once, and none is left."""

import pytest

from bench import due

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_row_is_handled_once_by_one_sweeper_and_by_two():
    measured = {figure.name: figure for figure in due.measure("tiny")}
    assert measured["due rows lost or handled twice"].value == 0
    assert all(figure.value > 0 and figure.yardstick for name, figure in measured.items() if "lost" not in name)
