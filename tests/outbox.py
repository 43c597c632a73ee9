"""What was published: the outbox as its readers get it."""

from crm.events import Envelope
from crm.models import OutboxEvent


def published(name: str) -> list[Envelope]:
    """List the events of a name, oldest first."""
    return [Envelope.of(row) for row in OutboxEvent.objects.filter(name=name).order_by("pk")]


def data_of(name: str) -> list[dict]:
    """List the data of the events of a name, oldest first."""
    return [envelope.data for envelope in published(name)]
