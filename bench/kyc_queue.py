"""`bench kyc_queue`: a Monday's documents through the real path, from the file as the client sends it to a decision or the queue.

Two processes take in, open (each file in its confined child), check and judge as workers do. Three in five are passports of
careful clients, one in five is a bill, one in five a forgery. The yardstick opens and reads the same files
and does nothing else.
"""

from __future__ import annotations

import io
import random
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.test import override_settings
from django.utils import timezone

from bench.harness import Figure, at_most, in_processes, own_database, say
from bench.submissions import bad, good
from bench.submissions.people import TODAY, Submission
from clients.choices import Stage
from clients.models import Client
from compliance.sources import house
from compliance.watchlists import import_watchlist
from crm.celery import app
from crm.choices import UserKind
from crm.models import Book, Brand, Desk, User
from kyc import incoming, specimens
from kyc.choices import DocumentKind, DocumentState
from kyc.examination.trial import try_file
from kyc.models import Document

SIZES: Final = {"tiny": 4, "quick": 40, "full": 200}
WORKERS, SECONDS_MAX, GROWN_MB_MAX, SEED = 2, 15 * 60, 64, 21
KINDS: Final = (good.passport, good.passport, good.bill, good.passport, bad.forged_birth)


@dataclass(frozen=True)
class Sent:
    """A client's file, and the registration that it is compared with."""

    client: Client
    kind: DocumentKind
    content: bytes
    submission: Submission


def run(size: str) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        override_settings(PRIVATE_DIR=Path(folder), KYC_ACCEPTS_SPECIMENS=True),
        own_database("kyc_queue"),
    ):
        return measure(SIZES[size], Path(folder))


def measure(count: int, folder: Path) -> list[Figure]:
    say(f"{count} documents are drawn")
    sent = draw(count)
    listed = folder / "list.csv"
    listed.write_text(f"{','.join(house.COLUMNS)}\n1,Somebody Else,,1950,,\n")
    import_watchlist(source="house", path=listed, actor=None)
    say("read alone")
    bare = in_processes(WORKERS, lambda worker: read_alone(sent[worker::WORKERS]))
    app.conf.task_always_eager = (
        True  # a worker's next task follows in the same process, not in a running site's workers
    )
    say("taken in and judged")
    took = in_processes(WORKERS, lambda worker: take_in(sent[worker::WORKERS], folder / f"grown-{worker}"))
    states = list(Document.objects.values_list("state", flat=True))
    left = count - len(states) + sum(state in (DocumentState.UPLOADED, DocumentState.CHECKING) for state in states)
    grown = max(float((folder / f"grown-{worker}").read_text()) for worker in range(WORKERS))
    cleared = sum(state == DocumentState.APPROVED for state in states)
    queued = sum(state == DocumentState.PENDING_REVIEW for state in states)
    return [
        at_most(
            Figure(f"{count} documents cleared or queued", took, "s", bare, "the same files read alone"), SECONDS_MAX
        ),
        at_most(Figure("of these neither cleared, sent back nor queued", left, "files"), 0),
        Figure("approved automatically", 100 * cleared / count, "%"),
        Figure("sent back with the flaw", 100 * (len(states) - left - cleared - queued) / count, "%"),
        at_most(Figure("memory that a worker grew by in its second half", grown, "MB"), GROWN_MB_MAX),
    ]


def draw(count: int) -> list[Sent]:
    """Draw the documents and register their clients."""
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    book = Book.objects.create(brand=brand, desk=Desk.objects.create(brand=brand, name="Desk"), name="Book")
    return [_drawn(number, brand, book) for number in range(count)]


def _drawn(number: int, brand: Brand, book: Book) -> Sent:
    submission = KINDS[number % len(KINDS)](random.Random(f"{SEED}:queue:{number}"))
    about = submission.subject
    user = User.objects.create_user(f"c{number}", f"c{number}@example.com", kind=UserKind.CLIENT, brand=brand)
    client = Client.objects.create(
        brand=brand,
        book=book,
        user=user,
        email=user.email,
        first_name=about.first_name,
        last_name=about.last_name,
        date_of_birth=about.birth_date,
        address_line=about.address_line,
        postal_code=about.postal_code,
        city=about.city,
        nationality=about.nationality,
        country=about.country or about.nationality or "DE",
        stage=Stage.REGISTERED,
        registered_at=timezone.now(),
        created_at=timezone.now(),
    )
    kind = DocumentKind.PROOF_OF_ADDRESS if submission.bill else DocumentKind.PASSPORT
    return Sent(client, kind, submission.bill or specimens.jpeg(submission.pages[0]), submission)


def read_alone(sent: list[Sent]) -> None:
    for one in sent:
        name = "scan.pdf" if one.submission.bill else "scan.jpg"
        try_file(io.BytesIO(one.content), name, one.submission.subject, today=TODAY)


def take_in(sent: list[Sent], grown: Path) -> None:
    """Take in each file as a page does; its tasks follow. Writes by how many MB this process grew in the second half."""
    before = 0.0
    for number, one in enumerate(sent):
        if number == len(sent) // 2:
            before = _peak_mb()
        incoming.receive(
            client=one.client, kind=one.kind, file=io.BytesIO(one.content), actor=one.client.user, name="scan"
        )
    while incoming.due(waited_seconds=0):  # all children were busy
        time.sleep(0.2)
        for pk in incoming.due(waited_seconds=0):
            incoming.take_in(pk)
    grown.write_text(str(_peak_mb() - before))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
