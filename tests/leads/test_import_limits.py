"""Lines of a file of leads: lengths, counts, and when two lines are one person."""

import re

import pytest

from crm.errors import DomainError, NotAllowed
from crm.imports.reading import open_table
from leads import imports
from leads.import_files import columns, files, reading
from leads.import_files.reading import LONGEST, NO_CUSTOM, Defaults, RowReader
from leads.models import LeadImport, LeadImportRow

HEADER = "email,phone,last_name,country,first_name\n"


def rows_of(text: str | bytes, **defaults) -> list[reading.Row]:
    table = open_table(text if isinstance(text, bytes) else text.encode(), "leads.csv")
    mapping, reader = (
        columns.guess(table.header, NO_CUSTOM).mapping,
        RowReader(Defaults(**{"country": "DE", **defaults}), {"de-search"}),
    )
    return [reader.read(cells, mapping, table.header) for cells in table.rows]


def same(cast, *lines: str) -> list[int | None]:
    batch = imports.start_import(
        brand=cast.brand, actor=cast.desk_head, file_name="a.csv", content=(HEADER + "\n".join(lines)).encode()
    )
    assert imports.check(batch, lambda *_told: None).state == "checked"
    return list(LeadImportRow.objects.filter(batch=batch).order_by("line").values_list("same_as_line", flat=True))


@pytest.mark.parametrize(("lines", "is_read"), [(1, True), (2, True), (3, False)])
def test_a_file_has_lines_up_to_the_most(monkeypatch, lines, is_read):
    monkeypatch.setattr("crm.imports.reading.ROWS_MAX", 2)
    text = "email\n" + "\n".join(f"a{number}@web.de\n" for number in range(lines))  # with an empty line after each
    if is_read:
        assert len(rows_of(text)) == lines
    else:
        with pytest.raises(DomainError, match="more than 2 rows"):
            rows_of(text)


@pytest.mark.parametrize("name", LONGEST)
@pytest.mark.parametrize("by", [-1, 0, 1])
def test_a_cell_has_letters_up_to_its_most(name, by):
    text = "w" * (LONGEST[name] + by)
    (row,) = rows_of(f"email,{name}\na@web.de,{text}\n")
    wrong = [error["column"] for error in row.errors if "Longer than" in error["message"]]
    assert wrong == ([name] if by > 0 else [])


@pytest.mark.parametrize(
    ("second", "is_same"),
    [
        ("a@web.de,,,", True),
        ("A+tag@web.de,,,", True),
        ("b@web.de,,,", False),
        ("b@web.de,0151 23456789,Weber,DE,Anna", True),
        ("b@web.de,+49 151 23456789,WEBER,AT,ANNA", True),
        ("b@web.de,+49 151 23456789,,DE,Anna", True),
        ("b@web.de,+49 151 23456789,Weber,DE,", False),
        ("b@web.de,+49 151 23456789,Weber,DE,Peter", False),
        ("b@web.de,+49 151 23456789,Else,DE,Anna", False),
        ("b@web.de,+49 151 23456789,Else,AT,Anna", False),
        ("b@web.de,0151 99999999,Weber,DE,Anna", False),
    ],
)
@pytest.mark.django_db
def test_when_a_line_is_the_person_of_an_earlier_one(cast, second, is_same):
    """A mailbox is enough; a phone needs the first name beside it and no other last name, as for clients."""
    assert same(cast, "a@web.de,0151 23456789,Weber,DE,Anna", second) == [None, 2 if is_same else None]


@pytest.mark.django_db
def test_a_third_line_names_the_first(cast):
    assert same(cast, "a@web.de,,,", "a@web.de,,,", "b@web.de,,,", "A@web.de,,,") == [None, 2, None, 2]


@pytest.mark.django_db
def test_a_line_that_is_wrong_is_nobody(cast):
    assert same(cast, "a@web.de,,,Atlantis,", "a@web.de,,,DE,") == [None, None]


@pytest.mark.parametrize(
    ("header", "columns_found"),
    [
        ("E-Mail;Nachname", ["email", "last_name"]),
        ("Correo,Apellidos", ["email", "last_name"]),
        ("TELEPHONE\tName", ["phone", "full_name"]),
        ("mail|unknown", ["email", ""]),
    ],
)
def test_columns_by_the_names_people_give_them(header, columns_found):
    names = re.split("[;,\t|]", header)
    found = columns.guess(names, NO_CUSTOM).mapping.fields
    assert {source.column: name for name, source in found.items()} == {
        name: column for name, column in zip(names, columns_found, strict=True) if column
    }


@pytest.mark.parametrize(
    ("header", "is_sure"), [("email,name", True), ("phone", True), ("name,city", False), ("email,E-Mail", False)]
)
def test_a_guess_needs_a_contact_and_each_meaning_once(header, is_sure):
    assert columns.guess(header.split(","), NO_CUSTOM).is_sure is is_sure


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_spreadsheets_write_in_several_ways(encoding):
    (row,) = rows_of("email,last_name\na@web.de,Müller\n".encode(encoding))
    assert row.last_name == "Müller"


@pytest.mark.parametrize("raw", [b"a\0b", b"\xff\xfea"])
def test_what_is_no_text_is_refused_in_words(raw):
    with pytest.raises(DomainError, match="encoding can't be recognised"):
        rows_of(raw)


@pytest.mark.parametrize(
    ("cells", "errors"),
    [
        ("a@web.de,,,", []),
        (",0151 23456789,,", []),
        ("a@web.de,0151 23456789,Weber,Deutschland", []),
        (",,Weber,", ["email"]),
        ("no address,,,", ["email"]),
        ("a@web.de,12,,", ["phone"]),
        ("a@web.de,,,Atlantis", ["country"]),
    ],
)
def test_a_line_names_each_wrong_cell(cells, errors):
    (row,) = rows_of(HEADER + cells)
    assert [error["column"] for error in row.errors] == errors


@pytest.mark.django_db
@pytest.mark.parametrize(("by", "is_taken"), [(-1, True), (0, True), (1, False)])
def test_a_file_has_a_most_size(cast, monkeypatch, by, is_taken):
    content = b"email\na@web.de\n"
    monkeypatch.setattr(files, "BYTES_MAX", len(content) - by)
    fields = {"brand": cast.brand, "actor": cast.desk_head, "file_name": "a.csv", "content": content}
    if is_taken:
        imports.start_import(**fields)
    else:
        with pytest.raises(DomainError, match="is larger than"):
            imports.start_import(**fields)
    assert LeadImport.objects.exists() is is_taken


@pytest.mark.django_db
def test_nobody_imports_for_another_brand(cast):
    fields = {"file_name": "a.csv", "content": b"email\na@web.de\n", "actor": cast.marketing}
    with pytest.raises(NotAllowed, match="don't have access to this brand"):
        imports.start_import(brand=cast.other_brand, **fields)
    with pytest.raises(DomainError, match="The file is empty"):
        imports.start_import(brand=cast.brand, **{**fields, "content": b" \n"})
    assert not LeadImport.objects.exists()
