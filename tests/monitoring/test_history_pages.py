"""Another system's history in the browser: recognised, corrected, scored, and gone after a week."""

import csv
import datetime as dt
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from crm import due
from crm.files import jobs
from crm.models import AuditEvent, DueRow, Job
from monitoring.history.files import DELETE, path_of, work_of
from monitoring.history.models import HistoryFile
from sandbox.floor import SalesFloor, Size

pytestmark = pytest.mark.django_db
THEIRS = {
    "ts": "when_it_was",
    "agent": "handler",
    "kind": "what_for",
    "client": "customer",
    "client_owner": "looked_after_by",
}
LIST = reverse("monitoring_histories")


def table() -> bytes:
    """A floor of another system as CSV, its kinds and fields named as nobody else does, one row without a time."""
    made = SalesFloor(3, Size(agents=6, days=48, clients_each=10, views=8.0), attacks=False).events()
    out = io.StringIO()
    writer = csv.DictWriter(out, THEIRS.values())
    writer.writeheader()
    for event in made:
        row = {theirs: event.get(ours, "") for ours, theirs in THEIRS.items()}
        row["what_for"] = "zzq" if event["kind"] == "view" else event["kind"]
        writer.writerow(row)
    writer.writerow({"handler": "=1+1", "what_for": "zzq"})
    return out.getvalue().encode()


def upload(browser, content, name="floor.csv"):
    return browser.post(LIST, {"file": SimpleUploadedFile(name, content)})


def test_a_history_is_uploaded_mapped_scored_and_deleted(
    cast, browse, django_capture_on_commit_callbacks, django_assert_max_num_queries
):
    browser = browse(cast.mlro)
    response = upload(browser, table())
    history = HistoryFile.objects.get()
    assert response.url == history.get_absolute_url()
    with django_assert_max_num_queries(22):
        page = browser.get(history.get_absolute_url()).content.decode()
    assert "when_it_was (" in page and 'value="handler" selected' in page and "then “Show again”" in page
    # The names of kind and owner are no other system's; a person chooses them, and what a zzq is.
    form = browser.get(history.get_absolute_url()).context["form"]
    data = {name: form[name].value() for name in form.fields} | {"field_kind": "what_for"}
    form = browser.post(history.get_absolute_url(), data | {"act": "show"}).context["form"]
    data = {name: form[name].value() for name in form.fields}
    assert (data["field_ts"], data["field_client"], data["field_owner"]) == ("when_it_was", "customer", "")
    (zzq,) = [field.name for word, _count, field in form.their_kinds() if word == "zzq"]
    assert data[zzq] == "other"
    data |= {"field_owner": "looked_after_by", zzq: "view"}
    refused = browser.post(history.get_absolute_url(), data | {"field_ts": "", "field_amount": ""})
    assert refused.status_code == 422 and "Choose the field with the time" in refused.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(history.get_absolute_url(), data).status_code == 302
    job = Job.objects.get()
    assert "being scored" in browser.post(history.get_absolute_url(), data).content.decode()
    jobs.run_job(job.pk)
    job.refresh_from_db()
    history.refresh_from_db()
    lines = list(csv.DictReader(io.StringIO(b"".join(jobs.result_of(job)).decode("utf-8-sig"))))
    assert len(lines) == history.report["agent_days"] > 60 and set(lines[0]) == {
        "agent",
        "date",
        "score",
        "alert",
        "reasons",
    }
    assert history.report["without_time"] == 1 and history.report["kinds"]["zzq"] == "view"
    assert history.report["fields"]["owner"] == "looked_after_by"
    assert "Agent-days" in browser.get(history.get_absolute_url()).content.decode()
    assert browse(cast.administrator).get(history.get_absolute_url()).status_code == 404  # another's file
    assert b"zzq" not in path_of(history.pk).read_bytes() and not work_of(history.pk).exists()
    work_of(history.pk).mkdir(parents=True)  # as a job that was killed leaves it
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(reverse("monitoring_history_delete", args=[history.pk]))
    assert not HistoryFile.objects.exists() and not path_of(history.pk).exists() and not work_of(history.pk).exists()
    assert set(AuditEvent.objects.filter(action__startswith="monitoring.history").values_list("action", flat=True)) == {
        "monitoring.history_uploaded",
        "monitoring.history_scored",
        "monitoring.history_deleted",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"[1, 2]", "one JSON list"),
        (b"{broken\n{also broken\n", "no events"),
        (b'{"a": "\\u0000"}', ""),
    ],
    ids=["empty", "a list", "broken", "a NUL"],
)
def test_a_file_without_events_is_refused_with_what_to_do(cast, browse, content, message):
    response = upload(browse(cast.mlro), content, "x.jsonl")
    assert response.status_code == (422 if message else 302)
    assert message in response.content.decode()
    assert HistoryFile.objects.count() == (0 if message else 1)


def test_a_file_is_deleted_after_a_week(cast, browse, django_capture_on_commit_callbacks):
    upload(browse(cast.mlro), b'{"ts": "2026-01-05T09:00:00", "agent": "a1", "kind": "view"}\n', "x.jsonl")
    history = HistoryFile.objects.get()
    row = DueRow.objects.get(kind="monitoring.delete_history")
    assert row.at - history.uploaded_at == dt.timedelta(days=7)
    DueRow.objects.filter(pk=row.pk).update(next_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        due.sweep(kinds=[DELETE])
    assert not HistoryFile.objects.exists() and not path_of(history.pk).exists()
