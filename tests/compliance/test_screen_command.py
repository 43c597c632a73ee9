"""`manage.py screen`: a name, a file of names, two names; nothing is stored and bad input is told apart from no match."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from compliance.models import Screening
from compliance.watchlists import import_watchlist
from tests.compliance.factories import load

pytestmark = pytest.mark.django_db


def run(*args):
    out = io.StringIO()
    call_command("screen", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def listed(tmp_path):
    return load(tmp_path, {"first": "Klara", "second": "Weber"}, {"first": "Владимир", "second": "Петров"})


def test_a_name_is_looked_up_with_birth_and_country(listed):
    found = json.loads(run("--name", "Klara Weber", "--born", "1970-03-04", "--country", "DE", "--json"))
    (match,) = found["matches"]
    assert (match["list"], match["listed"], match["match"]) == ("un", "Klara Weber", True)
    assert match["explanation"]["birth"] == "same_day" and match["score"] == 1.0
    assert json.loads(run("--name", "Ingeborg Zimmermann", "--json"))["matches"] == []
    assert not Screening.objects.exists()


def test_a_company_is_not_looked_for_among_people(listed):
    assert json.loads(run("--name", "Klara Weber", "--schema", "company", "--json"))["matches"] == []


def test_a_ship_is_found_by_its_name_or_its_imo_number(tmp_path):
    ship = {"name": ["Sea Glory"], "weakAlias": ["Morning Gale"], "imoNumber": ["IMO9187629"], "topics": ["sanction"]}
    path = tmp_path / "entities.ftm.json"
    path.write_text(json.dumps({"id": "v1", "schema": "Vessel", "properties": ship}), encoding="utf-8")
    import_watchlist(source="opensanctions-sanctions", path=path, actor=None)
    asked = ["--name", "M/T Sea Glory 2", "--schema", "vessel"]
    (match,) = json.loads(run(*asked, "--json"))["matches"]
    assert (match["listed"], match["match"], match["explanation"]["notes"]) == ("Sea Glory", True, ["numbers_differ"])
    assert json.loads(run("--name", "Sea Glory", "--json"))["matches"] == [], "a person isn't looked for among ships"
    (match,) = json.loads(run("--name", "Ocean Pride", "--schema", "vessel", "--number", "imo:9187629", "--json"))[
        "matches"
    ]
    assert match["score"] >= 0.95 and "same_number" in match["explanation"]["notes"]
    (weak,) = json.loads(run("--name", "Morning Gale", "--schema", "vessel", "--json"))["matches"]
    assert weak["score"] == 0.95 and weak["explanation"]["notes"] == ["weak_alias"], "a weak alias weighs less"


def test_every_line_of_a_file_is_one_answer(listed, tmp_path):
    names = tmp_path / "names.csv"
    names.write_text("name,born\nKlara Weber,1970-03-04\nVladimir Petrov,\nJohn Nobody,\n", encoding="utf-8")
    answers = [json.loads(line) for line in run("--file", str(names), "--json").splitlines()]
    assert [[match["listed"] for match in answer["matches"]] for answer in answers] == [
        ["Klara Weber"],
        ["Владимир Петров"],
        [],
    ]


def test_two_names_are_compared_word_by_word_without_a_list():
    found = json.loads(run("--pair", "Vladimir Putin", "Владимир Владимирович Путин", "--json"))
    assert found["match"] and {pair["client"] for pair in found["explanation"]["pairs"]} == {"vladimir", "putin"}
    assert found["explanation"]["left_over_listed"] == ["vladimirovich"]
    firm = json.loads(run("--pair", "OOO Romashka", "Romashka LLC", "--schema", "company", "--json"))
    assert firm["match"] and firm["schema"] == "company"
    assert "no match" in run("--pair", "Anna Weber", "Hugo Schmidt")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--name", "Klara Weber"], "No watchlist is in force"),
        (["--pair", " ", "Klara"], "The name is empty"),
        (["--pair", "Klara", "\u200b"], "The name is empty"),
        (["--pair", "Klara", "x" * 301], "longer than 300 characters"),
        (["--pair", "Klara", "Weber", "--born", "4.3.1970"], "isn't a valid date"),
        (["--pair", "Klara", "Weber", "--country", "Germany"], "isn't a country code"),
        (["--pair", "Klara", "Weber", "--threshold", "0"], "--threshold must be"),
    ],
)
def test_what_cannot_be_screened_is_said(args, says):
    with pytest.raises(CommandError, match=says):
        run(*args)


def test_a_bad_line_of_a_file_is_named(listed, tmp_path):
    names = tmp_path / "names.csv"
    names.write_text("name,born\nKlara Weber,soon\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"names.csv, line 2: “soon” isn't a valid date"):
        run("--file", str(names))
    names.write_text("who\nKlara\n", encoding="utf-8")
    with pytest.raises(CommandError, match="no column “name”"):
        run("--file", str(names))
    with pytest.raises(CommandError, match="can't be read"):
        run("--file", str(tmp_path / "missing.csv"))
