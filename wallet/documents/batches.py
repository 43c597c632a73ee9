"""A month's statements or invoices of all clients of a brand, as one archive.

Figures are read here, pages are set by child processes without a database, the archive grows on the disk: memory stays
flat however many clients there are. Each document is stored as if it had been made alone, so a batch that was
cancelled, or is run again, goes on where it stopped. Cancelling stops within the documents in hand.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clients.models import Client
from crm.choices import AccessKind
from crm.errors import DomainError
from crm.files.jobs import RunningJob, job_kind, start_job
from crm.models import Actor, Brand, Job, User
from crm.rendering import letter
from crm.security import access_log
from crm.security.policies import require
from wallet.choices.documents import DocumentKind
from wallet.documents import invoices, policies, statement
from wallet.documents.making import language_of, make
from wallet.documents.pdf import html_of_draft
from wallet.documents.store import Draft, content_of, keep, same_as
from wallet.models import FeeInvoice, IssuedDocument

STEP = 100  # clients whose rows are in memory at a time
KINDS = (DocumentKind.STATEMENT, DocumentKind.FEE_INVOICE)
# Below so many a pool costs more than it saves.
ALONE_MAX = 6
TASKS_PER_CHILD = 300  # then a child makes way for a fresh one: WeasyPrint's caches grow
Progress = Callable[[int, int, str], None]

# Clients with a wallet that had anything in it or moved until the end of the period.
WITH_WALLETS = """
SELECT DISTINCT a.client_id FROM wallet_account a JOIN wallet_balance b ON b.account_id = a.id
WHERE a.brand_id = %s AND a.kind = 'client_wallet' AND b.version > 0 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many documents a batch made, and how many not."""

    documents: int
    new: int
    refused: int


def processes() -> int:
    """Return how many pages are set at a time: a core stays for the rest of the system."""
    return max(1, min(4, (os.cpu_count() or 2) - 1))


# ── whose ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def ids_of(kind: DocumentKind, brand: Brand, first: dt.date) -> list[int]:
    """List the ids of the clients (statements) or invoices of the month."""
    if kind == DocumentKind.FEE_INVOICE:
        return list(
            FeeInvoice.objects.filter(brand=brand, first_day=first).order_by("number").values_list("pk", flat=True)
        )
    with connection.cursor() as cursor:
        cursor.execute(WITH_WALLETS, [brand.pk])
        return [pk for (pk,) in cursor.fetchall()]


def drafts_of(kind: DocumentKind, ids: list[int], first: dt.date, last: dt.date) -> Iterator[Draft | DomainError]:
    """Gather drafts in steps; a client whose statement can't be made gives the reason instead.

    Clients without movements are left out.
    """
    for at in range(0, len(ids), STEP):
        part = ids[at : at + STEP]
        if kind == DocumentKind.FEE_INVOICE:
            rows = FeeInvoice.objects.select_related("client__brand", "brand").in_bulk(part)
            for pk in part:
                yield invoices.draft_of(rows[pk], language_of(rows[pk].client))
        else:
            clients = Client.objects.select_related("brand").in_bulk(part)
            for pk in part:
                yield from _statement(clients[pk], first, last)


def _statement(client: Client, first: dt.date, last: dt.date) -> Iterator[Draft | DomainError]:
    try:
        figures = statement.gather(client, first, last)
    except DomainError as error:
        yield error
        return
    if figures.parts:
        yield statement.draft_of(figures, language_of(client))


# ── making ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_batch(
    *,
    kind: DocumentKind,
    brand: Brand,
    month: dt.date,
    target: Path,
    made_by: Actor,
    progress: Progress,
    workers: int = 0,
) -> Counted:
    """Make all documents and put them into a ZIP at `target`. `progress` may raise to cancel; what was stored stays.

    workers: child processes; 0 lets the number of documents and cores decide, -1 is none.
    """
    first, last = invoices.month_of(month)
    ids = ids_of(kind, brand, first)
    count = workers or (processes() if len(ids) > ALONE_MAX else -1)
    counted = {"documents": 0, "new": 0, "refused": 0}
    words = _("Creating documents")
    progress(0, max(len(ids), 1), words)
    done = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive, _Setters(count, made_by) as setters:
        for draft in drafts_of(kind, ids, first, last):
            if isinstance(draft, DomainError):
                counted["refused"] += 1
                continue
            for document, is_new in setters.put(draft):
                _add(archive, document, counted, is_new)
            done += 1
            progress(min(done, len(ids)), max(len(ids), 1), words)
        for document, is_new in setters.rest():
            _add(archive, document, counted, is_new)
            progress(min(done, len(ids)), max(len(ids), 1), words)
    return Counted(**counted)


def _add(archive: zipfile.ZipFile, document: IssuedDocument, counted: dict[str, int], is_new: bool) -> None:
    """Add a document to the archive, streamed from the encrypted file.

    PDFs are compressed already, so they are stored as they are.
    """
    about = zipfile.ZipInfo(document.file_name, document.made_at.timetuple()[:6])
    with archive.open(about, "w") as entry:
        for chunk in content_of(document):
            entry.write(chunk)
    counted["documents"] += 1
    counted["new"] += is_new


class _Setters:
    """Hands drafts to child processes and returns stored documents in their order; a few are in hand at a time."""

    def __init__(self, count: int, made_by: Actor) -> None:
        self.made_by = made_by
        self._waiting: deque[tuple[Draft, IssuedDocument | Future[bytes]]] = deque()
        self._in_hand = max(count, 0) * 3
        self._pool: ProcessPoolExecutor | None = None
        if count > 0:
            # A child starts from nothing: no connection, no lock and no secret of this process goes with it.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(count, context, max_tasks_per_child=TASKS_PER_CHILD)

    def __enter__(self) -> _Setters:
        return self

    def __exit__(self, *_error: object) -> None:
        self._waiting.clear()
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def put(self, draft: Draft) -> Iterator[tuple[IssuedDocument, bool]]:
        """Begin one draft; return the documents that were finished to make room for it."""
        known = same_as(draft)
        if known is not None:
            self._waiting.append((draft, known))
        elif self._pool and draft.template:
            self._waiting.append((draft, self._pool.submit(letter.render_pdf, html_of_draft(draft))))
        else:
            yield from self.rest()
            yield make(draft, made_by=self.made_by), True
        while len(self._waiting) > self._in_hand:
            yield self._next()

    def rest(self) -> Iterator[tuple[IssuedDocument, bool]]:
        while self._waiting:
            yield self._next()

    def _next(self) -> tuple[IssuedDocument, bool]:
        draft, made = self._waiting.popleft()
        if isinstance(made, IssuedDocument):
            return made, False
        return keep(draft, made.result(), made_by=self.made_by), True


# ── ordering ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def order_batch(*, kind: DocumentKind, brand: Brand, month: dt.date, actor: User) -> Job:
    """Start the job that makes a month's documents. Invoices are issued first: their numbers are assigned once, now.

    Who: `wallet.make_issueddocument` on the whole brand. Raises: NotAllowed, DomainError while the month is not over.
    """
    require(policies.can_make_for_brand(actor, brand.pk))
    if kind not in KINDS:
        raise DomainError(_("Only statements and fee invoices can be created for all clients."))
    first, _last = invoices.month_of(month)
    if kind == DocumentKind.FEE_INVOICE:
        invoices.issue_fee_invoices(brand_id=brand.pk, month=first, actor=actor)
    access_log.note(
        user=actor, kind=AccessKind.EXPORT, brand_id=brand.pk, target=f"wallet.documents:{kind}:{first:%Y-%m}"
    )
    return start_job(
        "wallet.document_batch",
        owner=actor,
        title=_("%(kind)s, %(month)s, all clients of %(brand)s")
        % {"kind": kind.label, "month": f"{first:%Y-%m}", "brand": brand},
        parameters={"kind": kind.value, "brand_id": brand.pk, "month": first.isoformat()},
    )


@job_kind("wallet.document_batch", title=gettext_noop("Monthly documents"), hours=6)
def run_batch(job: RunningJob) -> None:
    """Make the documents of a batch job. The owner's rights are checked again: they may have lost the brand since."""
    parameters: Mapping[str, Any] = job.parameters
    brand = Brand.objects.get(pk=parameters["brand_id"])
    require(policies.can_make_for_brand(job.owner, brand.pk))
    kind, month = DocumentKind(parameters["kind"]), dt.date.fromisoformat(parameters["month"])
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "documents.zip"
        counted = make_batch(
            kind=kind, brand=brand, month=month, target=target, made_by=job.owner, progress=job.progress
        )
        if not counted.documents:
            raise DomainError(_("Nothing to create: no client has a document of this kind for the month."))
        job.attach(f"{kind}-{brand.code}-{month:%Y-%m}.zip", target)
    total = counted.documents
    words = _("Documents: %(documents)d, new: %(new)d, failed: %(refused)d") % asdict(counted)
    job.progress(total, total, words)
