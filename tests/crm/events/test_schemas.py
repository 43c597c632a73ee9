"""The schema files are what receivers were promised: current, complete, and not to be broken without a new version."""

import json

import pytest
from django.core.management import CommandError, call_command

from crm.events import bus, schemas


def declare(monkeypatch, *, version=1, **fields):
    """Declare an event of the catalogue with these fields, as a change of the code would."""
    monkeypatch.delitem(bus.EVENT_TYPES, "crm.sample", raising=False)
    defaults = {name: default for name, (_kind, default) in fields.items() if default is not ...}
    kinds = {name: kind for name, (kind, _default) in fields.items()}
    space = {"name": "crm.sample", "version": version, "__annotations__": kinds, "__module__": "crm.events.catalogue"}
    made = type("Sample", (bus.Event,), {**space, **defaults, "__doc__": "A sample."})
    monkeypatch.setitem(bus.EVENT_TYPES, "crm.sample", made)
    return made


@pytest.fixture
def record(monkeypatch, tmp_path):
    """A record of its own, in which only the sample is new."""
    (tmp_path / "docs" / "events").mkdir(parents=True)
    (tmp_path / "docs" / "events.md").write_text(f"Head\n{schemas.BEGIN}\n{schemas.END}\nFoot\n")
    monkeypatch.setattr(schemas, "folder", lambda: tmp_path / "docs" / "events")
    monkeypatch.setattr(bus, "EVENT_TYPES", {})
    monkeypatch.setattr(schemas, "EVENT_TYPES", bus.EVENT_TYPES)
    return tmp_path / "docs" / "events"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_files_and_the_page_are_as_the_code_says():
    """Run `manage.py event_schemas` and commit what it writes; it says so when a version has to be raised."""
    assert [path.name for path, _text in schemas.outdated()] == []
    assert schemas.missing_versions() == []


def test_every_file_is_of_a_version_that_there_was():
    known = {event.name: event.version for event in schemas.catalogue()}
    for path in schemas.folder().iterdir():
        name, _dot, version = path.stem.rpartition(".v")
        assert 1 <= int(version) <= known[name], path.name


def test_every_event_says_what_it_means_and_is_published():
    publishers = schemas.publishers_of()
    for event in schemas.catalogue():
        assert not schemas.meaning_of(event).startswith(f"{event.__name__}("), f"{event.name} needs a docstring"
        assert publishers[event.__name__], f"nobody publishes {event.name}"


def test_a_new_field_joins_its_version(monkeypatch, record):
    declare(monkeypatch, lead_id=(int, ...))
    call_command("event_schemas")
    declare(monkeypatch, lead_id=(int, ...), source=(str, ""))
    with pytest.raises(CommandError, match=r"Not current: crm.sample.v1.json, events.md"):
        call_command("event_schemas", check=True)
    call_command("event_schemas")
    call_command("event_schemas", check=True)
    assert list(json.loads((record / "crm.sample.v1.json").read_text())["properties"]["data"]["properties"]) == [
        "lead_id",
        "source",
    ]


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ({"agent_id": (int, ...)}, "lead_id is gone"),
        ({"lead_id": (str, ...)}, "lead_id changed"),
        ({"lead_id": (int, 0)}, "lead_id may be left out"),
    ],
)
def test_a_broken_promise_needs_a_new_version_and_the_old_file_stays(monkeypatch, record, after, says):
    declare(monkeypatch, lead_id=(int, ...))
    call_command("event_schemas")
    promised = (record / "crm.sample.v1.json").read_text()
    declare(monkeypatch, **after)
    for check in (True, False):
        with pytest.raises(CommandError, match=f"{says}.* Raise Sample.version to 2"):
            call_command("event_schemas", check=check)
    declare(monkeypatch, version=2, **after)
    call_command("event_schemas")
    assert names(record) == ["crm.sample.v1.json", "crm.sample.v2.json"]
    assert (record / "crm.sample.v1.json").read_text() == promised


def test_the_record_of_an_earlier_version_is_not_to_be_deleted(monkeypatch, record):
    declare(monkeypatch, version=2, lead_id=(int, ...))
    with pytest.raises(CommandError, match=r"crm\.sample\.v1\.json. Restore them"):
        call_command("event_schemas")
