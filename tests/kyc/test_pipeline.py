"""The check pipeline: once, in order, and on after a worker was killed."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.utils import timezone

from clients.models import Client
from crm import events
from crm.models import AuditEvent, Notification, OutboxEvent
from kyc import documents, pipeline, queries, store
from kyc.choices import DocumentState, RunState
from kyc.models import CheckRun, Document, Issue
from tests.kyc.factories import bill_pdf, passport_jpeg, registered, uploaded, waiting

pytestmark = pytest.mark.django_db


def test_a_good_passport_waits_for_review_without_issues(cast):
    registered(cast.client)
    document = waiting(cast.client)
    assert document.state == DocumentState.PENDING_REVIEW and not document.issues.exists()
    run = document.runs.get()
    assert run.state == RunState.DONE and "mrz" in run.engine and run.duration_ms < 30_000
    assert document.expires_on == dt.date(2033, 4, 15) and document.issuing_country == "UTO"
    assert document.extracted["surname"] == "WEBER"
    assert b"WEBER" not in bytes(document.extracted_sealed)
    assert AuditEvent.objects.filter(action="kyc.document_checked", actor=None).count() == 1
    assert OutboxEvent.objects.get(name="kyc.document_checked").payload["issues"] == []


def test_issues_are_kept_with_their_place_and_their_sealed_values(cast):
    registered(cast.client, last_name="Schmidt", date_of_birth=dt.date(1990, 5, 18))
    document = waiting(cast.client)
    codes = {issue.code for issue in document.issues.all()}
    assert codes == {"NAME_MISMATCH", "DOB_MISMATCH"}
    shown = {one.code: one for one in queries.issues_of(document, queries.last_run(document))}
    assert (shown["NAME_MISMATCH"].found, shown["NAME_MISMATCH"].expected) == ("WEBER", "Schmidt")
    assert len(shown["DOB_MISMATCH"].issue.box) == 4
    assert b"WEBER" not in bytes(document.runs.get().details_sealed)


def test_a_bill_is_read_from_its_text_layer(cast):
    registered(cast.client)
    document = waiting(cast.client, kind="proof_of_address")
    assert not document.issues.exists()
    assert document.runs.get().engine == "text layer" and document.issued_on


def test_officers_are_told_once(cast):
    registered(cast.client)
    document = waiting(cast.client)
    events.drain()
    told = Notification.objects.filter(kind="kyc.document_waiting")
    assert {row.user for row in told} == {cast.kyc_officer, cast.mlro}
    assert told[0].url == document.get_absolute_url()


def test_checking_twice_does_nothing_the_second_time(cast):
    document = waiting(cast.client)
    assert pipeline.check(document.pk) is None
    assert CheckRun.objects.count() == 1


def test_one_worker_at_a_time(cast):
    document = uploaded(cast.client)
    assert pipeline._begin(document.pk) is not None
    assert pipeline._begin(document.pk) is None


def test_a_lease_that_ended_is_taken_over_and_the_late_result_is_dropped(cast):
    document = uploaded(cast.client)
    first = pipeline._begin(document.pk)
    late = pipeline.examine(Document.objects.get(pk=document.pk))
    Document.objects.filter(pk=document.pk).update(check_lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert documents.waiting_for_checks() == [document.pk]
    second = pipeline.check(document.pk)
    assert second.state == RunState.DONE
    assert pipeline._finish(first, late, duration_ms=1) is None
    first.refresh_from_db()
    assert first.state == RunState.FAILED and "stopped before" in first.error
    assert OutboxEvent.objects.filter(name="kyc.document_checked").count() == 1


def test_replaced_while_it_was_checked(cast):
    document = uploaded(cast.client)
    run = pipeline._begin(document.pk)
    examined = pipeline.examine(Document.objects.get(pk=document.pk))
    uploaded(cast.client, content=passport_jpeg("Clara", "Weber", number="C99X00T47"))
    assert pipeline._finish(run, examined, duration_ms=1) is None
    document.refresh_from_db()
    assert document.state == DocumentState.REPLACED
    assert not document.runs.filter(state=RunState.RUNNING).exists()


def test_after_three_failures_a_person_gets_it(cast):
    document = uploaded(cast.client)
    store.path_of(document.store_key).unlink()
    for _attempt in range(3):
        assert pipeline.check(document.pk).state == RunState.FAILED
    document.refresh_from_db()
    assert document.state == DocumentState.PENDING_REVIEW
    assert [issue.code for issue in document.issues.all()] == ["CHECK_FAILED"]
    assert pipeline.check(document.pk) is None


def test_the_same_document_at_another_client_is_named(cast):
    registered(cast.client)
    waiting(cast.client)
    other = waiting(cast.other_client, content=passport_jpeg("Clara", "Weber", expires_on=dt.date(2034, 1, 1)))
    codes = {issue.code for issue in other.issues.all()}
    assert {"DOC_NO_DUPLICATE", "NAME_MISMATCH"} <= codes
    same_file = waiting(cast.other_client, kind="selfie", content=passport_jpeg())
    assert "IMAGE_DUPLICATE" in {issue.code for issue in same_file.issues.all()}


def test_another_brands_documents_are_never_compared(cast):
    registered(cast.client)
    waiting(cast.client)
    Client.objects.filter(pk=cast.other_client.pk)
    cast.other_client.brand = cast.other_brand
    cast.other_client.save()
    other = waiting(cast.other_client)
    assert not {"DOC_NO_DUPLICATE", "IMAGE_DUPLICATE"} & {issue.code for issue in other.issues.all()}


def test_the_upload_event_hands_it_to_a_worker_and_the_sweeper_finds_what_nobody_took(
    cast, django_capture_on_commit_callbacks, monkeypatch
):
    from kyc import tasks

    handed = []
    monkeypatch.setattr(tasks.check_document, "apply_async", lambda args, **_options: handed.append(args[0]))
    document = uploaded(cast.client)
    with django_capture_on_commit_callbacks(execute=True):
        events.drain()
    assert handed == [document.pk]
    assert tasks.hand_over_unchecked() == 0  # a worker may still be on its way
    Document.objects.filter(pk=document.pk).update(uploaded_at=timezone.now() - dt.timedelta(minutes=1))
    assert tasks.hand_over_unchecked() == 1 and handed == [document.pk, document.pk]


def test_an_erased_client_has_nothing_to_check(cast):
    from crm.privacy import erasures

    document = uploaded(cast.client, kind="proof_of_address", content=bill_pdf())
    erasures.destroy_client_key(cast.client.pk)
    assert pipeline.check(document.pk).state == RunState.FAILED
    assert not Issue.objects.exists()


KILLED = """
import os, sys, time
import django
django.setup()
from kyc import pipeline
def stuck(document):
    print("looking", flush=True)
    time.sleep(60)
pipeline.examine = stuck
pipeline.check(int(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_loses_nothing(cast):
    registered(cast.client)
    document = uploaded(cast.client)
    worker = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(document.pk)],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "crm.settings.test"},
    )
    with worker:
        assert worker.stdout.readline().strip() == "looking"
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
    document.refresh_from_db()
    assert document.state == DocumentState.CHECKING
    assert pipeline.check(document.pk) is None  # its lease still runs
    Document.objects.filter(pk=document.pk).update(check_lease_until=timezone.now())
    time.sleep(0.01)
    assert pipeline.check_due() == 1
    document.refresh_from_db()
    assert document.state == DocumentState.PENDING_REVIEW
    assert [run.state for run in document.runs.order_by("pk")] == [RunState.FAILED, RunState.DONE]
    assert OutboxEvent.objects.filter(name="kyc.document_checked").count() == 1
