"""Notes of another system on clients who are here."""

import datetime as dt

import pytest

from clients.models import Client, Note, TimelineEntry
from crm.models import AuditEvent
from tests.crm.imports.files import CLIENTS, MAPPING, checked, imported, reasons

pytestmark = pytest.mark.django_db
NOTES = """Note ID,Client ID,Created At,Author email,Comment
1,7001,2024-03-01 09:30,alice@meridian.example,Called. Wants a demo.
2,asa@example.com,2024-03-02,,"Two
lines"
3,9999,2024-03-02,,Unknown client
4,7001,2999-01-01,,Tomorrow
"""


def test_notes_come_in_with_date_and_author_and_unknown_clients_are_named(cast):
    imported(cast, CLIENTS, MAPPING)
    batch = imported(cast, NOTES, kind="notes")
    assert batch.counts == {"new": 2, "refused": 2}
    note = Note.objects.get(client__email="juergen@example.com")
    assert (note.body, note.author, note.versions.count()) == ("Called. Wants a demo.", cast.agent, 1)
    assert note.created_at == dt.datetime(2024, 3, 1, 9, 30, tzinfo=dt.UTC)
    other = Note.objects.get(client__email="asa@example.com")
    assert (other.body, other.author) == ("Two\nlines", cast.administrator)
    assert sorted(reasons(batch).values()) == [
        ["No client with this number or e-mail address. Import clients first."],
        ["The date is in the future"],
    ]
    assert AuditEvent.objects.filter(action="clients.note_added", client_id=note.client_id).count() == 1
    assert TimelineEntry.objects.get(client=note.client, kind="note").body == note.body


def test_notes_without_a_number_come_in_once_by_what_they_are(cast):
    text = f"client,body\n{cast.client.email},Same words\n{cast.client.email},Same words\n"
    batch = imported(cast, text, kind="notes")
    assert batch.counts == {"new": 1, "repeated": 1}
    assert checked(cast, text, kind="notes").counts == {"known": 1, "repeated": 1}
    assert Client.objects.get(pk=cast.client.pk).notes.count() == 1
