"""`bench figures` on a small house: its rows are there, and what is kept after its busy minutes differs from nothing."""

import pytest

from bench import figures
from leads.models import Lead
from wallet.models import Deposit

pytestmark = pytest.mark.django_db


def test_busy_minutes_leave_figures_as_computed_from_nothing():
    figures.load("tiny")
    assert Lead.objects.count() >= figures.SIZES["tiny"] and Deposit.objects.filter(settled_at__isnull=False).exists()
    measured = {figure.name.partition(": ")[2]: figure for figure in figures.measure("tiny")}
    assert measured["places that differ from it"].value == 0
    assert all(figure.value > 0 and figure.yardstick for name, figure in measured.items() if "differ" not in name)
