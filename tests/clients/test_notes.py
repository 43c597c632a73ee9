import pytest
from django.db import DatabaseError, connection, transaction

from clients.models import Note, NoteVersion, TimelineEntry
from clients.notes import add_note, edit_note, pin_note
from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent

pytestmark = pytest.mark.django_db


def test_a_note_is_kept_with_its_first_version_and_told(cast):
    note = add_note(client_id=cast.client.pk, actor=cast.agent, body="  Prefers mornings ", is_pinned=True)
    assert (note.body, note.version, note.is_pinned) == ("Prefers mornings", 1, True)
    assert note.versions.get().body == "Prefers mornings"
    assert TimelineEntry.objects.get().body == "Prefers mornings"


def test_an_edit_adds_a_version_and_the_old_words_stay(cast):
    note = add_note(client_id=cast.client.pk, actor=cast.agent, body="first")
    edit_note(note_id=note.pk, actor=cast.agent, body="second")
    edit_note(note_id=note.pk, actor=cast.agent, body="second")  # the same words: no version
    assert [version.body for version in note.versions.all()] == ["second", "first"]
    entry = TimelineEntry.objects.get()
    assert (entry.body, entry.data["version"]) == ("second", 2)


@pytest.mark.parametrize("sql", ["UPDATE clients_noteversion SET body = 'x'", "DELETE FROM clients_noteversion"])
def test_the_database_refuses_to_change_a_version(cast, sql):
    add_note(client_id=cast.client.pk, actor=cast.agent, body="first")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_only_the_author_edits(cast):
    note = add_note(client_id=cast.client.pk, actor=cast.agent, body="first")
    for person in (cast.desk_head, cast.other_agent, cast.kyc_officer):
        with pytest.raises(NotAllowed):
            edit_note(note_id=note.pk, actor=person, body="changed")
    assert Note.objects.get().body == "first" and NoteVersion.objects.count() == 1


def test_a_note_is_pinned_and_let_go_once_each(cast):
    note = add_note(client_id=cast.client.pk, actor=cast.agent, body="first")
    for is_pinned in (True, True, False, False):
        pin_note(note_id=note.pk, actor=cast.desk_head, is_pinned=is_pinned)
    actions = list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["clients.note_added", "clients.note_pinned", "clients.note_unpinned"]


@pytest.mark.parametrize("body", ["", "   \n", "x" * 10_001])
def test_an_empty_or_endless_note_is_refused(cast, body):
    with pytest.raises(DomainError):
        add_note(client_id=cast.client.pk, actor=cast.agent, body=body)


@pytest.mark.parametrize("who", ["other_agent", "auditor", "marketing"])
def test_the_wrong_role_writes_nothing(cast, who):
    with pytest.raises(NotAllowed):
        add_note(client_id=cast.client.pk, actor=getattr(cast, who), body="x")
    assert not Note.objects.exists() and not TimelineEntry.objects.exists()
