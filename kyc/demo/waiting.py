"""The queue of the demo: real files through the real verbs and checks, sent over the last two days."""

from __future__ import annotations

import datetime as dt

from django.db.models import F

from clients.choices import Stage
from clients.demo.journeys import Journey
from clients.models import Client
from crm.demo import Demo
from kyc import documents, pipeline
from kyc.demo.papers import CASES, Sent
from kyc.models import Document, MachineDecision

PEOPLE = 17
# The last ones are left to the workers: whoever opens the queue at once sees them being checked.
UNCHECKED = 8
SECONDS = dt.timedelta(seconds=30)


def write(demo: Demo, journeys: list[Journey]) -> None:
    newest = sorted(
        (journey for journey in journeys if journey.stage == Stage.REGISTERED),
        key=lambda journey: journey.registered_at or demo.now,
        reverse=True,
    )
    chosen = newest[: min(demo.count(PEOPLE), len(CASES))]
    clients = Client.objects.select_related("brand", "user").in_bulk([journey.client_id for journey in chosen])
    sent: list[Document] = []
    for number, journey in enumerate(chosen):
        client = clients[journey.client_id]
        for paper in CASES[number](demo, client):
            sent.append(_send(demo, client, paper, number, len(chosen)))
    waiting = list(sent[: max(1, len(sent) - UNCHECKED)])
    for done, document in enumerate(waiting):
        pipeline.check(document.pk)
        demo.progress("Documents: automatic checks", done + 1, len(waiting))
    _date_back()


def _date_back() -> None:
    """What the policy decided was decided when it was sent, half a minute later."""
    late = Document.objects.filter(
        decided_by_policy__isnull=False, uploaded_at__lt=F("reviewed_at") - dt.timedelta(minutes=5)
    )
    ids = list(late.values_list("pk", flat=True))
    Document.objects.filter(pk__in=ids).update(
        reviewed_at=F("uploaded_at") + SECONDS, settled_at=F("uploaded_at") + SECONDS
    )
    for decision in MachineDecision.objects.filter(document__in=ids).select_related("document"):
        decision.decided_at = decision.document.reviewed_at or decision.decided_at
        decision.save(update_fields=["decided_at"])


def _send(demo: Demo, client: Client, paper: Sent, number: int, people: int) -> Document:
    import io

    document = documents.upload(
        client=client,
        kind=paper.kind,
        side=paper.side,
        file=io.BytesIO(paper.content),
        name=paper.name,
        actor=client.user,
    )
    assert client.registered_at is not None
    hours = 54 * (1 - number / max(1, people)) ** 1.6 + demo.rng.uniform(0.1, 0.6)
    at = max(client.registered_at + dt.timedelta(minutes=2), demo.now - dt.timedelta(hours=hours))
    Document.objects.filter(pk=document.pk).update(uploaded_at=min(at, demo.now))
    return document
