"""Notes that another system has on its clients, written on ours in the order of the file."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.audit_codes import ClientsAction
from clients.choices import TimelineKind
from clients.import_kinds import readers
from clients.import_kinds.subjects import CLIENT_FIELD, find_clients, settle_client
from clients.models import Note, NoteVersion, TimelineEntry
from clients.notes import LONGEST, timeline_key
from clients.timeline import entry_texts
from crm.choices import UserKind
from crm.db.bulk import copy_models
from crm.errors import NotAllowed
from crm.i18n.localized_text import phrase
from crm.imports import Field, RecordKind, Span, Staged, import_kind
from crm.imports.fields import read_moment
from crm.models import ImportRow, User
from crm.security import audit


@import_kind
class NoteKind(RecordKind):
    """Notes on clients who are here already."""

    code: ClassVar[str] = "notes"
    label = gettext_lazy("Notes")
    effect = gettext_lazy("Each becomes a note in the client's activity, with its date and author.")
    order = 30
    fields = (
        CLIENT_FIELD,
        Field(
            "body",
            gettext_lazy("Note"),
            names="text comment comments description notiz",
            longest=LONGEST,
            is_required=True,
        ),
        Field(
            "written_at",
            gettext_lazy("Written on"),
            read_moment,
            "createdat created createdate createddate createdtime date datum",
            is_date=True,
        ),
        Field(
            "author",
            gettext_lazy("Author"),
            readers.read_email,
            "authoremail createdbyemail",
            longest=254,
            help=gettext_lazy("E-mail address of a member of staff here; else you are the author"),
        ),
        Field(
            "external_id", gettext_lazy("Number in the other system"), names="id noteid commentid recordid", longest=120
        ),
    )

    @cached_property
    def authors(self) -> dict[str, int]:
        people = User.objects.filter(kind=UserKind.STAFF, brand_id=self.batch.brand_id)
        return dict(people.values_list("email", "pk"))

    def check_row(self, row: Staged) -> None:
        settle_client(row)
        if row.values.get("written_at", "") > timezone.now().isoformat():
            row.refuse("written_at", _("The date is in the future"))
        if row.values.get("author") and row.values["author"] not in self.authors:
            row.warn("author", _("No member of staff has the address %(email)s") % {"email": row.values["author"]})

    def key_of(self, values: Mapping[str, Any]) -> str:
        """Name the note: by its number, else by what it says of whom and when."""
        if values.get("external_id"):
            return str(values["external_id"])
        parts = "\0".join(str(values.get(name, "")) for name in ("client", "written_at", "body"))
        return f"sha256:{hashlib.sha256(parts.encode()).hexdigest()}"

    def judge(self, span: Span) -> None:
        find_clients(span)

    def apply(self, rows: list[ImportRow]) -> dict[int, int]:
        if self.batch.owner_id is None:
            raise NotAllowed(_("Notes need an author. Import them in the name of a member of staff."))
        now, author_id = timezone.now(), self.batch.owner_id
        notes = [self._note(row, now, author_id) for row in rows]
        copy_models(notes)
        copy_models(
            [
                NoteVersion(note_id=note.pk, number=1, body=note.body, author_id=note.author_id, at=note.created_at)
                for note in notes
            ]
        )
        copy_models([_entry(note) for note in notes])
        audit.record_many(
            {
                "actor": self.batch.owner,
                "action": ClientsAction.NOTE_ADDED,
                "target": note,
                "client_id": note.client_id,
                "brand_id": self.batch.brand_id,
                "after": {"body": note.body},
                "evidence": {"import": self.batch.pk},
            }
            for note in notes
        )
        return {row.pk: note.pk for row, note in zip(rows, notes, strict=True)}

    def _note(self, row: ImportRow, now: dt.datetime, author_id: int) -> Note:
        assert row.subject_id is not None
        written = row.values.get("written_at")
        return Note(
            client_id=row.subject_id,
            author_id=self.authors.get(row.values.get("author", ""), author_id),
            body=row.values["body"],
            created_at=dt.datetime.fromisoformat(written) if written else now,
        )


def _entry(note: Note) -> TimelineEntry:
    return TimelineEntry(
        client_id=note.client_id,
        kind=TimelineKind.NOTE,
        actor_id=note.author_id,
        at=note.created_at,
        dedupe_key=timeline_key(note),
        **entry_texts(title=phrase("Note"), body=note.body, data={"note_id": note.pk}),
    )
