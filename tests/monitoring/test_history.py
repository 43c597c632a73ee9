"""Another system's history: read liberally, scored by the scorer of the live pages, nothing dropped in silence."""

import csv
import json
import random
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from monitoring.engine import signals
from monitoring.history import mapping
from monitoring.history.counting import Floor
from monitoring.history.moments import moment
from monitoring.history.reading import Reader
from sandbox.floor import SalesFloor, Size

SMALL = Size(agents=14, days=48, clients_each=30, views=14.0)


def write(path, events):
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def score(source, target, **options):
    call_command("monitoring_score", source=[source], target=target, **options)
    with target.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    made = list(SalesFloor(3, SMALL, attacks=False).events())
    sweep = [
        {
            "ts": f"2025-02-19T11:{n:02d}:05",
            "agent": "a003",
            "kind": "view",
            "client": f"x{n * 7}",
            "client_owner": "a001",
        }
        for n in range(50)
    ]
    return made + sweep


def test_a_days_sweep_of_a_colleagues_clients_is_the_highest_score(floor, tmp_path):
    rows = score(write(tmp_path / "events.jsonl", floor), tmp_path / "alerts.csv")
    assert list(rows[0]) == ["agent", "date", "score", "alert", "reasons"]
    late = [row for row in rows if row["date"] >= "2025-02-03"]
    worst = max(late, key=lambda row: float(row["score"]))
    assert (worst["agent"], worst["date"]) == ("a003", "2025-02-19")
    assert "expected" in worst["reasons"] and "outside own book" in worst["reasons"]
    assert len({row["agent"] for row in rows if row["alert"] == "1"}) <= 0.005 * len(rows) + 2


def test_order_duplicates_and_other_names_change_nothing(floor, tmp_path):
    plain = score(write(tmp_path / "plain.jsonl", floor), tmp_path / "plain.csv")
    names = {"ts": "timestamp", "agent": "user_id", "kind": "event_type", "client_owner": "owner_id"}
    kinds = {"view": "client.opened", "unlock": "PhoneRevealed", "call": "outbound_call"}
    renamed = [{names.get(key, key): value for key, value in event.items()} for event in floor]
    for event in renamed:
        event["event_type"] = kinds.get(event["event_type"], event["event_type"])
    renamed += renamed[:300]
    random.Random(1).shuffle(renamed)
    assert score(write(tmp_path / "other.jsonl", renamed), tmp_path / "other.csv") == plain


def test_bad_lines_are_counted_and_the_rest_is_scored(tmp_path, capsys):
    good = [
        {"ts": f"2025-03-{d:02d}T09:00:00Z", "agent": "a", "kind": "view", "client": n}
        for d in range(1, 20)
        for n in range(9)
    ]
    bad = ["not json", "[1]", '{"agent": "a", "kind": "view"}', '{"ts": "yesterday", "agent": "a"}', "null"]
    odd = [
        {
            "ts": 1_741_000_000_000,
            "agent": "b",
            "kind": "warp",
            "client": {"id": 3, "owner": "a", "value": "1,200 EUR"},
        },
        {"ts": "2091-01-01T00:00:00", "agent": "a", "kind": "view", "client": 1},
        {"ts": "2025-03-05T10:00:00", "agent": None, "kind": "view", "client": 1},
        {"ts": "2025-03-05T10:00:00", "agent": "a", "kind": "view", "client": 1, "rows": "many", "duration_s": -5},
    ]
    path = write(tmp_path / "events.jsonl", good * 12 + odd)
    path.write_text(path.read_text() + "\n".join(bad))
    rows = score(path, tmp_path / "alerts.csv")
    told = json.loads(capsys.readouterr().out)
    assert len(rows) == 20 and {row["agent"] for row in rows} == {"a", "b"}
    assert told["unreadable_lines"] == 3 and told["without_time"] == 2 and told["without_agent"] == 1
    assert told["unknown_kinds"] == {"warp": 1}
    assert told["stray_days"] in (0, 1)
    assert told["duplicates"] == 11 * len(good)


def test_a_file_without_times_or_agents_says_what_to_state(tmp_path):
    with pytest.raises(CommandError, match="--map-field"):
        score(write(tmp_path / "events.jsonl", [{"kind": "view"}]), tmp_path / "alerts.csv")


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("client_view", "view"),
        ("ViewDeposits", "view"),
        ("phone.unmasked", "reveal"),
        ("CALL_OUT", "call"),
        ("bulk export", "export"),
        ("login_failed", "login_failed"),
        ("user.login", "login"),
        ("list_open", "list"),
        ("email_sent", "mail"),
        ("sick leave", "context"),
        ("xyzzy", ""),
    ],
)
def test_other_words_for_what_agents_do(word, kind):
    assert mapping.kind_of(word) == kind


@pytest.mark.parametrize(
    "written",
    [
        "2025-03-04T10:00:05Z",
        "2025-03-04 10:00:05.123+02:00",
        1_741_082_405,
        "1741082405",
        1_741_082_405_000,
        "04/03/2025 10:00:05",
    ],
)
def test_times_as_other_systems_write_them(written):
    assert moment(written) == (739_314, 36_005)


def test_the_docs_list_each_signal():
    text = Path("docs/domain/monitoring.md").read_text()
    assert [feature.value for feature in signals.FEATURES if f"| `{feature.value}` |" not in text] == []


def test_a_day_longer_than_a_chunk_is_read_whole(floor, tmp_path, monkeypatch):
    monkeypatch.setattr("monitoring.history.reading.CHUNK", 50)
    reader = Reader(write(tmp_path / "events.jsonl", floor[:4000]))
    assert sum(1 for _day, events in reader.days() for _event in events) + reader.report.duplicates == 4000


def last_day_of(agent: str, path: Path) -> dict[str, float]:
    """What is counted of an agent's last day."""
    floor = Floor()
    for day, events in Reader(path).days():
        for found in events:
            floor.add(found, day)
        counted = floor.close(day)
    row = counted.counts[[floor.names[pk] for pk in counted.agents].index(agent)]
    return {feature.value: float(row[n]) for n, feature in enumerate(signals.FEATURES)}


@pytest.mark.parametrize(("contacts", "colleague_works", "outside"), [(2, False, 0), (1, False, 6), (2, True, 6)])
def test_covering_for_a_colleague_who_is_away_is_work_in_the_own_book(tmp_path, contacts, colleague_works, outside):
    """Of six clients of the colleague opened, a third in contact is cover; fewer, or a colleague at work, is not."""
    event = {"kind": "view", "client_owner": "a001"}
    before = [{**event, "ts": f"2025-02-{n:02d}T09:00:00", "agent": "a001", "client": "own"} for n in (1, 2, 3)]
    looks = [{**event, "ts": f"2025-02-04T10:{n:02d}:00", "agent": "a003", "client": f"c{n}"} for n in range(6)]
    calls = [{**looks[n], "ts": f"2025-02-04T11:{n:02d}:00", "kind": "call"} for n in range(contacts)]
    if colleague_works:
        calls.append({**before[0], "ts": "2025-02-04T17:00:00"})
    at = last_day_of("a003", write(tmp_path / "events.jsonl", before + looks + calls))
    assert (at["outside_views"], at["outside_clients"], at["one_owner"]) == (outside,) * 3
    assert at["views"] == 6


@pytest.mark.parametrize(("worked_on", "looks"), [(0, 6), (4, 2), (6, 0)])
def test_records_that_are_worked_on_are_not_looked_through(tmp_path, worked_on, looks):
    """A clean-up goes through dormant clients of one partner in their order, and changes each; who takes a book changes none."""
    usual = [
        {
            "ts": f"2025-02-{n:02d}T09:{m:02d}:00",
            "agent": "a003",
            "kind": "view",
            "client": f"own{m}",
            "client_owner": "a003",
        }
        for n in range(1, 8)
        for m in range(3)
    ]
    seen = [
        {
            "ts": f"2025-02-10T10:{n:02d}:00",
            "agent": "a003",
            "kind": "view",
            "client": f"c{100 + n}",
            "client_owner": "a001",
        }
        | {"ib": "p7", "days_dormant": 200}
        for n in range(7)
    ]
    changed = [{**seen[n], "ts": f"2025-02-10T10:{n:02d}:30", "kind": "edit"} for n in range(worked_on)]
    at = last_day_of("a003", write(tmp_path / "events.jsonl", [*usual, *seen, *changed]))
    assert (at["one_partner"], at["dormant_views"], at["new_clients"]) == (looks + 1,) * 3
    assert at["sequential"] == min(looks + 1, 6) and at["outside_clients"] == 7


def test_a_book_that_is_handed_over_is_the_receivers_from_then_on(tmp_path):
    event = {"client": "c1", "client_owner": "a001"}
    path = write(
        tmp_path / "events.jsonl",
        [
            {**event, "ts": f"2025-02-{n:02d}T09:00:00", "agent": agent, "kind": "view"}
            for n in (1, 2)
            for agent in ("a001", "a002")
        ]
        + [
            {
                **event,
                "ts": "2025-02-03T08:00:00",
                "agent": "system",
                "kind": "assignment",
                "from": "a001",
                "to": "a002",
            }
        ]
        + [{"client": "c1", "ts": "2025-02-03T09:00:00", "agent": agent, "kind": "view"} for agent in ("a001", "a002")],
    )
    assert last_day_of("a002", path)["outside_views"] == 0
    assert last_day_of("a001", path)["outside_views"] == 1


def test_a_device_is_ones_own_after_three_days_of_use(tmp_path):
    """The own phone beside the own computer is no second person; a device of three days ago is."""

    def turns(day: int, other: str) -> list[dict[str, str]]:
        return [
            {
                "ts": f"2025-02-{day:02d}T10:{n:02d}:00",
                "agent": "a003",
                "kind": "view",
                "client": f"c{n}",
                "device": device,
            }
            for n, device in enumerate(["pc", other, "pc", other])
        ]

    own = [event for day in range(3, 8) for event in turns(day, "phone")]
    assert last_day_of("a003", write(tmp_path / "own.jsonl", [*own, *turns(10, "phone")]))["second_devices"] == 0
    assert last_day_of("a003", write(tmp_path / "strange.jsonl", [*own, *turns(10, "laptop")]))["second_devices"] == 3


def test_money_counts_where_a_file_never_states_amounts(tmp_path):
    event = {"client": "c1", "client_owner": "a001"}
    moved = {**event, "ts": "2025-02-03T09:00:00", "agent": "system", "kind": "deposit"}
    look = {**event, "ts": "2025-02-04T10:00:00", "agent": "a003", "kind": "view"}
    assert last_day_of("a003", write(tmp_path / "bare.jsonl", [moved, look]))["money_looks"] == 1
    other = {**moved, "ts": "2025-02-02T09:00:00", "amount": 50, "client": "c2"}
    assert last_day_of("a003", write(tmp_path / "stated.jsonl", [other, moved, look]))["money_looks"] == 0
