"""Lines of a file of leads: lengths, counts, and when two lines are one person."""

import pytest

from crm.errors import DomainError, NotAllowed
from leads import imports
from leads.import_files import reading
from leads.import_files.reading import LONGEST, Defaults, decode, open_rows, read_rows
from leads.models import LeadImport

HEADER = "email,phone,last_name,country,first_name\n"


def rows_of(text: str, **defaults) -> list[reading.Row]:
    return list(read_rows(text, Defaults(**{"country": "DE", **defaults}), {"de-search"}))


def same(*lines: str) -> list[int | None]:
    return [row.same_as_line for row in rows_of(HEADER + "\n".join(lines))]


@pytest.mark.parametrize(("lines", "is_read"), [(1, True), (2, True), (3, False)])
def test_a_file_has_lines_up_to_the_most(monkeypatch, lines, is_read):
    monkeypatch.setattr(reading, "MOST_ROWS", 2)
    text = "email\n" + "\n".join(f"a{number}@web.de\n" for number in range(lines))  # with an empty line after each
    if is_read:
        assert len(rows_of(text)) == lines
    else:
        with pytest.raises(DomainError, match="more than 2 lines"):
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
def test_when_a_line_is_the_person_of_an_earlier_one(second, is_same):
    """A mailbox is enough; a phone needs the first name beside it and no other last name, as for clients."""
    assert same("a@web.de,0151 23456789,Weber,DE,Anna", second) == [None, 2 if is_same else None]


def test_a_third_line_names_the_first():
    assert same("a@web.de,,,", "a@web.de,,,", "b@web.de,,,", "A@web.de,,,") == [None, 2, None, 2]


def test_a_line_that_is_wrong_is_nobody():
    first, second = rows_of("email,country\na@web.de,Atlantis\na@web.de,DE\n")
    assert first.errors and (second.errors, second.same_as_line) == ([], None)


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("E-Mail;Nachname", ["email", "last_name"]),
        ("Correo,Apellidos", ["email", "last_name"]),
        ("TELEPHONE\tName", ["phone", "full_name"]),
        ("mail|unknown", ["email", ""]),
    ],
)
def test_columns_by_the_names_people_give_them(header, columns):
    _lines, found, unknown = open_rows(header + "\n")
    assert found == columns and len(unknown) == columns.count("")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must contain the column names"),
        ("name,city\n", "Found: name, city"),
        ("email,E-Mail\n", "Two columns have the same meaning: email"),
    ],
)
def test_a_header_that_can_not_be_is_refused(text, said):
    with pytest.raises(DomainError, match=said):
        open_rows(text)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Müller".encode(), "Müller"),
        ("Müller".encode("utf-8-sig"), "Müller"),
        ("Müller".encode("utf-16"), "Müller"),
        ("Müller".encode("cp1252"), "Müller"),
    ],
)
def test_spreadsheets_write_in_several_ways(raw, text):
    assert decode(raw) == text


@pytest.mark.parametrize(("raw", "said"), [(b"a\0b", "isn't a text file"), (b"\xff\xfea", "incomplete or damaged")])
def test_what_is_no_text_is_said_so(raw, said):
    with pytest.raises(DomainError, match=said):
        decode(raw)


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
def test_a_file_has_a_most_size(cast, settings, by, is_taken):
    content = b"email\na@web.de\n"
    settings.UPLOAD_MAX_BYTES = len(content) - by
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
