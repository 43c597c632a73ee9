"""An e-mail that a person has begun to write to a client: one per person and client, kept while they type."""

from __future__ import annotations

from django.utils import timezone

from clients.models import MailDraft
from crm.models import User

TEXT_CHARS_MAX = 10_000


def keep_draft(user: User, client_id: int, *, subject: str, message: str, thread_id: int | None = None) -> None:
    """Keep what was typed; nothing typed is no draft. Who: the person, for a client whose page they opened."""
    if not subject.strip() and not message.strip():
        drop_draft(user, client_id)
        return
    values = {
        "subject": subject[:160],
        "message": message[:TEXT_CHARS_MAX],
        "thread_id": thread_id,
        "saved_at": timezone.now(),
    }
    MailDraft.objects.update_or_create(author=user, client_id=client_id, defaults=values)


def draft_of(user: User, client_id: int) -> MailDraft | None:
    """Read what a person has begun to write to a client."""
    return MailDraft.objects.filter(author=user, client=client_id).first()


def drop_draft(user: User, client_id: int) -> None:
    """Forget a draft: it was sent, or emptied."""
    MailDraft.objects.filter(author=user, client=client_id).delete()
