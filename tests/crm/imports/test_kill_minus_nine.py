"""An import whose process is killed at any step goes on where it stopped, and makes every client once."""

import json

import pytest
from django.core.management import call_command

from clients.import_kinds.people import ClientKind
from clients.models import Client, TimelineEntry
from crm.choices import DataImportState
from crm.imports import applying, importing
from crm.models import AuditEvent, DataImport, ExternalReference
from tests.crm.imports.files import checked, silent
from tests.faults.killing import killed_at

ROWS = 7
TEXT = "id,email\n" + "".join(f"{number},person{number}@example.com\n" for number in range(ROWS))


@pytest.mark.django_db(transaction=True)
def test_import_killed_at_any_step_goes_on_and_makes_each_client_once(cast, monkeypatch):
    monkeypatch.setattr(ClientKind, "batch_rows", 3)
    batch = checked(cast, TEXT)
    importing.confirm(import_id=batch.pk, actor=cast.administrator, is_queued=False)
    batch.refresh_from_db()
    deaths, step = 0, 3
    while killed_at(step, lambda: applying.apply(DataImport.objects.get(pk=batch.pk), silent)):
        deaths, step = deaths + 1, step + 4
        made = Client.objects.filter(email__startswith="person").count()
        assert made % 3 == 0 or made == ROWS, "a batch was half applied"
        assert ExternalReference.objects.count() == made
    batch.refresh_from_db()
    assert deaths >= 4 and (batch.state, batch.applied) == (DataImportState.DONE, ROWS)
    assert Client.objects.filter(email__startswith="person").count() == ROWS
    assert TimelineEntry.objects.filter(dedupe_key=f"data-import:{batch.pk}").count() == ROWS
    assert AuditEvent.objects.filter(action="crm.data_imported").count() == 1


@pytest.mark.django_db(transaction=True)
def test_command_that_was_killed_goes_on_when_it_is_run_again(cast, monkeypatch, tmp_path):
    """A check that was killed is made anew, as an import of its own; an import goes on where it stopped."""
    monkeypatch.setattr(ClientKind, "batch_rows", 3)
    file, mapping = tmp_path / "people.csv", tmp_path / "map.json"
    file.write_text(TEXT)
    mapping.write_text(
        json.dumps({"kind": "clients", "system": "old", "fields": {"external_id": "id", "email": "email"}})
    )

    def command():
        arguments = (str(file), "--map", str(mapping), "--brand", cast.brand.code, "--as", cast.administrator.email)
        call_command("import_crm", *arguments)

    deaths, step = 0, 2
    while killed_at(step, command):
        deaths, step = deaths + 1, step + 9
    assert deaths >= 3
    assert Client.objects.filter(email__startswith="person").count() == ExternalReference.objects.count() == ROWS
    assert DataImport.objects.filter(state=DataImportState.DONE).count() == 1
    assert not DataImport.objects.filter(state=DataImportState.APPLYING).exists()
