"""What happens to an import with time: it goes on after its worker died, and what is kept of it is deleted."""

import datetime as dt

import pytest
from django.utils import timezone

from crm import due
from crm.choices import DataImportState, JobState
from crm.imports import checking, importing, upkeep
from crm.models import AuditEvent, DueRow, Job
from tests.crm.imports.files import CLIENTS, MAPPING, checked, imported, silent, uploaded
from tests.racing import race

pytestmark = pytest.mark.django_db


def sweep_of(kind, batch):
    """Have an import's due row of a kind handled now."""
    rows = DueRow.objects.filter(kind=kind.code, key=str(batch.pk), state="pending")
    assert rows.update(at=timezone.now(), next_at=timezone.now()) == 1
    due.sweep()
    batch.refresh_from_db()


def started(cast):
    batch = checked(cast, CLIENTS, MAPPING)
    return importing.confirm(import_id=batch.pk, actor=cast.administrator)


def test_import_whose_worker_died_goes_on_in_another_job(cast):
    batch = started(cast)
    died = batch.job
    Job.objects.filter(pk=died.pk).update(state=JobState.RUNNING)
    sweep_of(upkeep.WATCH.kind, batch)
    died.refresh_from_db()
    assert died.state == JobState.FAILED and batch.job_id != died.pk
    assert (
        batch.job.state == JobState.QUEUED
        and DueRow.objects.filter(kind=upkeep.WATCH.kind.code, state="pending").exists()
    )


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_import_that_failed_or_was_stopped_waits_for_a_person(cast, state):
    batch = started(cast)
    Job.objects.filter(pk=batch.job_id).update(state=state)
    sweep_of(upkeep.WATCH.kind, batch)
    assert Job.objects.filter(kind="crm.apply_data_import").count() == 1


def test_kept_rows_of_a_finished_import_are_deleted_after_the_days_of_the_policy(cast):
    batch = imported(cast, CLIENTS + ";;;;;;;\nbad;;;no-address;;;;\n", MAPPING)
    left = upkeep.kept_until(batch) - timezone.now()
    assert dt.timedelta(days=29) < left <= dt.timedelta(days=30)
    assert not DueRow.objects.filter(kind=upkeep.WATCH.kind.code, state="pending").exists()
    sweep_of(upkeep.DELETE, batch)
    assert batch.state == DataImportState.DONE and batch.rows_deleted_at and not batch.rows.exists()
    assert batch.counts == {"new": 2, "refused": 1} and batch.references.count() == 2
    assert AuditEvent.objects.filter(action="crm.data_import_rows_deleted").count() == 1


def test_import_that_nobody_finished_is_discarded_with_its_file(cast, django_capture_on_commit_callbacks):
    batch = checked(cast, CLIENTS, MAPPING)
    with django_capture_on_commit_callbacks(execute=True):
        sweep_of(upkeep.DELETE, batch)
    assert batch.state == DataImportState.DISCARDED and not batch.rows.exists()
    assert not importing.file_path(batch).exists()


def test_check_that_a_later_mapping_replaced_changes_nothing(cast):
    batch = uploaded(cast, CLIENTS)
    importing.map_columns(import_id=batch.pk, actor=cast.administrator, definition=MAPPING)
    batch.refresh_from_db()
    importing.map_columns(import_id=batch.pk, actor=cast.administrator, definition={**MAPPING, "dates": "ymd"})
    checking.check(batch, silent)
    assert batch.state == DataImportState.CHECKING and not batch.rows.exists() and batch.mapping["dates"] == "ymd"


def test_check_of_a_file_that_was_discarded_meanwhile_changes_nothing(cast):
    batch = uploaded(cast, CLIENTS)
    batch = importing.map_columns(import_id=batch.pk, actor=cast.administrator, definition=MAPPING)
    importing.discard(import_id=batch.pk, actor=cast.administrator)
    content = CLIENTS.encode()
    checking.check(batch, silent, content)
    assert batch.state == DataImportState.DISCARDED and not batch.rows.exists()


@pytest.mark.django_db(transaction=True)
def test_two_confirmations_at_once_start_one_import(cast):
    batch = checked(cast, CLIENTS, MAPPING)

    def confirm():
        return importing.confirm(import_id=batch.pk, actor=cast.administrator)

    both = race(confirm, confirm)
    assert both.has_waited
    assert Job.objects.filter(kind="crm.apply_data_import").count() == 1
    assert AuditEvent.objects.filter(action="crm.data_import_confirmed").count() == 1
