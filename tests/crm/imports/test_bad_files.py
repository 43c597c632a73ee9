"""Files that can't be read, or not wholly: clear words, nothing lost, nothing half applied."""

import io

import pytest
import xlsxwriter

from clients.models import Client
from crm.choices import DataImportState
from crm.errors import DomainError, NotAllowed, NotFound, WrongState
from crm.imports import checking, importing, reading, reporting
from crm.models import DataImport, ImportMapping, ImportRow
from tests.crm.imports.files import CLIENTS, MAPPING, checked, imported, reasons, row, uploaded

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_are_recognised(cast, encoding):
    batch = checked(cast, CLIENTS.encode(encoding), MAPPING)
    assert row(batch, 2).values["last_name"] == "Groß" and row(batch, 3).values["first_name"] == "Åsa"
    assert any("Windows-1252" in problem for problem in batch.problems) == (encoding == "cp1252")


def test_bytes_that_are_no_text_are_refused_with_what_to_do(cast):
    for content in (
        "Имя;Почта\n".encode("shift_jis") + b"\x81\x8d\xff",
        b"%PDF-1.7\n\x00\x01\x81" + bytes(range(256)),
        b"\xff\xfe\x00",
    ):
        with pytest.raises(DomainError, match="CSV UTF-8"):
            uploaded(cast, content)
    with pytest.raises(DomainError, match="empty"):
        uploaded(cast, b" \n")
    assert not DataImport.objects.exists()


def test_wrong_encoding_is_corrected_in_the_mapping(cast):
    text = "email;first;last\nivan@example.com;Иван;Петров\n".encode("cp1251")
    batch = checked(cast, text)
    assert row(batch, 2).values["first_name"] != "Иван"
    importing.map_columns(
        import_id=batch.pk,
        actor=cast.administrator,
        definition={**batch.mapping, "encoding": "cp1251"},
        is_queued=False,
    )
    batch.refresh_from_db()
    checking.check(batch, lambda *_: None)
    assert row(batch, 2).values["first_name"] == "Иван"
    with pytest.raises(DomainError, match="Unknown encoding"):
        importing.map_columns(import_id=batch.pk, actor=cast.administrator, definition={**MAPPING, "encoding": "x"})


def test_ragged_rows_are_named_with_their_line_and_the_others_come_in(cast):
    text = "email,first,last\na@example.com,A,B\nb@example.com,B\nc@example.com,C,D,E\nd@example.com,D,E,,\n\n"
    batch = imported(cast, text)
    assert reasons(batch) == {
        3: ["The row has 2 values, but the file has 3 columns."],
        4: ["The row has 4 values, but the file has 3 columns."],
    }
    assert set(
        Client.objects.filter(email__in=["a@example.com", "d@example.com"]).values_list("first_name", flat=True)
    ) == {"A", "D"}
    lines = list(reporting.refused_lines(batch))
    assert lines[0] == ["email", "first", "last", "Line", "Result", "Reason"]
    assert lines[1][:4] == ["b@example.com", "B", "", 3]


def test_open_quote_refuses_the_whole_file_and_names_the_line(cast):
    batch = checked(cast, 'email,first\na@example.com,A\nb@example.com,"B\nc@example.com,C\n')
    assert batch.state == DataImportState.FAILED
    assert batch.problems[0].startswith("Line 4 can't be read") and not ImportRow.objects.exists()


def test_formulas_stay_text_and_are_flagged(cast):
    text = 'email,first,last,phone\na@example.com,"=HYPERLINK(""http://x"",""y"")",-B,+4915123456789\n'
    batch = imported(cast, text)
    assert batch.counts == {"new": 1, "flagged": 1}
    assert [warning["column"] for warning in row(batch, 2).warnings] == ["first", "last"]
    assert Client.objects.get(email="a@example.com").first_name == '=HYPERLINK("http://x","y")'


@pytest.mark.parametrize("text", ["+49 151 2345", "-12.50", "=", "-", "Müller"])
def test_numbers_and_plain_texts_are_no_formulas(text):
    assert reading.is_formula(text) == (text == "=")


def test_too_many_rows_columns_and_letters_are_refused(cast, monkeypatch):
    monkeypatch.setattr(reading, "ROWS_MAX", 2)
    assert "more than 2 rows" in checked(cast, "email\na@b.cd\nb@b.cd\nc@b.cd\n").problems[0]
    monkeypatch.setattr(reading, "COLUMNS_MAX", 2)
    with pytest.raises(DomainError, match="more than 2 columns"):
        uploaded(cast, "a,b,c\n1,2,3\n")
    monkeypatch.setattr(reading, "CELL_CHARS_MAX", 20)
    batch = checked(cast, f"email,first\na@example.com,{'x' * 30}\n")
    assert reasons(batch)[2] == ["A value is longer than 20 characters."]


def test_values_that_are_too_long_are_refused_and_never_cut(cast):
    batch = checked(cast, f"email,city\na@example.com,{'x' * 81}\n")
    assert reasons(batch) == {2: ["Longer than 80 characters"]}


def test_workbook_is_read_like_a_csv(cast):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("Clients")
        for line, values in enumerate(
            [["Id", "Email", "First name"], [12, "a@example.com", "A"], [13, "b@example.com"]]
        ):
            sheet.write_row(line, 0, values)
        book.add_worksheet("Empty")
    batch = imported(cast, out.getvalue(), name="clients.xlsx")
    assert batch.counts == {"new": 2}
    assert Client.objects.filter(email__in=["a@example.com", "b@example.com"]).count() == 2
    with pytest.raises(DomainError, match="can't be read"):
        uploaded(cast, out.getvalue()[:-200], name="clients.xlsx")


def test_mapping_mistakes_are_named(cast):
    batch = uploaded(cast, CLIENTS)
    for definition, message in (
        ([], "JSON object"),
        ({"fields": {"emial": "E-Mail"}}, "unknown field “emial”"),
        ({"fields": {"email": "Mail"}}, "no column “Mail”"),
        ({"fields": {"email": {}}}, "needs a “column”"),
        ({"fields": {"email": "E-Mail"}, "dates": "dd"}, "must be one of"),
        ({"fields": {"email": "E-Mail"}, "decimal": ";"}, "point or a comma"),
        ({"fields": {"email": "E-Mail"}, "colour": "red"}, "unknown keys: colour"),
    ):
        with pytest.raises(DomainError, match=message):
            importing.map_columns(import_id=batch.pk, actor=cast.administrator, definition=definition)
    batch.refresh_from_db()
    assert batch.state == DataImportState.MAPPING


def test_mapping_is_remembered_for_files_with_the_same_columns(cast):
    batch = uploaded(cast, CLIENTS)
    assert batch.mapping["dates"] == "ymd"
    importing.map_columns(
        import_id=batch.pk, actor=cast.administrator, definition=MAPPING, remember_as="UpTrader", is_queued=False
    )
    assert ImportMapping.objects.get().name == "UpTrader"
    lines = CLIENTS.splitlines()
    other = uploaded(cast, "\n".join([lines[0].upper(), *lines[1:]]))
    assert other.mapping["dates"] == "dmy"


def test_values_are_translated_and_fixed_ones_fill_the_gaps(cast):
    definition = {
        "fields": {
            "email": "email",
            "country": {"column": "land", "values": {"Germania": "DE"}, "fixed": "AT"},
            "language": {"fixed": "de"},
        }
    }
    batch = checked(cast, "email,land\na@example.com,Germania\nb@example.com,\n", definition)
    assert [row(batch, line).values["country"] for line in (2, 3)] == ["DE", "AT"]
    assert row(batch, 2).values["language"] == "de"


def test_only_administrators_of_the_whole_brand_import(cast):
    for person in (cast.agent, cast.desk_head, cast.finance, cast.marketing):
        with pytest.raises(NotAllowed):
            importing.start_import(
                brand=cast.brand,
                actor=person,
                kind="clients",
                system="x",
                file_name="x.csv",
                content=b"email\na@b.cd\n",
            )
    with pytest.raises(NotAllowed):
        importing.start_import(
            brand=cast.other_brand,
            actor=cast.administrator,
            kind="clients",
            system="x",
            file_name="x.csv",
            content=b"email\na@b.cd\n",
        )
    with pytest.raises(NotFound, match="clients"):
        uploaded(cast, CLIENTS, kind="horses")


def test_discarded_file_leaves_neither_rows_nor_original(cast, django_capture_on_commit_callbacks):
    batch = checked(cast, CLIENTS, MAPPING)
    assert importing.file_path(batch).exists()
    with django_capture_on_commit_callbacks(execute=True):
        importing.discard(import_id=batch.pk, actor=cast.administrator)
    assert not importing.file_path(batch).exists() and not ImportRow.objects.exists()
    with pytest.raises(WrongState):
        importing.confirm(import_id=batch.pk, actor=cast.administrator)


def test_file_without_a_good_row_is_not_confirmed(cast):
    batch = checked(cast, "email\nnone\n")
    with pytest.raises(WrongState, match="None of the rows"):
        importing.confirm(import_id=batch.pk, actor=cast.administrator)
