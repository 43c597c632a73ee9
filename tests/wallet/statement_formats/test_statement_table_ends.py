"""A bank's CSV that was cut off between two rows is never taken for a shorter one: its balances prove it, or a person does."""

import datetime as dt
import io

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from crm.choices import JobState
from crm.errors import NotAllowed
from crm.files.jobs import run_job
from crm.models import AuditEvent, Job
from sandbox.psp.dialects.bankwire import IBAN
from tests.wallet.factories import make_psp
from wallet.bank import statements as bank
from wallet.bank.statement_ends import gaps_of
from wallet.choices.reconciliation import WaitingState
from wallet.models import BankEntry, BankFile, ReportToConfirm, TableMapping, WaitingTable
from wallet.psp.settlement import EndUnknown
from wallet.reconciliation.report_confirmations import confirm_report, discard_report
from wallet.statement_formats import BadStatement, read_statements

ROWS = [("2026-10-01", "100.50"), ("2026-10-01", "-7.25"), ("2026-10-02", "200.75"), ("2026-10-05", "-12.00")]


def plain(rows=ROWS) -> str:
    return "date;amount;currency;text\n" + "".join(
        f"{day};{amount};EUR;row {number}\n" for number, (day, amount) in enumerate(rows)
    )


def running(*, newest_first: bool = False, opening: str = "", closing: str = "") -> str:
    """With a running balance from 1,000.00 on; the balances told above the table where they are given."""
    lines, balance = [], 100_000
    for number, (day, amount) in enumerate(ROWS):
        balance += round(float(amount) * 100)
        lines.append(f"{day};{amount};{balance / 100:.2f};EUR;row {number}\n")
    above = "".join(
        f"{name};{value};;;\n" for name, value in (("Opening balance", opening), ("Closing balance", closing)) if value
    )
    return above + "date;amount;balance;currency;text\n" + "".join(lines[::-1] if newest_first else lines)


TOLD = f"Opening balance;1000.00;;\n{plain()}Closing balance;1282.00;;\n"
TABLES = {
    "plain": (plain(), False),
    "told": (TOLD, True),
    "told wrongly": (TOLD.replace("1282", "1283"), False),
    "oldest first": (running(), False),
    "oldest first, closing told": (running(closing="1282.00"), True),
    "oldest first, opening told": (running(opening="1000.00"), False),
    "newest first": (running(newest_first=True), False),
    "newest first, closing told": (running(newest_first=True, closing="1282.00"), False),
    "newest first, opening told": (running(newest_first=True, opening="1000.00"), True),
}


def ends(text: str) -> list[bool]:
    return [one.has_end for one in read_statements(text.encode())[1]]


@pytest.mark.parametrize("name", TABLES)
def test_balances_prove_the_end_that_they_belong_to(name):
    text, is_proved = TABLES[name]
    assert ends(text) == [is_proved]


@pytest.mark.parametrize("name", TABLES)
def test_every_prefix_of_a_table_is_refused_or_known_to_have_no_end(name):
    text, _is_proved = TABLES[name]
    _kind, (whole,) = read_statements(text.encode())
    for length in range(1, len(text)):
        try:
            _kind, (found,) = read_statements(text[:length].encode())
        except BadStatement:
            continue
        is_whole = [one.minor for one in found.entries] == [one.minor for one in whole.entries]
        assert is_whole or not found.has_end, text[:length][-40:]


def test_a_workbook_has_its_end():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, line in enumerate(plain().splitlines()):
            sheet.write_row(at, 0, line.split(";"))
    assert all(one.has_end for one in read_statements(out.getvalue())[1])
    with pytest.raises(BadStatement):
        read_statements(out.getvalue()[:-100])


# ── a person confirms ────────────────────────────────────────────────────────────────────────────────────────────────

pytest_db = pytest.mark.django_db


@pytest.fixture
def psp(cast, settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path / "private"
    psp = make_psp(cast.brand, "bank", kind="bank", adapter="bank_wire")
    psp.seal_credentials({"iban": IBAN, "holder": "Us"})
    psp.save()
    return psp


def take_in(psp, actor, text, name="october.csv", **more):
    return bank.import_statement(psp_id=psp.pk, file_name=name, content=text.encode(), actor=actor, **more)


def held(psp, actor, text=None) -> ReportToConfirm:
    with pytest.raises(EndUnknown, match="The end of the file can't be verified") as waits:
        take_in(psp, actor, text or plain())
    return ReportToConfirm.objects.get(pk=waits.value.waiting_id)


@pytest_db
def test_a_table_without_its_end_waits_and_nothing_is_booked(cast, psp):
    waiting = held(psp, cast.finance)
    assert (waiting.row_count, waiting.first_day, waiting.last_day) == (4, dt.date(2026, 10, 1), dt.date(2026, 10, 5))
    assert waiting.totals["EUR"] == {
        "rows": 4,
        "in": 30_125,
        "out": -1_925,
        "opening": None,
        "closing": None,
        "before": None,
    }
    assert waiting.last_row == "Line 5: 2026-10-05 · -12.00 · EUR · row 3"
    assert not BankFile.objects.exists() and not BankEntry.objects.exists()
    assert held(psp, cast.finance) == waiting, "the same file waits once"
    assert len([path for path in bank.ORIGINALS.root.rglob("*") if path.is_file()]) == 1


@pytest_db
def test_whoever_confirms_a_statement_is_named_and_it_is_booked(cast, psp):
    waiting = held(psp, cast.finance)
    with pytest.raises(NotAllowed):
        confirm_report(waiting_id=waiting.pk, actor=cast.agent)
    file = confirm_report(waiting_id=waiting.pk, actor=cast.finance)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.bank_file, waiting.report) == (WaitingState.CONFIRMED, file, None)
    assert (file.entries_new, file.entries.count()) == (4, 4)
    assert b"".join(bank.original_of(file)) == plain().encode()
    assert AuditEvent.objects.get(action="wallet.report_confirmed").actor == cast.finance


@pytest_db
def test_a_discarded_statement_leaves_no_file(cast, psp, django_capture_on_commit_callbacks):
    waiting = held(psp, cast.finance)
    with django_capture_on_commit_callbacks(execute=True):
        discard_report(waiting_id=waiting.pk, actor=cast.finance)
    waiting.refresh_from_db()
    assert not bank.ORIGINALS.path_of(waiting.stored_name).exists()
    assert (waiting.last_row, BankFile.objects.count()) == ("", 0)


@pytest_db
def test_the_page_shows_sums_and_the_last_row_and_confirms(cast, psp, browse):
    client = browse(cast.finance)
    upload = client.post(
        reverse("wallet:bank_upload"), {"psp": psp.pk, "file": SimpleUploadedFile("cut.csv", running().encode())}
    )
    waiting = ReportToConfirm.objects.get()
    assert upload.url == reverse("wallet:report_to_confirm", args=[waiting.pk])
    shown = client.get(upload.url).content.decode()
    for words in ("Is this statement complete?", "Confirm as complete", "301.25", "19.25", "1,282.00", "row 3"):
        assert words in shown
    assert "cut.csv" in client.get(reverse("wallet:bank")).content.decode()
    assert "cut.csv" not in client.get(reverse("wallet:reconciliation")).content.decode()
    assert browse(cast.auditor).post(reverse("wallet:report_confirm", args=[waiting.pk])).status_code == 403
    assert client.post(reverse("wallet:report_confirm", args=[waiting.pk])).url == reverse("wallet:bank")
    assert BankFile.objects.get().entries_new == 4
    assert "4 new entries" in " ".join(client.get(upload.url).content.decode().split())


@pytest_db
def test_a_table_whose_columns_were_mapped_waits_too_and_keeps_its_mapping(cast, psp, browse):
    client = browse(cast.finance)
    text = plain().replace("currency", "c").replace(";EUR;", ";x;").encode()
    client.post(reverse("wallet:bank_upload"), {"psp": psp.pk, "file": SimpleUploadedFile("odd.csv", text)})
    page = reverse("wallet:bank_table", args=[WaitingTable.objects.get().pk])
    said = {"column_0": "date", "column_1": "amount", "decimal": ".", "order": "ymd", "currency": "EUR", "header": "0"}
    answer = client.post(page, {**said, "what": "import"})
    waiting = ReportToConfirm.objects.get()
    assert answer.url == reverse("wallet:report_to_confirm", args=[waiting.pk])
    assert (TableMapping.objects.count(), WaitingTable.objects.count(), BankFile.objects.count()) == (1, 0, 0)
    assert confirm_report(waiting_id=waiting.pk, actor=cast.finance).entries_new == 4


@pytest_db
def test_a_large_one_waits_behind_its_job(cast, psp, browse, monkeypatch):
    monkeypatch.setattr(bank, "AT_ONCE_BYTES_MAX", 10)
    client = browse(cast.finance)
    client.post(reverse("wallet:bank_upload"), {"psp": psp.pk, "file": SimpleUploadedFile("cut.csv", plain().encode())})
    job = Job.objects.get()
    run_job(job.pk)
    job.refresh_from_db()
    waiting = ReportToConfirm.objects.get()
    assert (job.state, job.result_url) == (JobState.DONE, reverse("wallet:report_to_confirm", args=[waiting.pk]))


@pytest_db
def test_the_command_takes_a_flag_for_a_complete_table(psp, tmp_path):
    path = tmp_path / "october.csv"
    path.write_text(plain())
    with pytest.raises(CommandError, match="--complete"):
        call_command("import_statement", str(path), psp="bank")
    assert not BankFile.objects.exists()
    call_command("import_statement", str(path), psp="bank", complete=True)
    assert BankFile.objects.get().entries_new == 4


# ── the statement before ─────────────────────────────────────────────────────────────────────────────────────────────


def september(closing: str) -> str:
    return f"date;amount;balance;currency\n2026-09-30;1.00;{closing};EUR\n"


@pytest_db
@pytest.mark.parametrize(("closing", "is_proved"), [("1000.00", True), ("999.00", False)])
def test_the_statement_before_proves_a_table_that_ends_with_its_oldest_row(psp, closing, is_proved):
    take_in(psp, None, september(closing), is_complete=True)
    if is_proved:
        assert gaps_of(take_in(psp, None, running(newest_first=True))) == []
        return
    waiting = held(psp, None, running(newest_first=True))
    assert (waiting.totals["EUR"]["opening"], waiting.totals["EUR"]["before"]) == (100_000, 99_900)


@pytest_db
def test_a_statement_that_does_not_follow_the_one_before_is_named(psp):
    take_in(psp, None, september("999.00"), is_complete=True)
    (words,) = gaps_of(take_in(psp, None, running(closing="1282.00")))
    assert "€1,000.00" in words and "€999.00" in words
