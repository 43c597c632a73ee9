"""A client's documents: sending one, and locking one. How their validity ends: `kyc.expiry`."""

from __future__ import annotations

import datetime as dt
from typing import BinaryIO

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import Stage, TimelineKind
from clients.models import Client
from crm import work
from crm.db.locking import lock, lock_all
from crm.errors import DomainError, WrongState
from crm.events import DocumentUploaded, publish
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.notices.notify import notify
from crm.security import audit
from crm.security.policies import require
from kyc import intake, policies, store
from kyc.audit_codes import KycAction
from kyc.choices import OPEN_STATES, TWO_SIDED_KINDS, DocumentKind, DocumentState, KycNotice, Side
from kyc.document_requests.answering import answer_requests
from kyc.models import Document

UPLOADS_PER_DAY_MAX = 30


def upload(
    *, client: Client, kind: str, file: BinaryIO, actor: Actor, side: str = Side.FRONT, name: str = ""
) -> Document:
    """Take a document in at once, for imports and jobs. Pages use `kyc.incoming.receive`: a file is opened by a job.

    file: a seekable binary file, e.g. Django's UploadedFile. Who: the client, or `kyc.send_document` in reach.
    Raises: NotAllowed, FileRefused (kind, size, damage), StorageFull, DomainError (sent before, too many today).
    """
    require(policies.can_upload(actor, client))
    # The slow part, before any lock: decoding and cleaning.
    clean = intake.take_in(file, name=name or getattr(file, "name", "") or "")
    with transaction.atomic():
        return keep(client_id=client.pk, kind=kind, side=side, clean=clean, actor=actor)


def keep(*, client_id: int, kind: str, side: str, clean: intake.CleanFile, actor: Actor, country: str = "") -> Document:
    """Keep a clean file as a client's document; an open one of the same kind and side is replaced by it.

    The caller asked whether the actor may, and holds the transaction. Raises: StorageFull, DomainError.
    """
    kind, side = DocumentKind(kind), side_of(kind, side)
    client = lock(Client, client_id, no_key=True)
    refuse_what_can_not_be_taken(client, clean.sha256_as_sent)
    stored = store.put(client_id=client.pk, content=clean.content)
    try:
        return _keep(client, kind, side, clean, stored, actor, country)
    except BaseException:
        # The row is not there, so the file must not be either. (A process killed here leaves it to the orphan sweep.)
        store.delete(stored.key)
        raise


def side_of(kind: str, side: str) -> Side:
    """Reduce the side to the front, except for cards and licences, which have two."""
    return Side(side) if kind in TWO_SIDED_KINDS else Side.FRONT


def refuse_what_can_not_be_taken(client: Client, sha256: str) -> None:
    """Check whether a client may send this file; the caller has locked the client.

    Raises: WrongState (account closed), DomainError (sent before, too many today).
    """
    if client.stage == Stage.CLOSED:
        raise WrongState(_("This account is closed, so we can't accept documents for it."))
    since = timezone.now() - dt.timedelta(days=1)
    recent = Document.objects.filter(client=client, uploaded_at__gt=since)[:UPLOADS_PER_DAY_MAX]
    if len(recent) >= UPLOADS_PER_DAY_MAX:
        raise DomainError(
            _("You've reached the daily limit for documents. Please contact support if you need to send more.")
        )
    before = Document.objects.filter(client=client, sha256=sha256).exclude(state=DocumentState.REPLACED).first()
    if before is not None:
        raise DomainError(_same_file(before), code="sent_before")


def _same_file(before: Document) -> str:
    """Write the answer to a client who sends a file that we already have."""
    values = {"title": before.title, "date": before.uploaded_at.date().isoformat(), "reason": before.reason}
    if before.state_for_client == DocumentState.REJECTED:
        return (
            _(
                "You already sent this file on %(date)s, and we couldn't accept it: %(reason)s Please "
                "send a new picture."
            )
            % values
        )
    if before.state_for_client == DocumentState.APPROVED:
        return (
            _("We already have this file, and it's approved (%(title)s, %(date)s). You don't need to do anything.")
            % values
        )
    if before.state == DocumentState.EXPIRED:
        return _("This document has expired (%(title)s). Please send the new one.") % values
    return (
        _("We already have this file (%(title)s, %(date)s) and are reviewing it. You don't need to send it again.")
        % values
    )


def _keep(
    client: Client, kind: str, side: str, clean: intake.CleanFile, stored: store.StoredFile, actor: Actor, country: str
) -> Document:
    replaced = _replace_open(client, kind, side) if kind != DocumentKind.OTHER else []
    document = Document.objects.create(
        client=client,
        kind=kind,
        side=side,
        store_key=stored.key,
        file_name=clean.file_name,
        content_type=clean.content_type,
        size_bytes=stored.size_bytes,
        sha256=clean.sha256_as_sent,
        stored_sha256=stored.sha256,
        page_count=clean.page_count,
        declared_country=country,
        traces=clean.traces,
        uploaded_at=timezone.now(),
        uploaded_by=actor,
    )
    answer_requests(document)
    audit.record(
        actor=actor,
        action=KycAction.DOCUMENT_UPLOADED,
        target=document,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"kind": kind, "side": side, "pages": clean.page_count, "replaces": replaced},
        evidence={"sha256": clean.sha256_as_sent, "stored_sha256": stored.sha256, "size_bytes": stored.size_bytes},
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.DOCUMENT,
        actor=actor,
        url=document.get_absolute_url(),
        title=phrase("%(title)s uploaded") % {"title": document.title_words},
        dedupe_key=f"document-uploaded:{document.pk}",
        is_visible_to_client=True,
    )
    publish(
        DocumentUploaded(document_id=document.pk, kind=str(kind), client_id=client.pk, brand_id=client.brand_id),
        actor=actor,
    )
    return document


def _replace_open(client: Client, kind: str, side: str) -> list[int]:
    """Take what the client sent before out of checks and queue; an officer who is reviewing it is notified."""
    replaced = []
    waiting = Document.objects.filter(client=client, kind=kind, side=side, state__in=OPEN_STATES)
    for older in lock_all(waiting, "work__claimed_by"):
        older.move_to(DocumentState.REPLACED)
        older.check_lease_until = None
        older.save(update_fields=["state", "check_lease_until"])
        holder = older.work.claimed_by if older.work is not None and work.is_held(older.work) else None
        work.close_items([older.work_id])
        replaced.append(older.pk)
        if holder is not None:
            notify(
                [holder],
                kind=KycNotice.DOCUMENT_REPLACED,
                title=phrase("%(client)s replaced a document you were reviewing") % {"client": client},
                body=phrase("%(title)s: the new file is being checked.") % {"title": older.title_words},
                url=older.get_absolute_url(),
                dedupe_key=f"kyc.document_replaced:{older.pk}",
            )
    return replaced


def waiting_for_checks(*, limit: int = 50, waited_seconds: float = 0) -> list[int]:
    """List documents that no worker has taken, or that one left behind, oldest first."""
    now = timezone.now()
    due = Document.objects.filter(
        Q(state=DocumentState.UPLOADED, uploaded_at__lte=now - dt.timedelta(seconds=waited_seconds))
        | Q(state=DocumentState.CHECKING, check_lease_until__lte=now)
    )
    return list(due.order_by("uploaded_at", "pk").values_list("pk", flat=True)[:limit])


def locked(document_id: int) -> Document:
    """Lock a document and, before it, its client: every verb of this app locks in this order."""
    client_id = Document.objects.values_list("client_id", flat=True).get(pk=document_id)
    client = lock(Client, client_id, "brand", no_key=True)
    document = lock(Document, document_id)
    document.client = client
    return document
