"""Notes on a client. What was written stays: an edit adds a version, and every version can be read."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.choices import TimelineKind
from clients.models import Client, Note, NoteVersion, TimelineEntry
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.security import audit

LONGEST = 10_000


@transaction.atomic
def add_note(*, client_id: int, actor: User, body: str, is_pinned: bool = False) -> Note:
    """Write a note. Who: `clients.log_call` in reach. Raises: NotAllowed; DomainError for an empty or endless text."""
    client = Client.objects.select_related("brand").get(pk=client_id)
    policies.require(policies.can_log(actor, client))
    body = _checked(body)
    note = Note.objects.create(client=client, author=actor, body=body, is_pinned=is_pinned)
    NoteVersion.objects.create(note=note, number=1, body=body, author=actor, at=note.created_at)
    audit.record(
        actor=actor,
        action=ClientsAction.NOTE_ADDED,
        target=note,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"body": body},
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.NOTE,
        actor=actor,
        title=phrase("Note"),
        body=body,
        at=note.created_at,
        data={"note_id": note.pk},
        dedupe_key=timeline_key(note),
    )
    return note


@transaction.atomic
def edit_note(*, note_id: int, actor: User, body: str) -> Note:
    """Change a note; its old versions stay readable. Who: its author, while they reach the client.

    Raises: NotAllowed for anyone else; DomainError for an empty text.
    """
    note = lock(Note, note_id, "client__brand")
    policies.require(policies.can_log(actor, note.client))
    if note.author_id != actor.pk:
        raise NotAllowed(_("Only the author can edit a note. Add your own note instead."))
    body = _checked(body)
    if body == note.body:
        return note
    before = note.body
    note.body, note.version = body, note.version + 1
    note.save(update_fields=["body", "version"])
    NoteVersion.objects.create(note=note, number=note.version, body=body, author=actor)
    TimelineEntry.objects.filter(client_id=note.client_id, dedupe_key=timeline_key(note)).update(
        body=body, data={"note_id": note.pk, "version": note.version}
    )
    audit.record(
        actor=actor,
        action=ClientsAction.NOTE_EDITED,
        target=note,
        client_id=note.client_id,
        brand_id=note.client.brand_id,
        before={"body": before},
        after={"body": body},
    )
    return note


@transaction.atomic
def pin_note(*, note_id: int, actor: Actor, is_pinned: bool) -> Note:
    """Keep a note at the top of the client's page, or let it go. Who: `clients.log_call` in reach."""
    note = lock(Note, note_id, "client__brand")
    policies.require(policies.can_log(actor, note.client))
    if note.is_pinned != is_pinned:
        note.is_pinned = is_pinned
        note.save(update_fields=["is_pinned"])
        audit.record(
            actor=actor,
            action=ClientsAction.NOTE_PINNED if is_pinned else ClientsAction.NOTE_UNPINNED,
            target=note,
            client_id=note.client_id,
            brand_id=note.client.brand_id,
        )
    return note


def _checked(body: str) -> str:
    body = body.strip()
    if not body:
        raise DomainError(_("Enter a note."))
    if len(body) > LONGEST:
        raise DomainError(_("A note can have at most %(most)s characters.") % {"most": LONGEST})
    return body


def timeline_key(note: Note) -> str:
    """Return the key of a note's entry in the timeline."""
    return f"note:{note.pk}"
