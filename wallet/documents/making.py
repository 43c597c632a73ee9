"""From a draft to a kept document, by a job that a person waits on.

Each kind registers how its draft is gathered; the gatherer looks at the owner's rights again, for a job may wait.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clients.models import Client
from crm.errors import DomainError
from crm.files.jobs import RunningJob, job_kind, start_job
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
    """`@gathers(DocumentKind.RECEIPT) def draft(owner, parameters) -> Draft`. Raises NotAllowed for who may not have it."""

    def register(gather: Gatherer) -> Gatherer:
        GATHERERS[kind] = gather
        return gather

    return register


def checked_language(code: str) -> str:
    """A language that we print in. Raises DomainError."""
    if code not in dict(settings.LANGUAGES):
        raise DomainError(_("Documents are not made in this language: %(code)s.") % {"code": code})
    return code


def language_of(client: Client) -> str:
    """The client's language where we print in it, else the brand's, else English."""
    known = dict(settings.LANGUAGES)
    return next((code for code in (client.language, client.brand.default_language) if code in known), "en")


def make(draft: Draft, *, made_by: Actor, progress: Progress = lambda *_args: None) -> IssuedDocument:
    """Write and keep it; the same figures give the document that is there already."""
    found = same_as(draft)
    if found is not None:
        return found
    if draft.template:
        return keep(draft, pdf.of_draft(draft), made_by=made_by)
    assert draft.report is not None
    write = pdf.write_report if draft.ending == Ending.PDF else xlsx.write_report
    with tempfile.TemporaryDirectory() as folder:
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


def order(kind: DocumentKind, *, owner: Any, title: str, parameters: dict[str, Any]) -> Job:
    """Start the job that makes one document; its result is the document's page. Rights are the caller's to look at."""
    checked_language(parameters["language"])
    return start_job("wallet.document", owner=owner, title=title, parameters={"kind": kind.value, **parameters})


@job_kind("wallet.document", title=gettext_noop("Document"))
def make_ordered(job: RunningJob) -> None:
    job.progress(0, STEPS, _("Reading the figures"))
    draft = GATHERERS[job.parameters["kind"]](job.owner, job.parameters)
    job.progress(1, STEPS, _("Setting pages"))

    def told(done: int, total: int, message: str) -> None:
        """The rows of a long one move the bar between the steps."""
        job.progress(total + done, 3 * total, message) if total else None

    document = make(draft, made_by=job.owner, progress=told)
    job.point_to(address_of(document, job.owner), file_name=document.file_name if job.owner.is_client else "")
    job.progress(STEPS, STEPS, "")


def address_of(document: IssuedDocument, reader: User) -> str:
    """Where this reader finds it."""
    return reverse("portal_wallet_document" if reader.is_client else "wallet:document", args=[document.pk])
