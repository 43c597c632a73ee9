"""How publishers write dates, countries and names, and at which size a list is refused."""

import datetime as dt

import pytest

from compliance import watchlists
from compliance.matching import text as spelling
from compliance.models import EntryName, ListEntry, ListVersion
from compliance.sources import SOURCES, base
from compliance.sources.base import ALIAS, ENTITY, ORIGINAL, PERSON, PRIMARY, BrokenFile, LeftOut, ParsedEntry
from compliance.watchlists import ImportRefused, import_watchlist
from tests.compliance.factories import load, un_file

HEADER = "number,name,aliases,birth_date,countries,reason\n"


def years(first: int, last: int) -> tuple[dt.date, dt.date, bool]:
    return dt.date(first, 1, 1), dt.date(last, 12, 31), False


def day(*parts: int) -> tuple[dt.date, dt.date, bool]:
    return dt.date(*parts), dt.date(*parts), True


@pytest.mark.parametrize(
    ("text", "birth"),
    [
        ("1849", None),
        ("1850", years(1850, 1850)),
        ("2100", years(2100, 2100)),
        ("2101", None),
        ("circa 1851", years(1850, 1852)),
        ("circa 1850", None),
        ("1951 to 1953", years(1951, 1953)),
        ("between 1951 and 1953", years(1951, 1953)),
        ("1953-1951", None),
        ("1951/1951", years(1951, 1951)),
        ("12 Oct 1951", day(1951, 10, 12)),
        ("12 October 1951", day(1951, 10, 12)),
        ("circa 12 Oct 1951", years(1950, 1952)),
        ("12.10.1951", day(1951, 10, 12)),
        ("12/10/1951", day(1951, 10, 12)),
        ("1951-10-12", day(1951, 10, 12)),
        ("31.02.1951", years(1951, 1951)),
        ("29 Feb 1952", day(1952, 2, 29)),
        ("29 Feb 1951", years(1951, 1951)),
        ("Feb 1952", (dt.date(1952, 2, 1), dt.date(1952, 2, 29), False)),
        ("Dec 1951", (dt.date(1951, 12, 1), dt.date(1951, 12, 31), False)),
        ("Foo 1951", None),
        ("Oct 1849", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_births_at_the_ends_of_what_can_be(text, birth):
    found = base.parse_birth(text)
    assert (None if found is None else (found.first, found.last, found.is_exact)) == birth


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-02-27", dt.date(2026, 2, 27)),
        ("1850-01-01", dt.date(1850, 1, 1)),
        ("1849-12-31", None),
        ("2100-12-31", dt.date(2100, 12, 31)),
        ("2101-01-01", None),
        ("0001-01-01", None),
        ("9999-12-31", None),
        ("27.02.2026", None),
        ("", None),
    ],
)
def test_days_of_listing_that_a_program_made_up_are_none(text, found):
    assert base.day_of(text) == found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Germany", "DE"),
        ("  germany. ", "DE"),
        ("Russian Federation", "RU"),
        ("Iran (Islamic Republic of)", "IR"),
        ("The Republic of Korea", ""),
        ("Republic of Moldova", "MD"),
        ("Russia / Russie", "RU"),
        ("DPRK", "KP"),
        ("Atlantis", ""),
        ("", ""),
    ],
)
def test_countries_by_their_english_names(text, code):
    assert base.country_code(text) == code


@pytest.mark.parametrize(
    ("text", "is_latin"), [("Ånna", True), ("Αννα", False), ("Анна", False), ("123", True), ("aб", False)]
)
def test_most_letters_decide_the_script(text, is_latin):
    assert base.is_latin(text) is is_latin


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        (PERSON, "  Anna   Kern ;", ["Anna Kern"]),
        (PERSON, "7-28", []),
        (ENTITY, "7-28", ["7-28"]),
        (PERSON, " ,; ", []),
        (PERSON, "x" * 301, ["x" * 300]),
    ],
)
def test_what_is_a_name(kind, text, kept):
    entry = ParsedEntry("1", kind)
    entry.add_name(text)
    assert [name.text for name in entry.names] == kept


def test_a_name_is_kept_once_and_another_script_is_the_original():
    entry = ParsedEntry("1", PERSON)
    entry.add_name("Анна", PRIMARY)
    entry.add_name("Anna Kern", ALIAS)
    entry.add_name("Anna  Kern", ALIAS)
    entry.add_name("Анна Керн", ALIAS)
    assert [(name.text, name.kind) for name in entry.names] == [
        ("Анна", PRIMARY),
        ("Anna Kern", ALIAS),
        ("Анна Керн", ORIGINAL),
    ]
    assert entry.primary_name == "Анна"


@pytest.mark.parametrize(
    "change",
    [
        {"gender": "f"},
        {"countries": ["AT"]},
        {"programs": ["other"]},
        {"kind": ENTITY},
        {"births": [base.Birth(dt.date(1970, 1, 1), dt.date(1970, 1, 1))]},
    ],
)
def test_what_matters_to_a_match_changes_the_content(change):
    def entry(**fields) -> ParsedEntry:
        values = {"external_id": "1", "kind": PERSON, "countries": ["DE"], "programs": ["p"], **fields}
        made = ParsedEntry(**values)
        made.add_name("Anna Kern", PRIMARY)
        return made

    assert entry().content_hash() == entry(remarks="said", listed_on=dt.date(2020, 1, 1)).content_hash()
    assert entry().content_hash() != entry(**change).content_hash()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Dr. Anna Kern", ["anna", "kern"]),
        ("Dr.", ["dr"]),
        ("Müller-Lüdenscheidt", ["muller", "ludenscheidt"]),
        ("Groß", ["gross"]),
        ("O'Neill", ["oneill"]),
        ("Abd al-Khaliq", ["abdkhaliq"]),
        ("Abdulkhaliq", ["abdkhaliq"]),
        ("Saif Allah", ["saifallah"]),
        ("Siraj al-Din", ["sirajdin"]),
        ("", []),
        ("!!!", []),
        (" ".join(f"n{n}" for n in range(13)), [f"n{n}" for n in range(12)]),
    ],
)
def test_the_words_of_a_name(name, words):
    assert spelling.words(name) == words


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def parsed(tmp_path, content: str, *, source: str = "house", name: str = "list.csv") -> list[ParsedEntry]:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return [entry for entry in SOURCES[source].format.parse(path) if not isinstance(entry, LeftOut)]


@pytest.mark.parametrize(
    ("written", "codes"),
    [("DE", ["DE"]), ("de; at", ["DE", "AT"]), ("Austria", ["AT"]), ("Germany;DE", ["DE"]), ("", [])],
)
def test_our_own_list_takes_codes_and_names_of_countries(tmp_path, written, codes):
    (entry,) = parsed(tmp_path, f"{HEADER}1,Anna Kern,,1980,{written},Fraud\n")
    assert entry.countries == codes


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("1,Anna Kern,,1980,Atlantis,Fraud", "line 2: unknown country 'Atlantis'"),
        (",Anna Kern,,1980,DE,Fraud", "line 2: wrong number of columns, or an ID is missing"),
        ("1,Anna Kern,,1980,DE", "line 2: wrong number"),
        ("1,Anna Kern,,1980,DE,Fraud,more", "line 2: wrong number"),
        ("1,,,1980,DE,Fraud", "line 2: no name"),
    ],
)
def test_our_own_list_says_which_line_is_wrong(tmp_path, line, match):
    with pytest.raises(BrokenFile, match=match):
        parsed(tmp_path, f"{HEADER}{line}\n")


SEMA = "<data-set>{records}</data-set>"
RECORD = (
    "<record><Country>Belarus / Bélarus</Country><Schedule>1</Schedule><Item>{item}</Item>"
    "<GivenName>{given}</GivenName><LastName>{last}</LastName><EntityOrShip>{other}</EntityOrShip>"
    "<ShipIMONumber>{imo}</ShipIMONumber><Aliases>{aliases}</Aliases>"
    "<DateOfBirthOrShipBuildDate>{born}</DateOfBirthOrShipBuildDate><DateOfListing>2021-08-09</DateOfListing></record>"
)
EMPTY = {"item": "7", "given": "", "last": "", "other": "", "imo": "", "aliases": "", "born": ""}


def sema(tmp_path, *records: dict) -> list[ParsedEntry]:
    body = "".join(RECORD.format(**{**EMPTY, **record}) for record in records)
    return parsed(tmp_path, SEMA.format(records=body), source="canada-sema", name="sema.xml")


def test_canada_lists_people_firms_and_ships(tmp_path):
    person, firm, ship = sema(
        tmp_path,
        {"given": "Anna", "last": "Kern", "born": "1980", "aliases": "A. Kern；Ana Kern"},
        {"item": "8", "other": "Kern Holding"},
        {"item": "9", "other": "Kern Star", "imo": "1234567", "born": "1999"},
    )
    assert (person.kind, person.primary_name, person.countries) == ("person", "Anna Kern", ["BY"])
    assert [name.text for name in person.names] == ["Anna Kern", "A. Kern", "Ana Kern"]
    assert person.births[0].first == dt.date(1980, 1, 1) and person.listed_on == dt.date(2021, 8, 9)
    assert (firm.kind, ship.kind, ship.births) == ("entity", "vessel", [])
    assert person.external_id == "Belarus; 1; 7" and person.programs == ["SEMA Belarus"]


def test_an_item_that_stands_twice_is_two_entries(tmp_path):
    found = sema(tmp_path, {"given": "Anna", "last": "Kern"}, {"given": "Bela", "last": "Kern"}, {"item": "9"})
    assert [entry.external_id for entry in found] == ["Belarus; 1; 7", "Belarus; 1; 7 (2)"], (
        "nameless ones are left out"
    )


def test_another_xml_is_not_canadas(tmp_path):
    with pytest.raises(BrokenFile, match="not Canada's list"):
        parsed(tmp_path, "<other/>", source="canada-sema", name="sema.xml")
    with pytest.raises(BrokenFile, match="not the Security Council's list"):
        parsed(tmp_path, "<other/>", source="un", name="un.xml")


EU = "celex,annex,recordId,schema,name,alias,birthDate,measure,country\n"


@pytest.mark.parametrize(
    ("measure", "topic"),
    [
        ("Asset freeze", "sanction"),
        ("Export control", "restriction"),
        ("Transaction ban", "restriction"),
        ("", "sanction"),
    ],
)
def test_the_journals_measure_says_whether_funds_are_frozen(tmp_path, measure, topic):
    (entry,) = parsed(tmp_path, f"{EU}32012R0036,II,1,Person,Anna Kern,,1980,{measure},Syria\n", source="eu-journal")
    assert entry.topics == [topic] and set(entry.programs) == {"32012R0036", *filter(None, [measure])}


def test_the_journal_names_several_and_other_scripts(tmp_path):
    line = "32012R0036,II,,Person,Anna Kern (Анна Керн) (aka); Ana Kern,,1 May 1980; 1981,freeze,Syria"
    (entry,) = parsed(tmp_path, f"{EU}{line}\n", source="eu-journal")
    assert [(name.text, name.kind) for name in entry.names] == [
        ("Anna Kern", PRIMARY),
        ("Анна Керн", ORIGINAL),
        ("Ana Kern", PRIMARY),
    ]
    assert [birth.is_exact for birth in entry.births] == [True, False] and entry.countries == ["SY"]


@pytest.mark.parametrize(("line", "match"), [("32012R0036,II,1,Person", "wrong number of columns")])
def test_a_short_line_of_the_journal_is_refused(tmp_path, line, match):
    with pytest.raises(BrokenFile, match=match):
        parsed(tmp_path, f"{EU}{line}\n", source="eu-journal")


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def people(count: int) -> list[dict[str, str]]:
    return [{"first": f"Anna{chr(97 + number)}", "second": "Listed"} for number in range(count)]


@pytest.mark.django_db
@pytest.mark.parametrize(("count", "is_taken"), [(6, False), (7, True), (8, True)])
def test_a_list_may_lose_three_of_ten(tmp_path, count, is_taken):
    load(tmp_path, *people(10))
    path = un_file(tmp_path, *people(count), name="second.xml")
    if is_taken:
        assert import_watchlist(source="un", path=path, actor=None).removed == 10 - count
    else:
        with pytest.raises(ImportRefused, match="6 entries where the list in force has 10"):
            import_watchlist(source="un", path=path, actor=None)
    assert ListEntry.objects.filter(is_listed=True).count() == (count if is_taken else 10)


@pytest.mark.django_db
def test_a_new_list_may_be_as_small_as_it_is(tmp_path):
    load(tmp_path, *people(10))
    path = tmp_path / "house.csv"
    path.write_text(f"{HEADER}1,Anna Kern,,1980,DE,Fraud\n")
    assert import_watchlist(source="house", path=path, actor=None).entry_count == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("most", "is_taken"), [(1, False), (2, True), (3, True)])
def test_a_list_has_entries_and_names_up_to_a_bound(tmp_path, monkeypatch, most, is_taken):
    for bound in ("ENTRIES_MAX", "NAMES_MAX"):
        with monkeypatch.context() as patch:
            patch.setattr(watchlists, bound, most)
            path = un_file(tmp_path, *people(2), name=f"{bound}.xml")
            if is_taken:
                import_watchlist(source="un", path=path, actor=None)
            else:
                with pytest.raises(ImportRefused, match="no supported list has"):
                    import_watchlist(source="un", path=path, actor=None)


@pytest.mark.django_db
@pytest.mark.parametrize(("length", "is_kept"), [(1, True), (120, True), (121, False)])
def test_a_key_has_up_to_120_characters(tmp_path, length, is_kept):
    path = un_file(tmp_path, {"id": "7" * length, "first": "Anna", "second": "Listed"})
    if is_kept:
        import_watchlist(source="un", path=path, actor=None)
    else:
        with pytest.raises(ImportRefused, match="longer than 120 characters"):
            import_watchlist(source="un", path=path, actor=None)


@pytest.mark.django_db
def test_a_number_that_stands_twice_is_refused(tmp_path):
    path = un_file(tmp_path, {"id": "7", "first": "Anna"}, {"id": "7", "first": "Bela"})
    with pytest.raises(ImportRefused, match="duplicate entry 7"):
        import_watchlist(source="un", path=path, actor=None)
    assert not EntryName.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("<CONSOLIDATED_LIST><INDIVIDUALS/></CONSOLIDATED_LIST>", "has no entries"),
        ("<CONSOLIDATED_LIST><INDIVIDUAL><FIRST_NAME>A</FIRST_NAME></INDIVIDUAL></CONSOLIDATED_LIST>", "no DATAID"),
        ("<CONSOLIDATED_LIST><INDIVIDUAL><DATAID>1</DATAID></INDIVIDUAL></CONSOLIDATED_LIST>", "entry 1 has no name"),
    ],
)
def test_a_list_without_people_numbers_or_names_is_refused(tmp_path, content, match):
    path = tmp_path / "un.xml"
    path.write_text(content)
    with pytest.raises(ImportRefused, match=match):
        import_watchlist(source="un", path=path, actor=None)
    assert ListVersion.objects.get().state == "refused"


@pytest.mark.django_db
def test_an_unknown_list_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(ImportRefused, match="no list “nowhere”"):
        import_watchlist(source="nowhere", path=tmp_path / "x", actor=None)
    with pytest.raises(ImportRefused, match="is not a file"):
        import_watchlist(source="un", path=tmp_path / "absent.xml", actor=None)


@pytest.mark.django_db
def test_two_lists_keep_their_own_entries(tmp_path):
    """The same number on two lists is two people; a new version of one touches nothing of the other."""
    load(tmp_path, {"id": "1", "first": "Anna", "second": "Listed"})
    path = tmp_path / "house.csv"
    path.write_text(f"{HEADER}1,Bela Kern,,1980,DE,Fraud\n2,Cora Kern,,1980,DE,Fraud\n")
    import_watchlist(source="house", path=path, actor=None)
    load(tmp_path, {"id": "2", "first": "Dora", "second": "New"})
    listed = ListEntry.objects.filter(is_listed=True).values_list("source__code", "external_id", "primary_name")
    assert sorted(listed) == [("house", "1", "Bela Kern"), ("house", "2", "Cora Kern"), ("un", "2", "Dora New")]
