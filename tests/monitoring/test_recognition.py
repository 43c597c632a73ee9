"""Files of systems this project has never seen: fields under other names, times in other forms, floors of other styles."""

import itertools
import json

import pytest
from django.core.management import CommandError, call_command

from monitoring.history.counting import Floor
from monitoring.history.moments import moment, number, seconds
from monitoring.history.reading import Reader
from monitoring.history.recognition import fields_of, stem
from sandbox.floor_styles import STYLES, styled


@pytest.mark.parametrize(
    ("key", "short"),
    [
        ("operator_id", "operator"),
        ("crm_user_name", "user"),
        ("event_type_code", "event"),
        ("payload_client_ref", "client"),
    ],
)
def test_what_doesnt_tell_is_stripped(key, short):
    assert stem(key) == short


def test_tables_of_several_files_are_one_history(tmp_path, capsys):
    """As CERT's insider logs are: month first, a kind that only its file explains, and rows that are named by file and number."""
    logon, device, listed = tmp_path / "logon.csv", tmp_path / "device.csv", tmp_path / "views.json"
    days = [f"01/{day:02}/2010" for day in range(1, 29)]
    logon.write_text(
        "id,date,user,pc,activity\n"
        + "".join(f"{{{n}}},{day} 08:0{n % 10}:00,U{n % 4},PC-{n % 4},Logon\n" for n, day in enumerate(days))
    )
    rows = "".join(f"{{d{n}}};{day} 09:00:00;U{n % 4};PC-{n % 4};R:\\;Connect\n" for n, day in enumerate(days))
    device.write_text(
        "id;date;user;pc;file_tree;activity\n" + rows + "{x};yesterday;U1;PC-1;;Connect\n", encoding="utf-16"
    )
    listed.write_text(
        json.dumps([{"date": "01/05/2010 10:00:00", "user": "U1", "activity": "File Copy", "pc": "PC-1"}])
    )
    call_command("monitoring_score", source=[logon, device, listed], target=tmp_path / "alerts.csv")
    said = json.loads(capsys.readouterr().out)
    assert (said["events"], said["without_time"], said["unknown_kinds"]) == (57, 1, {})
    assert said["kinds"] == {"Logon": "login", "device Connect": "download", "File Copy": "download"}
    assert said["errors"] == ["device, row 30, date: “yesterday” can't be read"]
    (tmp_path / "prose.csv").write_text("no table\n")
    with pytest.raises(CommandError, match="neither JSON nor a table"):
        call_command("monitoring_score", source=[tmp_path / "prose.csv"], target=tmp_path / "alerts.csv")


def test_the_key_whose_values_are_kinds_is_the_kind():
    sample = [
        {"type": "crm", "event": f"e{n}", "verb_label": "viewed", "at": f"2026-03-0{n}T10:00:00", "rep": "x"}
        for n in range(1, 9)
    ]
    assert {"kind": "verb_label", "ts": "at", "agent": "rep"}.items() <= fields_of(sample, {}).items()


def test_values_decide_where_no_name_is_known():
    sample = [
        {"col1": f"2026-03-0{1 + n % 9} 10:00:0{n % 10}", "col2": f"P{n % 3}", "col3": ("client_opened", "call")[n % 2]}
        for n in range(60)
    ]
    assert fields_of(sample, {}) == {"ts": "col1", "kind": "col3", "agent": "col2"}


def test_a_date_and_a_time_of_day_in_two_fields(tmp_path):
    lines = [
        {
            "date": "03/14/2026",
            "time": f"0{n}:30:00",
            "user": "a",
            "event": "view",
            "client": n,
            "call_length": "0:03:20",
        }
        for n in range(9)
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    events = [event for _day, events in Reader(path).days() for event in events]
    assert [event.second for event in events] == [n * 3600 + 1800 for n in range(9)]


@pytest.mark.parametrize(
    ("value", "key", "length"), [("0:03:20", "d", 200), ("3:20", "d", 200), (90_000, "talk_ms", 90), (2, "x_min", 120)]
)
def test_lengths(value, key, length):
    assert seconds(value, key) == length


def test_american_dates_are_read_as_such_where_the_file_shows_it():
    assert moment("03/04/2026 10:00:00", is_month_first=True) != moment("03/04/2026 10:00:00")


@pytest.mark.parametrize("style", STYLES)
def test_each_style_is_read_whole(style, tmp_path):
    path = tmp_path / "events.jsonl"
    made = list(itertools.islice(styled(style, 5).events(), 6000))
    path.write_text("\n".join(map(json.dumps, made)))
    reader, floor = Reader(path), Floor()
    for day, events in reader.days():
        for event in events:
            floor.add(event, day)
        floor.close(day)
    assert not reader.report.unknown_kinds and not reader.report.without_agent and not reader.report.without_time
    assert reader.report.events + reader.report.duplicates == len(made)
    assert {"ts", "agent", "kind", "client"} <= reader.report.fields.keys() and len(floor.agents) > 10


@pytest.mark.parametrize(
    "huge",
    [10**400, -(10**400), "9" * 400, "1" + "0" * 30, float("inf"), float("nan"), 1e300],
    ids=["integer", "below nothing", "text", "thirty digits", "infinite", "no number", "float"],
)
def test_a_figure_beyond_all_measure_is_none_and_no_time(huge):
    assert moment(huge) is None
    assert number(huge) is None
    assert seconds(huge, "duration_ms") is None
