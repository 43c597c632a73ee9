"""`compliance.watchlists.import_watchlist` and the command: whole lists, deltas, and refusals."""

import datetime as dt
import gzip
import io
import shutil

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from compliance.choices import VersionState
from compliance.models import EntryName, ListEntry, ListVersion
from compliance.sources import SOURCES
from compliance.watchlists import ImportRefused, import_watchlist
from crm.errors import NotAllowed
from crm.models import AuditEvent
from tests.compliance.factories import DATA, HERE, load, un_file
from tests.outbox import data_of

pytestmark = pytest.mark.django_db


def test_the_security_councils_list_is_read_whole():
    version = import_watchlist(source="un", path=DATA / "un-2026-02-27.xml.gz", actor=None)
    assert (version.entry_count, version.dated_on) == (1003, dt.date(2026, 2, 27))
    assert ListEntry.objects.filter(kind="person").count() == 730
    entry = ListEntry.objects.get(external_id="6908542")
    assert entry.countries == ["SA"] and entry.births == [{"first": "1986-01-19", "last": "1986-01-19", "exact": True}]
    names = {name.text: (name.kind, name.is_weak) for name in entry.names.all()}
    assert names["فيصل احمد بن علي الزهراني"] == ("original", False)
    assert names["Abu Sara Zahrani"] == ("alias", True)


def test_ofacs_three_files_belong_together(tmp_path):
    version = import_watchlist(source="ofac-consolidated", path=DATA / "cons_prim.csv.gz", actor=None)
    assert version.entry_count == 442
    entry = ListEntry.objects.get(external_id="9639")
    assert entry.primary_name == "Ismail Abdul Salah HANIYA"
    assert entry.births == [{"first": "1962-01-01", "last": "1962-12-31", "exact": False}]
    assert {name.text for name in entry.names.all()} >= {"Ismail HANIYA", "Ismaeel HANIYYA"}
    shutil.copy(DATA / "cons_prim.csv.gz", tmp_path)
    with pytest.raises(ImportRefused, match=r"cons_alt.csv.gz is missing"):
        import_watchlist(source="ofac-consolidated", path=tmp_path / "cons_prim.csv.gz", actor=None)


@pytest.mark.parametrize(
    ("source", "file", "entries", "sample"),
    [
        ("eu-journal", "eu-journal", 776, "Владимир Владимирович НАУМОВ"),
        ("eu-journal", "eu-journal/eu-32012R0036.csv.gz", 368, "Bashar AL-ASSAD"),
        ("canada-sema", "canada-sema-2025.xml.gz", 4759, "Мария Александровна Лаврова"),
    ],
)
def test_the_other_lists(source, file, entries, sample):
    assert import_watchlist(source=source, path=DATA / file, actor=None).entry_count == entries
    assert EntryName.objects.filter(text=sample).exists()


def test_a_new_version_is_a_delta_and_entries_keep_their_rows(tmp_path):
    first = load(
        tmp_path,
        {"first": "Anna", "second": "Gone"},
        {"first": "Bela", "second": "Stays"},
        {"first": "Cora", "second": "Changes"},
    )
    before = {entry.external_id: entry.pk for entry in ListEntry.objects.all()}
    second = load(
        tmp_path,
        {"id": "101", "first": "Bela", "second": "Stays"},
        {"id": "102", "first": "Cora", "second": "Changed"},
        {"id": "103", "first": "Dora", "second": "New"},
    )
    first.refresh_from_db()
    assert (first.state, second.state) == (VersionState.SUPERSEDED, VersionState.CURRENT)
    assert (second.added, second.changed, second.removed) == (1, 1, 1)
    gone, stays, changed = (ListEntry.objects.get(pk=before[key]) for key in ("100", "101", "102"))
    assert (gone.is_listed, stays.is_listed, changed.is_listed) == (False, True, True)
    assert changed.primary_name == "Cora Changed" and [name.text for name in changed.names.all()] == ["Cora Changed"]
    third = load(
        tmp_path, {"id": "100", "first": "Anna", "second": "Gone"}, {"id": "101", "first": "Bela", "second": "Stays"}
    )
    gone.refresh_from_db()
    assert gone.is_listed and gone.last_version == third


def test_the_same_file_again_changes_nothing(tmp_path):
    first = load(tmp_path, {"first": "Anna", "second": "Listed"})
    assert load(tmp_path, {"first": "Anna", "second": "Listed"}) == first
    assert ListVersion.objects.count() == 1


def refused(path, match, source="un"):
    with pytest.raises(ImportRefused, match=match):
        import_watchlist(source=source, path=path, actor=None)
    row = ListVersion.objects.filter(state=VersionState.REFUSED).latest("pk")
    assert row.error
    assert AuditEvent.objects.filter(action="compliance.watchlist_refused").exists()


def test_a_real_file_with_broken_characters_is_refused_and_the_old_version_stays(tmp_path):
    current = load(tmp_path, {"first": "Anna", "second": "Listed"})
    refused(HERE / "un-broken-utf8.xml.gz", "not well-formed")
    current.refresh_from_db()
    assert current.state == VersionState.CURRENT
    assert list(ListEntry.objects.filter(is_listed=True).values_list("primary_name", flat=True)) == ["Anna Listed"]


def test_a_file_that_breaks_off_is_refused(tmp_path):
    whole = gzip.decompress((DATA / "un-2026-02-27.xml.gz").read_bytes())
    (tmp_path / "cut.xml").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "cut.xml", "not well-formed")
    (tmp_path / "cut.xml.gz").write_bytes((DATA / "un-2026-02-27.xml.gz").read_bytes()[:5000])
    refused(tmp_path / "cut.xml.gz", "can't be read")
    assert not ListEntry.objects.exists()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "can't be read"),
        ("<html><body>Not found</body></html>", "is not the Security Council's list"),
        ("<CONSOLIDATED_LIST></CONSOLIDATED_LIST>", "has no entries"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]><CONSOLIDATED_LIST>&a;</CONSOLIDATED_LIST>', "refused|can't be read"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, content, match):
    path = tmp_path / "list.xml"
    path.write_text(content)
    refused(path, match)


def test_other_columns_are_refused(tmp_path):
    (tmp_path / "sdn.csv").write_text('36,"AEROCARIBBEAN",-0- \n')
    for name in ("alt.csv", "add.csv"):
        (tmp_path / name).write_text("")
    refused(tmp_path / "sdn.csv", "not a line of OFAC's primary file", source="ofac-sdn")
    (tmp_path / "eu.csv").write_text("name,alias\nx,y\n")
    refused(tmp_path / "eu.csv", "lacks the columns", source="eu-journal")


def test_a_list_that_shrank_is_a_broken_download_until_somebody_says_otherwise(tmp_path):
    load(tmp_path, *[{"first": f"Person{n}", "second": "Listed"} for n in range(10)])
    small = un_file(tmp_path, {"first": "Person0", "second": "Listed"}, name="small.xml")
    refused(small, "has 1 entries where the list in force has 10")
    assert import_watchlist(source="un", path=small, actor=None, may_shrink=True).removed == 9


def test_who_may(cast, tmp_path):
    path = un_file(tmp_path, {"first": "Anna", "second": "Listed"})
    for person in (cast.kyc_officer, cast.agent, cast.auditor):
        with pytest.raises(NotAllowed):
            import_watchlist(source="un", path=path, actor=person)
    assert import_watchlist(source="un", path=path, actor=cast.mlro).imported_by == cast.mlro


def test_the_command_says_what_it_did_and_exits_1_when_refused(tmp_path, capsys):
    path = un_file(tmp_path, {"first": "Anna", "second": "Listed"})
    call_command("import_watchlist", "un", str(path))
    assert "1 entries, 1 names (1 added, 0 changed, 0 removed)" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        call_command("import_watchlist", "un", str(HERE / "un-broken-utf8.xml.gz"))
    assert stopped.value.code == 1 and "the version in force is unchanged" in capsys.readouterr().err


def test_one_current_version_per_list(tmp_path):
    version = load(tmp_path, {"first": "Anna", "second": "Listed"})
    with pytest.raises(IntegrityError, match="a_source_has_one_current_version"), transaction.atomic():
        version.pk = None
        version.save()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("12 Oct 1951", "1951-10-12", "1951-10-12"),
        ("Oct 1951", "1951-10-01", "1951-10-31"),
        ("1951", "1951-01-01", "1951-12-31"),
        ("circa 1951", "1950-01-01", "1952-12-31"),
        ("1951 to 1953", "1951-01-01", "1953-12-31"),
        ("26.11.1972", "1972-11-26", "1972-11-26"),
        ("Dec 1951", "1951-12-01", "1951-12-31"),
        ("31.2.1960", "1960-01-01", "1960-12-31"),
    ],
)
def test_births_as_lists_write_them(text, first, last):
    from compliance.sources.base import parse_birth

    birth = parse_birth(text)
    assert (birth.first.isoformat(), birth.last.isoformat()) == (first, last)


@pytest.mark.parametrize("text", ["", "unknown", "in the fifties", "99 Foo 1951"])
def test_unclear_births_are_left_out_or_widened(text):
    from compliance.sources.base import parse_birth

    birth = parse_birth(text)
    assert birth is None or birth.first.month == 1


def test_every_known_list_has_a_format_and_a_licence():
    for code, source in SOURCES.items():
        assert source.code == code and source.licence and (source.url.startswith("https://") or code == "house")


def test_the_houses_own_list(tmp_path):
    path = tmp_path / "house.csv"
    path.write_text(
        "number,name,aliases,birth_date,countries,reason\n"
        "7,Klara Weber,Clara Veber;C. Weber,1970-03-04,DE;AT,Chargebacks on four cards\n",
        encoding="utf-8",
    )
    assert import_watchlist(source="house", path=path, actor=None).entry_count == 1
    entry = ListEntry.objects.get()
    assert entry.countries == ["DE", "AT"] and entry.names.count() == 3 and entry.remarks.startswith("Chargebacks")
    path.write_text("name,reason\nx,y\n")
    refused(path, "must have the columns", source="house")


def test_a_packed_file_that_unpacks_to_much_is_refused(tmp_path, monkeypatch):
    """40 kB of gzip are 40 MB of spaces: reading stops at the limit, whichever way a list is read."""
    from compliance.sources import base, xml

    monkeypatch.setattr(base, "UNPACKED_BYTES_MAX", 1024 * 1024)
    path = tmp_path / "list.xml.gz"
    path.write_bytes(gzip.compress(b"<list>" + b" " * 40_000_000 + b"</list>"))
    with pytest.raises(base.BrokenFile, match="unpacks to more than 1 MB"):
        base.hash_of([path])
    with pytest.raises(base.BrokenFile, match="unpacks to more than 1 MB"):
        list(xml.elements(path, "entry"))
    with pytest.raises(base.BrokenFile), base.opened(path) as raw, io.TextIOWrapper(raw, encoding="utf-8") as text:
        text.read()


def test_a_loaded_list_is_published_and_the_same_file_again_is_not(cast):
    for _again in range(2):
        version = import_watchlist(source="un", path=DATA / "un-2026-02-27.xml.gz", actor=None)
    assert data_of("compliance.watchlist_loaded") == [
        {"version_id": version.pk, "source": "un", "entries": 1003, "added": 1003, "changed": 0, "removed": 0}
    ]
