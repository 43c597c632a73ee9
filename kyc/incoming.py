"""Files on their way in: kept as they came, encrypted and unopened; a job opens each in a child process.

The page that took a file answers at once and shows how it goes. What can't be taken is refused in words there; the content of
a file that was opened, or refused, is deleted.
"""

from __future__ import annotations

import datetime as dt
import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import BinaryIO

from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError
from crm.files import antivirus
from crm.files.parsing import ParsingBusy
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.notices.notify import notify, people_with
from crm.queue.enqueue import enqueue, enqueue_on_commit
from crm.security import audit, crypto
from crm.security.policies import require
from kyc import documents, intake, policies, store
from kyc.audit_codes import KycAction
from kyc.choices import DocumentKind, IncomingState, KycNotice
from kyc.models import ATTEMPTS_MAX, Document, IncomingFile, IncomingPage

logger = logging.getLogger(__name__)
FILES_PER_HOUR_MAX = 20
LEASE_SECONDS = 120
BUSY_SECONDS = 5
SCANNER_SECONDS = 60
SHOWN_HOURS = 24
KEPT_DAYS = 30


def receive(
    *, client: Client, kind: str, file: BinaryIO, actor: Actor, side: str = "front", name: str = ""
) -> IncomingFile:
    """Take a document from a client, or from staff for them, as it came; whether it can be read is decided later by a worker.

    file: a seekable binary file, e.g. Django's UploadedFile. Who: the client, or `kyc.send_document` in reach.
    Raises: NotAllowed, FileRefused (kind, size), StorageFull, DomainError (sent before, too many this hour or today).
    """
    require(policies.can_upload(actor, client))
    kind = DocumentKind(kind)
    raw = intake.receive(file, name=name or getattr(file, "name", "") or "")
    stored: store.StoredFile | None = None
    try:
        with transaction.atomic():
            client = lock(Client, client.pk, no_key=True)
            stored = store.put(client_id=client.pk, content=raw.content)
            page = ReceivedPage(stored.key, raw.file_name, stored.size_bytes, raw.sha256)
            return accept(client, kind=kind, side=documents.side_of(kind, side), pages=[page], actor=actor)
    except BaseException:
        if stored is not None:
            store.delete(stored.key)
        raise


@dataclass(frozen=True)
class ReceivedPage:
    """A file that is stored already, of a kind that we take."""

    store_key: str
    file_name: str
    size_bytes: int
    sha256: str


def accept(
    client: Client, *, kind: str, side: str, pages: Sequence[ReceivedPage], actor: Actor, country: str = ""
) -> IncomingFile:
    """Put stored files, in the order of their pages, before the job that opens them as one document.

    The caller has locked the client and asked whether the actor may. Raises: DomainError (sent before,
    too many this hour or today).
    """
    first = pages[0]
    documents.refuse_what_can_not_be_taken(client, first.sha256)
    _refuse_too_many(client, first.sha256)
    incoming = IncomingFile.objects.create(
        client=client,
        kind=kind,
        side=side,
        country=country,
        file_name=first.file_name,
        store_key=first.store_key,
        size_bytes=first.size_bytes,
        sha256=first.sha256,
        language=translation.get_language() or client.language,
        uploaded_by=actor,
        received_at=timezone.now(),
    )
    IncomingPage.objects.bulk_create(
        IncomingPage(incoming=incoming, number=number, **asdict(page)) for number, page in enumerate(pages[1:], start=2)
    )
    audit.record(
        actor=actor,
        action=KycAction.FILE_RECEIVED,
        target=incoming,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"kind": incoming.kind, "side": incoming.side},
        evidence={"sha256": [page.sha256 for page in pages], "size_bytes": sum(page.size_bytes for page in pages)}
        if len(pages) > 1
        else {"sha256": first.sha256, "size_bytes": first.size_bytes},
    )
    enqueue_on_commit("kyc.take_in_file", incoming.pk)
    return incoming


def _refuse_too_many(client: Client, sha256: str) -> None:
    since = timezone.now() - dt.timedelta(hours=1)
    recent = list(IncomingFile.objects.filter(client=client, received_at__gt=since)[:FILES_PER_HOUR_MAX])
    if any(file.state == IncomingState.WAITING and file.sha256 == sha256 for file in recent):
        raise DomainError(_("We already have this file and are checking it."), code="sent_before")
    if len(recent) >= FILES_PER_HOUR_MAX:
        raise DomainError(
            _("You've sent too many files in the last hour. Please wait a while before you send the next one.")
        )


def take_in(incoming_id: int) -> Document | None:
    """Open one file in a child process: it becomes a document, or is refused. None: refused, or not its turn.

    Runs in a worker, once at a time for a file; after ATTEMPTS_MAX workers that died with it the file is refused.
    """
    incoming = _begin(incoming_id)
    if incoming is None:
        return None
    with translation.override(incoming.language):
        try:
            return _keep(incoming, intake.clean_pages([_raw(incoming, page) for page in _pages_of(incoming)]))
        except ParsingBusy:
            _wait(incoming, seconds=BUSY_SECONDS)
        except antivirus.ScannerAway as away:
            logger.warning("incoming file %s waits for the virus scanner: %s", incoming.pk, away)
            _wait(incoming, seconds=SCANNER_SECONDS)
        except antivirus.FileInfected as infected:
            _refuse(incoming, str(infected.message), signature=infected.signature)
        except DomainError as error:
            _refuse(incoming, str(error.message))
        except (store.FileMissing, store.FileDamaged, crypto.KeyDestroyed):
            logger.exception("incoming file %s can't be read", incoming.pk)
            _refuse(incoming, _("Something went wrong before we could open this file. Please send it again."))
    return None


def _pages_of(incoming: IncomingFile) -> list[IncomingFile | IncomingPage]:
    return [incoming, *incoming.more_pages.all()]


def _raw(incoming: IncomingFile, page: IncomingFile | IncomingPage) -> intake.RawFile:
    content = store.read(client_id=incoming.client_id, key=page.store_key)
    return intake.receive(io.BytesIO(content), name=page.file_name)


@transaction.atomic
def _begin(incoming_id: int) -> IncomingFile | None:
    incoming = lock(IncomingFile, incoming_id)
    now = timezone.now()
    if incoming.state != IncomingState.WAITING or (incoming.lease_until and incoming.lease_until > now):
        return None
    if incoming.attempts >= ATTEMPTS_MAX:
        with translation.override(incoming.language):
            _finish(incoming, reason=_("We couldn't open this file. Save it again, or send a picture of the page."))
        return None
    incoming.attempts += 1
    incoming.lease_until = now + dt.timedelta(seconds=LEASE_SECONDS)
    incoming.save(update_fields=["attempts", "lease_until"])
    return incoming


@transaction.atomic
def _keep(incoming: IncomingFile, clean: intake.CleanFile) -> Document | None:
    lock(Client, incoming.client_id, no_key=True)  # before the file: every verb of this app locks in this order
    incoming = lock(IncomingFile, incoming.pk)
    if incoming.state != IncomingState.WAITING:
        return None
    document = documents.keep(
        client_id=incoming.client_id,
        kind=incoming.kind,
        side=incoming.side,
        clean=clean,
        actor=incoming.uploaded_by,
        country=incoming.country,
    )
    _finish(incoming, document=document)
    return document


@transaction.atomic
def _refuse(incoming: IncomingFile, reason: str, *, signature: str = "") -> None:
    """Refuse a file in words; its content is deleted. signature: of the malware found in it, which officers are notified of."""
    incoming = lock(IncomingFile, incoming.pk)
    if incoming.state == IncomingState.WAITING:
        _finish(incoming, reason=reason, signature=signature)


@transaction.atomic
def _wait(incoming: IncomingFile, *, seconds: int) -> None:
    """Other files are being opened, or the virus scanner is away: a little later, and this try doesn't count.

    The lease is the clock: beat hands the file over again after it, however long the scanner stays away.
    """
    incoming = lock(IncomingFile, incoming.pk)
    incoming.attempts -= 1
    incoming.lease_until = timezone.now() + dt.timedelta(seconds=seconds)
    incoming.save(update_fields=["attempts", "lease_until"])
    transaction.on_commit(lambda: enqueue("kyc.take_in_file", incoming.pk, seconds=seconds + 1))


def _finish(incoming: IncomingFile, *, document: Document | None = None, reason: str = "", signature: str = "") -> None:
    """Record the result of a received file, whose row is locked. The content is deleted once the result is sure."""
    keys = [page.store_key for page in _pages_of(incoming)]
    incoming.more_pages.all().delete()
    incoming.store_key = ""
    incoming.move_to(IncomingState.TAKEN if document is not None else IncomingState.REFUSED)
    incoming.document, incoming.reason = document, reason
    incoming.finished_at, incoming.lease_until = timezone.now(), None
    incoming.save()
    if document is None:
        _note_refusal(incoming, signature)
    for key in keys:
        transaction.on_commit(partial(store.delete, key))


def _note_refusal(incoming: IncomingFile, signature: str) -> None:
    brand_id = Client.objects.values_list("brand_id", flat=True).get(pk=incoming.client_id)
    audit.record(
        actor=None,
        action=KycAction.FILE_INFECTED if signature else KycAction.FILE_REFUSED,
        target=incoming,
        client_id=incoming.client_id,
        brand_id=brand_id,
        after={"state": incoming.state},
        reason=incoming.reason,
        evidence={"sha256": incoming.sha256, **({"signature": signature} if signature else {})},
    )
    if signature:
        client = incoming.client
        notify(
            people_with("kyc.review_document", brand_id=brand_id),
            kind=KycNotice.FILE_INFECTED,
            title=phrase("Malware in a file from %(client)s") % {"client": client},
            body=phrase("%(signature)s. The file was deleted unopened.") % {"signature": signature},
            url=f"{client.get_absolute_url()}?tab=kyc",
            dedupe_key=f"kyc.file_infected:{incoming.pk}",
        )


# ── for the clock, and for pages ───────────────────────────────────────────────────────────────────────────────────


def due(*, limit: int = 200, waited_seconds: float = 0) -> list[int]:
    """List files that no worker has taken, or that one left behind, oldest first."""
    now = timezone.now()
    rows = IncomingFile.objects.filter(state=IncomingState.WAITING).filter(
        Q(lease_until__isnull=True, received_at__lte=now - dt.timedelta(seconds=waited_seconds))
        | Q(lease_until__lte=now)
    )
    return list(rows.order_by("received_at", "pk").values_list("pk", flat=True)[:limit])


def take_in_due(*, limit: int = 200) -> int:
    """Open what waits, oldest first; for the sweeper and for tests."""
    return sum(take_in(pk) is not None for pk in due(limit=limit))


def drop_old() -> int:
    """Delete the rows of files that were opened or refused a month ago; return how many."""
    oldest = timezone.now() - dt.timedelta(days=KEPT_DAYS)
    return IncomingFile.objects.filter(finished_at__lt=oldest).delete()[0]


def shown_for(client: Client) -> list[IncomingFile]:
    """List files that are being opened, and those refused lately and not sent again since; newest first. One query."""
    since = timezone.now() - dt.timedelta(hours=SHOWN_HOURS)
    recent = IncomingFile.objects.filter(client=client, received_at__gt=since).order_by("-received_at", "-pk")
    return list(_newest(recent[:FILES_PER_HOUR_MAX]))


def any_waiting(files: Iterable[IncomingFile]) -> bool:
    """Tell whether one of the files is still being opened: the page then refreshes."""
    return any(file.state == IncomingState.WAITING for file in files)


def _newest(rows: Iterable[IncomingFile]) -> Iterable[IncomingFile]:
    seen: set[tuple[str, str]] = set()
    for file in rows:
        place = (file.kind, file.side)
        if file.state == IncomingState.WAITING or (file.state == IncomingState.REFUSED and place not in seen):
            yield file
        seen.add(place)
