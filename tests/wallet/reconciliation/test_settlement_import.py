"""A report comes in: kept encrypted, streamed into its table, proved, and all of it or nothing."""

import datetime as dt
import io
import os
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from crm.choices import JobState
from crm.errors import DomainError, NotAllowed
from crm.files.file_sweep import sweep_orphans
from crm.files.jobs import run_job
from crm.models import AuditEvent, Job
from crm.security.sealed_files import FileDamaged
from tests.wallet.factories import make_psp, make_stripe
from tests.wallet.psp.test_psp_stripe import HEADER, ROW
from tests.wallet.psp.test_settlement_readers import PLAIN, plain_of
from wallet.models import SettlementImport, SettlementRow
from wallet.psp.settlement import BadFile
from wallet.reconciliation import settlement_import
from wallet.reconciliation.settlement_import import import_report, order_import, original_of, originals_dir, path_of

pytestmark = pytest.mark.django_db
CONTENT = PLAIN.encode()


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    settings.PRIVATE_DIR = tmp_path
    return tmp_path / "settlements"


@pytest.fixture
def psp(cast, folder):
    return make_psp(cast.brand, "northpay")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_every_field_of_a_row_arrives_in_the_table(cast, psp):
    report = import_report(psp_id=psp.pk, file_name="october.csv", content=CONTENT, actor=cast.finance)
    row, reserve = SettlementRow.objects.order_by("line")
    assert (row.report_id, row.line, row.type, row.psp_reference, row.batch) == (report.pk, 3, "payment", "pay_1", "b1")
    assert (row.gross_minor, row.fee_minor, row.net_minor) == (11_534, 200, 11_334)
    assert (row.paid_currency, row.paid_minor, row.rate) == ("GBP", 10_000, Decimal("1.1534"))
    assert (row.entry_reference, row.client_reference) == ("e-1", "c-1")
    assert row.booked_at == dt.datetime(2026, 10, 5, 8, tzinfo=dt.UTC)
    assert row.value_at == dt.datetime(2026, 10, 7, tzinfo=dt.UTC)
    assert (reserve.paid_currency, reserve.paid_minor, reserve.rate, reserve.value_at) == ("", None, None, None)
    assert (report.row_count, report.format, report.size_bytes) == (2, "CSV", len(CONTENT))
    assert (report.first_day, report.last_day) == (dt.date(2026, 10, 1), dt.date(2026, 10, 31))
    assert report.totals["EUR"] == {
        "opening": 0,
        "gross": 10_534,
        "fee": 200,
        "net": 10_334,
        "closing": 10_334,
        "rows": 2,
        "left_out": 0,
    }


def test_odd_text_is_stored_as_it_stands_in_the_file(cast, psp):
    odd = 'pay "1", \\. \t and\nso ü 💶'
    text = PLAIN.replace("pay_1", '"' + odd.replace('"', '""') + '"')
    import_report(psp_id=psp.pk, file_name="odd.csv", content=text.encode(), actor=cast.finance)
    assert SettlementRow.objects.order_by("line").first().psp_reference == odd


@pytest.mark.parametrize("kind", ["bytes", "file", "path", "upload"])
def test_the_original_is_kept_encrypted_however_it_came(cast, psp, folder, tmp_path, kind):
    path = tmp_path / "report.csv"
    path.write_bytes(CONTENT)
    content = {
        "bytes": CONTENT,
        "file": io.BytesIO(CONTENT),
        "path": path,
        "upload": SimpleUploadedFile("r.csv", CONTENT),
    }[kind]
    report = import_report(psp_id=psp.pk, file_name="october.csv", content=content, actor=cast.finance)
    (kept,) = files(folder)
    assert kept == path_of(report.stored_name)
    assert b"pay_1" not in kept.read_bytes() and oct(kept.stat().st_mode)[-3:] == "600"
    assert b"".join(original_of(report)) == CONTENT


def test_an_original_that_was_touched_does_not_open(cast, psp, folder):
    report = import_report(psp_id=psp.pk, file_name="october.csv", content=CONTENT, actor=cast.finance)
    (kept,) = files(folder)
    sealed = bytearray(kept.read_bytes())
    sealed[-1] ^= 1
    kept.write_bytes(sealed)
    with pytest.raises(FileDamaged):
        list(original_of(report))


@pytest.mark.parametrize(
    "content", [CONTENT.replace(b",103.34,,,", b",103.35,,,"), CONTENT.replace(b"-10.00,,,e-2", b"-1o.00,,,e-2"), b""]
)
def test_a_file_that_is_refused_leaves_nothing_behind(cast, psp, folder, content):
    with pytest.raises(BadFile):
        import_report(psp_id=psp.pk, file_name="october.csv", content=content, actor=cast.finance)
    assert not files(folder)
    assert not SettlementImport.objects.exists() and not SettlementRow.objects.exists()
    assert not AuditEvent.objects.filter(action="wallet.report_imported").exists()


def test_the_same_file_twice_is_refused_and_the_first_one_stays(cast, psp, folder):
    report = import_report(psp_id=psp.pk, file_name="october.csv", content=CONTENT, actor=cast.finance)
    with pytest.raises(DomainError, match="already imported") as refused:
        import_report(psp_id=psp.pk, file_name="again.csv", content=CONTENT, actor=cast.finance)
    assert refused.value.code == "same_file"
    assert [path.name for path in files(folder)] == [report.stored_name]


def test_a_booking_that_stands_twice_is_refused_with_both_lines(cast, folder):
    stripe = make_stripe(cast.brand, "http://stripe.invalid")
    again = f"{HEADER}\n{ROW}\n{ROW.replace('ch_1', 'ch_2')}\n".encode()
    with pytest.raises(
        BadFile, match="Line 3, column “balance_transaction_id”: the same transaction is already on line 2"
    ):
        import_report(psp_id=stripe.pk, file_name="stripe.csv", content=again, actor=cast.finance)
    assert not files(folder) and not SettlementImport.objects.exists()


def test_who_may_not_import_leaves_no_file(cast, psp, folder):
    for actor in (cast.agent, cast.auditor):
        with pytest.raises(NotAllowed):
            import_report(psp_id=psp.pk, file_name="x", content=CONTENT, actor=actor)
        with pytest.raises(NotAllowed):
            order_import(psp_id=psp.pk, file_name="x", content=CONTENT, actor=actor)
    assert not files(folder) and not Job.objects.exists()


def test_progress_goes_from_the_first_byte_to_the_last(cast, psp):
    content, seen = plain_of(12_000).getvalue(), []
    import_report(
        psp_id=psp.pk,
        file_name="many.csv",
        content=content,
        actor=cast.finance,
        progress=lambda done, total, message: seen.append((done, total, message)),
    )
    done = [one[0] for one in seen]
    assert done == sorted(done) and 0 < done[1] < len(content) and done[-1] == len(content)
    assert {one[1] for one in seen} == {len(content)}
    assert {one[2] for one in seen} == {"Reading", "Matching"}
    assert SettlementRow.objects.count() == 12_000


def test_what_progress_raises_stops_the_import_and_leaves_nothing(cast, psp, folder):
    class Enough(Exception):
        pass

    def stop(done: int, _total: int, _message: str) -> None:
        if done:
            raise Enough

    with pytest.raises(Enough):
        import_report(psp_id=psp.pk, file_name="many.csv", content=plain_of(12_000), actor=cast.finance, progress=stop)
    assert not files(folder) and not SettlementRow.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_large_report_is_a_job_with_the_report_as_its_result(cast, psp, folder):
    job = order_import(psp_id=psp.pk, file_name="large.csv", content=CONTENT, actor=cast.finance)
    assert len(files(folder)) == 1 and not SettlementImport.objects.exists()
    run_job(job.pk)
    job.refresh_from_db()
    report = SettlementImport.objects.get()
    assert job.state == JobState.DONE, job.error
    assert job.result_url == f"/money/reconciliation/{report.pk}/"
    assert (report.imported_by, report.file_name, job.done) == (cast.finance, "large.csv", len(CONTENT))
    with pytest.raises(DomainError, match="already imported"):
        order_import(psp_id=psp.pk, file_name="large.csv", content=CONTENT, actor=cast.finance)
    assert len(files(folder)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_bad_report_fails_its_job_in_words_and_leaves_nothing(cast, psp, folder):
    content = CONTENT.replace(b"-10.00,,,e-2", b"-1o.00,,,e-2")
    job = order_import(psp_id=psp.pk, file_name="bad.csv", content=content, actor=cast.finance)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED and "Line 4, column “net”" in job.message
    assert not files(folder) and not SettlementImport.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_cancel_stops_a_job_that_runs_and_nothing_of_it_stays(cast, psp, folder):
    job = order_import(psp_id=psp.pk, file_name="many.csv", content=plain_of(12_000), actor=cast.finance)
    plain = settlement_import.store_rows

    def cancelled_meanwhile(report_id, rows):
        other = connection.copy()  # the owner's own click, beside the import's transaction
        with other.cursor() as cursor:
            cursor.execute("UPDATE crm_job SET cancel_requested = true WHERE id = %s", [job.pk])
        other.close()
        plain(report_id, rows)

    settlement_import.store_rows = cancelled_meanwhile
    try:
        run_job(job.pk)
    finally:
        settlement_import.store_rows = plain
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert not files(folder) and not SettlementImport.objects.exists()


def test_originals_of_no_report_are_dropped_after_a_day(cast, psp, folder):
    report = import_report(psp_id=psp.pk, file_name="october.csv", content=CONTENT, actor=cast.finance)
    waiting = order_import(psp_id=psp.pk, file_name="x.csv", content=CONTENT + b"\n", actor=cast.finance)
    orphan, fresh = settlement_import.keep(b"orphan"), settlement_import.keep(b"fresh")
    assert sweep_orphans().total == 0
    for path in files(folder):
        if path != fresh.path:
            os.utime(path, (1, 1))
    assert sweep_orphans().removed == {"settlements": 1}
    kept = {path.name for path in files(folder)}
    assert kept == {report.stored_name, waiting.parameters["stored_name"], fresh.name} and orphan.name not in kept
    assert originals_dir() == folder


def test_a_large_upload_leads_to_its_job_s_page(cast, psp, folder, browse, monkeypatch):
    monkeypatch.setattr("wallet.reconciliation.views.reports.AT_ONCE_BYTES_MAX", 100)
    browser = browse(cast.finance)
    upload = reverse("wallet:report_upload")
    answer = browser.post(upload, {"psp": psp.pk, "file": SimpleUploadedFile("large.csv", CONTENT)})
    job = Job.objects.get(kind="wallet.import_report")
    assert (answer.status_code, answer["Location"]) == (302, reverse("job", args=[job.pk]))
    assert job.title == "Import of “large.csv”" and len(files(folder)) == 1
    import_report(psp_id=psp.pk, file_name="meanwhile.csv", content=CONTENT, actor=cast.finance)
    again = browser.post(upload, {"psp": psp.pk, "file": SimpleUploadedFile("again.csv", CONTENT)})
    assert again.status_code == 422 and "already imported" in again.content.decode()
    assert len(files(folder)) == 2


def test_the_original_is_downloaded_in_pieces_under_its_own_ending(cast, psp, browse):
    report = import_report(psp_id=psp.pk, file_name="october.TXT", content=CONTENT, actor=cast.finance)
    answer = browse(cast.finance).get(reverse("wallet:settlement_original", args=[report.pk]))
    assert answer.streaming and answer.getvalue() == CONTENT
    assert answer["Content-Disposition"] == 'attachment; filename="northpay-2026-10-01-2026-10-31.txt"'
    assert answer["Content-Length"] == str(len(CONTENT))
