"""What was published: the outbox as its readers get it. And e-mails to clients, sent at once."""

from django.utils import timezone

from clients.mail import deliver_due
from clients.models import Message
from crm.events import Envelope
from crm.models import OutboxEvent


def published(name: str) -> list[Envelope]:
    """List the events of a name, oldest first."""
    return [Envelope.of(row) for row in OutboxEvent.objects.filter(name=name).order_by("pk")]


def data_of(name: str) -> list[dict]:
    """List the data of the events of a name, oldest first."""
    return [envelope.data for envelope in published(name)]


def send_now() -> int:
    """Let the seconds pass in which a person can undo what they sent, and send what waits."""
    Message.objects.filter(state="queued").update(due_at=timezone.now())
    return deliver_due()
