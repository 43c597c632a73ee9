"""`manage.py bench`: lists its members, measures one, says as JSON what it found, and fails where a goal is missed."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from bench import harness, web


def bench(*arguments: str) -> str:
    out = StringIO()
    call_command("bench", *arguments, stdout=out)
    return out.getvalue()


def figures(value: float) -> list[harness.Figure]:
    return [harness.at_most(harness.Figure("a page", value, "ms", 10, "a bare page"), 50)]


def test_without_a_name_it_says_what_there_is():
    assert "web" in bench() and "profile page" in bench()
    assert "web" in json.loads(bench("--json"))


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(Exception, match="web"):
        bench("wep")


def test_json_holds_the_figure_its_yardstick_and_the_machine(db, monkeypatch):
    monkeypatch.setattr(web, "run", lambda size: figures(20))
    report = json.loads(bench("web", "--json"))
    assert report["bench"] == "web" and report["size"] == "quick" and report["machine"]["cores"]
    assert report["figures"] == [
        {
            "name": "a page",
            "value": 20,
            "unit": "ms",
            "yardstick": 10,
            "yardstick_name": "a bare page",
            "ratio": 2.0,
            "goal": "ms <= 50",
            "ok": True,
        }
    ]


def test_check_fails_where_a_goal_is_missed_and_only_there(db, monkeypatch):
    monkeypatch.setattr(web, "run", lambda size: figures(51))
    assert "MISSED" in bench("web")
    with pytest.raises(SystemExit) as ended:
        bench("web", "--check")
    assert ended.value.code == 1
    monkeypatch.setattr(web, "run", lambda size: figures(50))
    assert "MISSED" not in bench("web", "--check")


def test_a_ratio_is_held_against_its_goal():
    slow = harness.at_most(harness.Figure("list", 26, "ms", 10, "bare"), 2.5, by_ratio=True)
    quick = harness.at_least(harness.Figure("rows", 120, "rows/s", 100, "plain insert"), 1.0, by_ratio=True)
    assert (slow.ratio, slow.ok, quick.ok) == (2.6, False, True)
