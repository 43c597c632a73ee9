"""The queue of the demo: real files through the real verbs and checks, sent over the last two days."""

from __future__ import annotations

import datetime as dt

from clients.choices import Stage
from clients.demo.journeys import Journey
from clients.facts import FACTS, rebuild
from clients.models import Client
from crm.demo import Demo
from kyc import documents, pipeline
from kyc.demo.papers import CASES, Sent
from kyc.models import Document

PEOPLE = 17
# The last ones are left to the workers: whoever opens the queue at once sees them being checked.
UNCHECKED = 8


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
    rebuild(FACTS["last_document_at"])


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
