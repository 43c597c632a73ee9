"""`bench aml` on a few rows: every rule is tried out and run live."""

import pytest

from bench import aml
from compliance.aml.models import AmlPending

pytestmark = pytest.mark.django_db(transaction=True)


def test_rules_are_tried_out_and_run():
    measured = aml.measure("tiny")
    assert all(figure.value > 0 and figure.yardstick for figure in measured)
    assert not AmlPending.objects.exists()
