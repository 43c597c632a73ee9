"""`bench monitoring`: its part on anomalies measures traders, partners and operations, and finds what was planted."""

from bench import anomalies


def test_each_kind_of_subject_is_measured():
    figures = anomalies.measure("tiny")
    assert {figure.name.partition(":")[0] for figure in figures} == {"traders", "partners", "operations"}
    assert all(figure.goal for figure in figures) and any(
        figure.value > 0 for figure in figures if "found" in figure.name
    )
