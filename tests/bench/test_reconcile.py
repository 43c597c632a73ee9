"""`bench reconcile` on a few thousand rows: the truth it makes has every trap, and the matching falls into none."""

import pytest

from bench import reconcile, reconcile_truth

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_match_is_false_and_every_planted_break_is_named():
    reports = reconcile.prepared(3_000)
    assert len(reports) == reconcile_truth.PSPS
    reconcile.matching(reports, 3_000)
    figures = reconcile.judged()
    assert [figure.name for figure in figures if figure.ok is False] == []
    assert next(figure for figure in figures if figure.name == "breaks planted").value > 10
