"""A watchlist that no publisher sends is refused in words, with bounded memory; the list in force stays, and no page breaks."""

import gzip
import tracemalloc

import pytest

from compliance.models import ListEntry, ListVersion
from compliance.sources import SOURCES, BrokenFile, base
from compliance.watchlists import ImportRefused, import_watchlist
from tests.poison import NUMBERS, TEXTS, TIMES

HOUSE = (
    "number,name,aliases,birth_date,countries,reason\n1,Anna Kern,,1980-01-02,DE,Fraud\n"
    "{number},{name},{aliases},{birth},{countries},{reason}\n"
)
GOOD = {"number": "2", "name": "Bela Stern", "aliases": "B S", "birth": "1981", "countries": "FR", "reason": "x"}
UN = (
    "<CONSOLIDATED_LIST dateGenerated='{generated}'><INDIVIDUALS><INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>Anna</FIRST_NAME>"
    "<LISTED_ON>{listed}</LISTED_ON><INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>{kind}</TYPE_OF_DATE><DATE>{date}</DATE>"
    "<FROM_YEAR>{year}</FROM_YEAR><TO_YEAR>{year}</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>{more}</INDIVIDUAL></INDIVIDUALS>"
    "</CONSOLIDATED_LIST>"
)
FINE = {
    "generated": "2026-01-01",
    "listed": "2020-01-01",
    "kind": "EXACT",
    "date": "1980-01-01",
    "year": "1980",
    "more": "",
}


def write(tmp_path, text, name="list.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def read(source, path):
    return list(SOURCES[source].format.parse(path))


@pytest.mark.django_db
@pytest.mark.parametrize("field", GOOD)
@pytest.mark.parametrize("poison", [*TEXTS, *TIMES, *NUMBERS])
def test_a_poisoned_cell_is_refused_in_words_or_kept_as_a_page_can_show_it(tmp_path, cast, browse, field, poison):
    value = {**NUMBERS, **TIMES, **TEXTS}[poison]
    path = write(tmp_path, HOUSE.format(**{**GOOD, field: value}))
    try:
        import_watchlist(source="house", path=path, actor=None)
    except ImportRefused as refused:
        assert len(refused.message) < 1_000 and "list.csv" in refused.message
        assert not ListEntry.objects.exists()
    assert browse(cast.mlro).get("/compliance/watchlists/").status_code == 200


@pytest.mark.parametrize("poison", [*TIMES, *NUMBERS])
@pytest.mark.parametrize("field", ["generated", "listed", "date", "year"])
def test_a_poisoned_day_of_xml_is_no_day(tmp_path, field, poison):
    value = {**NUMBERS, **TIMES}[poison].replace("\0", "")
    kind = "BETWEEN" if field == "year" else "EXACT"
    path = write(tmp_path, UN.format(**{**FINE, field: value, "kind": kind}), "un.xml")
    (entry,) = read("un", path)
    days = [day for birth in entry.births for day in (birth.first, birth.last)] + [entry.listed_on]
    days.append(SOURCES["un"].format.date_of(path))
    assert all(day is None or 1850 <= day.year <= 2100 for day in days)


BOMBS = {
    "a text without end": lambda out: [out.write(b"<A>"), *(out.write(b"x" * 2**20) for _ in range(64))],
    "an attribute without end": lambda out: [out.write(b"<A b='"), *(out.write(b"x" * 2**20) for _ in range(64))],
    "levels without end": lambda out: out.write(b"<A>" * 500_000),
    "elements without end": lambda out: [out.write(b"<A/>" * 100_000) for _ in range(20)],
    "elements in an entry": lambda out: [
        out.write(b"<INDIVIDUAL>"),
        *(out.write(b"<A/>" * 100_000) for _ in range(20)),
    ],
}


@pytest.mark.parametrize("name", BOMBS)
def test_xml_that_grows_is_refused_while_it_is_read(tmp_path, name):
    path = tmp_path / "un.xml.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(b"<CONSOLIDATED_LIST>")
        BOMBS[name](out)
    tracemalloc.start()
    with pytest.raises(BrokenFile):
        read("un", path)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * 2**20


@pytest.mark.parametrize("source", ["house", "eu-journal"])
def test_a_line_without_end_is_refused_while_it_is_read(tmp_path, source):
    path = tmp_path / "list.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        for _ in range(200):
            out.write(b"x" * 2**20)
    tracemalloc.start()
    with pytest.raises(BrokenFile, match="longer than 1000000 characters"):
        read(source, path)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * 2**20


def test_an_entry_has_no_names_without_end(tmp_path):
    aliases = ";".join(f"A{chr(97 + at % 26)}{at}" for at in range(base.NAMES_MAX + 10))
    with pytest.raises(BrokenFile, match="more than 2000 names"):
        read("house", write(tmp_path, HOUSE.format(**{**GOOD, "aliases": aliases})))


@pytest.mark.django_db
def test_the_list_in_force_stays_when_a_poisoned_one_comes(tmp_path):
    version = import_watchlist(source="house", path=write(tmp_path, HOUSE.format(**GOOD)), actor=None)
    with pytest.raises(ImportRefused, match="entry 2: it has a character that can't be kept"):
        import_watchlist(
            source="house", path=write(tmp_path, HOUSE.format(**{**GOOD, "reason": "a\0b"}), "b.csv"), actor=None
        )
    assert ListVersion.objects.filter(state="current").get() == version and ListEntry.objects.count() == 2
