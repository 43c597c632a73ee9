"""From a draft to a stored document, by a job that a person waits for.

Each kind registers how its draft is gathered; the gatherer checks the owner's rights again, because a job may wait.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clients.models import Client
from crm.errors import DomainError
from crm.files.jobs import RunningJob, job_kind, start_job
from crm.i18n import formats
from crm.i18n.languages import variant_of
from crm.models import Actor, Job, User
from wallet.choices.documents import DocumentKind, Ending
from wallet.documents import pdf, xlsx
from wallet.documents.store import Draft, keep, same_as
from wallet.models import IssuedDocument

Progress = Callable[[int, int, str], None]
Gatherer = Callable[[Any, Mapping[str, Any]], Draft]
GATHERERS: dict[str, Gatherer] = {}
STEPS = 3


def gathers(kind: DocumentKind) -> Callable[[Gatherer], Gatherer]:
    """Register how a kind's draft is gathered: `@gathers(DocumentKind.RECEIPT) def draft(owner, parameters) -> Draft`.

    It raises NotAllowed where the owner may not have it.
    """

    def register(gather: Gatherer) -> Gatherer:
        GATHERERS[kind] = gather
        return gather

    return register


def checked_language(code: str) -> str:
    """Return a language that documents are made in. Raises DomainError for any other."""
    language = variant_of(code)
    if not language:
        raise DomainError(_("Documents aren't available in this language: %(code)s.") % {"code": code})
    return language


def language_of(client: Client) -> str:
    """Return the language in which a client reads their pages, or is written to; else the brand's, else the company's."""
    own = client.brand.default_language
    codes = (client.user.language if client.user else "", client.language, own)
    return next((found for code in codes if code and (found := variant_of(code, own))), settings.LANGUAGE_CODE)


def make(draft: Draft, *, made_by: Actor, progress: Progress = lambda *_args: None) -> IssuedDocument:
    """Write a document and store it; the same figures return the document that exists already."""
    known = same_as(draft)
    if known is not None:
        return known
    if draft.template:
        with _dates_of(draft):
            return keep(draft, pdf.of_draft(draft), made_by=made_by)
    assert draft.report is not None
    write = pdf.write_report if draft.ending == Ending.PDF else xlsx.write_report
    with _dates_of(draft), tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / draft.file_name
        write(
            draft.report,
            target,
            brand=draft.brand,
            language=draft.language,
            zone=draft.zone,
            progress=progress,
            expected_rows=draft.expected_rows,
        )
        return keep(draft, target, made_by=made_by)


def _dates_of(draft: Draft) -> AbstractContextManager[None]:
    """Write a client's document with dates as the client reads them, whoever orders it; a brand's for who orders it."""
    client = draft.client
    return formats.dates_as(formats.preferred_dates(client.user)) if client else nullcontext()


def order(kind: DocumentKind, *, owner: Any, title: str, parameters: dict[str, Any]) -> Job:
    """Start the job that makes one document; its result is the document's page. The caller checks the rights."""
    checked_language(parameters["language"])
    return start_job("wallet.document", owner=owner, title=title, parameters={"kind": kind.value, **parameters})


@job_kind("wallet.document", title=gettext_noop("Document"))
def make_ordered(job: RunningJob) -> None:
    """Make the document of a job, with progress: gather the figures, set the pages, store the file."""
    job.progress(0, STEPS, _("Loading figures"))
    draft = GATHERERS[job.parameters["kind"]](job.owner, job.parameters)
    job.progress(1, STEPS, _("Creating pages"))

    def told(done: int, total: int, message: str) -> None:
        """Move the bar between the steps by the rows of a long document."""
        job.progress(total + done, 3 * total, message) if total else None

    document = make(draft, made_by=job.owner, progress=told)
    job.point_to(address_of(document, job.owner), file_name=document.file_name if job.owner.is_client else "")
    job.progress(STEPS, STEPS, "")


def address_of(document: IssuedDocument, reader: User) -> str:
    """Return the document's page for this reader: the client's or the staff's."""
    return reverse("portal_wallet_document" if reader.is_client else "wallet:document", args=[document.pk])
