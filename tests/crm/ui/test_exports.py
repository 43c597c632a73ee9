"""Lists as files: who may, what is in them, what is logged, and formulas that do not run."""

import io
import zipfile
from decimal import Decimal

import pytest
from django.http import QueryDict

from crm.errors import NotAllowed
from crm.files import jobs
from crm.models import AccessEvent, Job, User
from crm.ui import exports, keyset
from tests.crm.ui.test_tables import show, table_for


def test_a_csv_streams_the_whole_list_in_its_order_and_is_logged(cast):
    answer = show(cast.auditor, "export=csv&kind=client&sort=-username")
    text = b"".join(answer.streaming_content).decode()
    lines = text.removeprefix("\ufeff").splitlines()
    assert lines[0] == "User,E-mail,Brand,Last seen,Active"
    assert [line.split(",")[0] for line in lines[1:]] == ["meridian/oscar@example.com", "meridian/clara@example.com"]
    assert answer["Content-Disposition"].startswith('attachment; filename="test-users-')
    event = AccessEvent.objects.get(kind="export")
    assert (event.user_id, event.target) == (cast.auditor.pk, "table:test.users.csv")
    assert "kind=client" in event.reason


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_without_the_right_there_is_no_export_and_nothing_is_logged(cast, ending):
    with pytest.raises(NotAllowed):
        show(cast.agent, f"export={ending}")
    assert "export=csv" not in show(cast.agent).content.decode()
    assert not AccessEvent.objects.filter(kind="export").exists()


def test_cells_that_a_spreadsheet_would_run_are_defused(cast):
    User.objects.filter(pk=cast.client_user.pk).update(username="=HYPERLINK(1)")
    text = b"".join(show(cast.auditor, "export=csv&kind=client").streaming_content).decode()
    assert "'=HYPERLINK(1)" in text
    assert exports.defuse("-5 EUR") == "'-5 EUR" and exports.defuse(Decimal("-5")) == Decimal("-5")


def test_a_small_xlsx_comes_at_once(cast):
    answer = show(cast.auditor, "export=xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "alice@meridian.example" in sheet and "Alice" not in sheet and "<f>" not in sheet


def test_a_large_xlsx_is_a_job_that_runs_as_its_owner(cast, monkeypatch):
    monkeypatch.setitem(exports.INLINE_MAX, "xlsx", 0)
    monkeypatch.setattr(keyset, "estimate", lambda _rows: 60_000)
    answer = show(cast.auditor, "export=xlsx&kind=client")
    job = Job.objects.get()
    assert answer["Location"] == f"/jobs/{job.pk}/" and job.owner == cast.auditor
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 2, 2), job.error
    assert b"".join(jobs.result_of(job)).startswith(b"PK")


def test_a_large_csv_is_a_job_too(cast, monkeypatch):
    monkeypatch.setattr(keyset, "estimate", lambda _rows: 60_000)
    show(cast.auditor, "export=csv&kind=client")
    job = Job.objects.get()
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.result_name[-4:]) == ("done", 2, ".csv"), job.error
    text = b"".join(jobs.result_of(job)).decode("utf-8-sig")
    assert len(text.splitlines()) == 3


def test_a_job_whose_owner_lost_the_right_fails_and_says_so(cast, monkeypatch):
    monkeypatch.setitem(exports.INLINE_MAX, "xlsx", 0)
    show(cast.auditor, "export=xlsx")
    cast.auditor.groups.clear()
    job = Job.objects.get()
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "failed" and "can't export" in job.message


def test_an_unknown_ending_is_refused_in_words(cast):
    with pytest.raises(Exception, match="CSV or XLSX"):
        show(cast.auditor, "export=pdf")


def test_an_export_reads_its_rows_through_a_cursor(cast, django_assert_max_num_queries):
    User.objects.bulk_create(User(username=f"zz{n}", email=f"z{n}@x.example", brand=cast.brand) for n in range(300))
    table = table_for(cast.auditor, "q=zz")
    assert isinstance(table.params, QueryDict)
    with django_assert_max_num_queries(6):
        assert len(list(table.export_rows(chunk=50))) == 301
