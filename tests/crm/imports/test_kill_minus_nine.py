"""An import whose process is killed at any step goes on where it stopped, and makes every client once."""

import pytest

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
