"""The pages of an import, from the upload to the report, and who may open them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from clients.models import Client
from crm.choices import DataImportState
from crm.files import jobs
from crm.models import AccessEvent, DataImport, ImportMapping, Job
from tests.cast import signed_in
from tests.crm.imports.files import CLIENTS, MAPPING, checked, imported, reasons, uploaded

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(cast):
    return signed_in(cast.administrator)


def upload(browser, cast, text, **fields):
    file = SimpleUploadedFile("export.csv", text if isinstance(text, bytes) else text.encode())
    given = {"kind": "clients", "brand": cast.brand.pk, "system": "UpTrader", "file": file, **fields}
    return browser.post(reverse("data_import_new"), given)


def url(name, batch, **kwargs):
    return reverse(name, kwargs={"pk": batch.pk, **kwargs})


def sent(form):
    """What a browser sends for a mapping form as it is shown."""
    return {field.html_name: field.value() or "" for field in form}


def run_newest_job():
    jobs.run_job(Job.objects.order_by("-pk")[0].pk)


def test_file_goes_from_the_upload_to_the_report(cast, browser):
    assert upload(browser, cast, CLIENTS + "7003;;;no-address;;DE;;\n").status_code == 302
    batch = DataImport.objects.get()
    page = browser.get(url("data_import_mapping", batch))
    form = page.context["form"]
    assert form["column_email"].value() == "E-Mail" and "Vorname (Jürgen, Åsa)" in page.content.decode()
    assert [row.field.name for row in form.rows() if row.values.value()] == ["email"], "asks for what can't be read"
    data = {**sent(form), "dates": "dmy", "values_email": "", "remember_as": "UpTrader export"}
    assert browser.post(url("data_import_mapping", batch), data).status_code == 302
    assert "Checking" in browser.get(url("data_import", batch)).content.decode()
    run_newest_job()
    page = browser.get(url("data_import", batch)).content.decode()
    assert "2 new records are imported." in page and "refused rows (1)" in page and "Import 2 rows" in page
    assert "valid e-mail address" in browser.get(url("data_import", batch) + "?verdict=refused").content.decode()
    assert not Client.objects.filter(last_name="Groß").exists()
    browser.post(url("data_import_confirm", batch))
    run_newest_job()
    batch.refresh_from_db()
    assert batch.state == DataImportState.DONE and Client.objects.filter(last_name="Groß").exists()
    page = browser.get(url("data_import", batch)).content.decode()
    assert "Rows are kept until" in page and f"/clients/{Client.objects.get(last_name='Groß').pk}/" in page
    assert "export.csv" in browser.get(reverse("data_imports")).content.decode()


def test_mapping_is_remembered_for_files_with_the_same_columns(cast, browser):
    batch = uploaded(cast, CLIENTS)
    form = browser.get(url("data_import_mapping", batch)).context["form"]
    data = {
        **sent(form),
        "dates": "dmy",
        "fixed_language": "de",
        "values_country": "SE = DE\n",
        "remember_as": "Old CRM",
    }
    browser.post(url("data_import_mapping", batch), data)
    assert ImportMapping.objects.get().definition["fields"]["country"]["values"] == {"SE": "DE"}
    form = browser.get(url("data_import_mapping", uploaded(cast, CLIENTS))).context["form"]
    assert (form["dates"].value(), form["fixed_language"].value(), form["values_country"].value()) == (
        "dmy",
        "de",
        "SE = DE",
    )


def test_what_was_typed_stays_when_the_mapping_is_refused(cast, browser):
    batch = uploaded(cast, "who,text\nanna@example.com,Hello\n", kind="notes")
    data = {"column_body": "text", "values_body": "no equals sign", "fixed_author": "typed", "dates": "ymd"}
    page = browser.post(url("data_import_mapping", batch), data)
    assert page.status_code == 422 and "needs an equals sign" in page.content.decode()
    data["values_body"] = ""
    page = browser.post(url("data_import_mapping", batch), data)
    assert page.status_code == 422 and "Map these fields, too: Client" in page.content.decode()
    assert 'value="typed"' in page.content.decode()
    batch.refresh_from_db()
    assert batch.state == DataImportState.MAPPING


def test_other_encoding_is_shown_before_it_is_chosen(cast, browser):
    batch = uploaded(cast, "email;first\nivan@example.com;Иван\n".encode("cp1251"))
    assert "Иван" not in browser.get(url("data_import_mapping", batch)).content.decode()
    page = browser.post(url("data_import_mapping", batch), {"encoding": "cp1251", "act": "show"}).content.decode()
    assert "Иван" in page
    batch.refresh_from_db()
    assert batch.state == DataImportState.MAPPING and "encoding" not in batch.mapping
    page = browser.post(url("data_import_mapping", batch), {"encoding": "utf-8", "act": "show"})
    assert page.status_code == 422 and "utf-8 text" in page.content.decode()


def test_unreadable_file_is_refused_on_the_upload_page_and_nothing_is_kept(cast, browser):
    page = upload(browser, cast, b"%PDF-1.7\n\x00\x01\x81" + bytes(range(256)))
    assert page.status_code == 422 and "CSV UTF-8" in page.content.decode()
    assert 'value="UpTrader"' in page.content.decode() and not DataImport.objects.exists()


def test_left_out_rows_can_be_corrected_and_imported_as_they_were_downloaded(cast, browser):
    """A spreadsheet runs no cell of the file, and the apostrophe that sees to that is no part of the value."""
    text = "email,first,phone\n,=1+cmd|x,+4915x12345678\nok@example.com,Ok,\n"
    batch = imported(cast, text)
    answer = browser.get(url("data_import_download", batch, what="refused"))
    file = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "'=1+cmd|x" in file and "'+4915x12345678" in file
    assert AccessEvent.objects.filter(target=f"import:{batch.pk}.refused", user=cast.administrator).exists()
    second = checked(cast, file.replace("15x1", "1511"))
    assert second.counts == {"new": 1, "flagged": 1}, reasons(second)
    assert (
        second.rows.get().values["phone"] == "+4915112345678" and second.rows.get().values["first_name"] == "=1+cmd|x"
    )
    report = b"".join(browser.get(url("data_import_download", batch, what="report")).streaming_content).decode()
    assert [line.split(",")[:2] for line in report.splitlines()[1:]] == [["2", "Refused"], ["3", "New"]]


def test_long_file_is_made_by_a_job(cast, browser, monkeypatch):
    monkeypatch.setattr("crm.pages.imports.INLINE_ROWS_MAX", 1)
    batch = imported(cast, CLIENTS, MAPPING)
    answer = browser.get(url("data_import_download", batch, what="report"))
    job = Job.objects.latest("pk")
    assert answer.status_code == 302 and answer["Location"] == reverse("job", args=[job.pk])
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert b"".join(jobs.result_of(job)).decode("utf-8-sig").splitlines()[1].startswith("2,New")


def test_stopped_import_is_resumed_by_a_button(cast, browser):
    batch = checked(cast, CLIENTS, MAPPING)
    browser.post(url("data_import_confirm", batch))
    job = Job.objects.latest("pk")
    jobs.cancel_job(job_id=job.pk, actor=cast.administrator)
    page = browser.get(url("data_import", batch)).content.decode()
    assert "0 of 2 rows are imported and stay" in page and "Resume" in page
    browser.post(url("data_import_confirm", batch))
    run_newest_job()
    batch.refresh_from_db()
    assert (batch.state, batch.applied) == (DataImportState.DONE, 2)


def test_second_confirmation_is_refused_while_the_first_runs(cast, browser):
    batch = checked(cast, CLIENTS, MAPPING)
    browser.post(url("data_import_confirm", batch))
    page = browser.post(url("data_import_confirm", batch), follow=True).content.decode()
    assert "already running" in page and Job.objects.filter(kind="crm.apply_data_import").count() == 1


def test_discarded_and_deleted_rows_are_gone(cast, browser):
    batch = checked(cast, CLIENTS, MAPPING)
    browser.post(url("data_import_discard", batch))
    batch.refresh_from_db()
    assert batch.state == DataImportState.DISCARDED and not batch.rows.exists()
    batch = imported(cast, CLIENTS, MAPPING)
    browser.post(url("data_import_delete_rows", batch))
    batch.refresh_from_db()
    assert batch.rows_deleted_at and not batch.rows.exists() and batch.counts == {"new": 2}
    page = browser.get(url("data_import", batch)).content.decode()
    assert "The imported records stay." in page and "Report (CSV)" not in page
    assert browser.get(url("data_import_download", batch, what="report")).status_code == 404


def test_import_of_a_brand_that_is_only_partly_in_reach_is_not_found(cast, browser):
    batch = uploaded(cast, CLIENTS)
    DataImport.objects.filter(pk=batch.pk).update(brand=cast.other_brand)
    for name in ("data_import", "data_import_mapping"):
        assert browser.get(url(name, batch)).status_code == 404
    assert browser.get(url("data_import_download", batch, what="report")).status_code == 404
    assert "export.csv" not in browser.get(reverse("data_imports")).content.decode()
    assert browser.post(reverse("data_import_new"), {"brand": cast.other_brand.pk}).status_code == 422
    for user in (cast.agent, cast.desk_head, cast.auditor):
        assert signed_in(user).get(reverse("data_imports")).status_code == 403
