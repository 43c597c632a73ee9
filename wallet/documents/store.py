"""Stores documents: encrypted on disk, found by their subject, by the hash of their figures or of their bytes.

A document about a client is encrypted with the client's key: the erasure of a client makes it unreadable, the row with
its hashes stays.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from clients.models import Client
from crm.models import Actor, Brand, User
from crm.rendering.report import Report
from crm.security import audit, sealed_files
from crm.security.scope import reach_of
from wallet.audit_codes import WalletAction
from wallet.choices.documents import FOR_CLIENTS, DocumentKind, Ending
from wallet.models import IssuedDocument

HOUSE = sealed_files.of_instance("document")
HASH = re.compile(r"[0-9a-f]{12,64}")
FOUND_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document whose figures are gathered: its subject, and either a letter's template or a report."""

    kind: DocumentKind
    brand: Brand
    subject: str
    title: str
    file_name: str
    language: str
    content_hash: str
    client: Client | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    ending: Ending = Ending.PDF
    zone: str = ""
    template: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    report: Report | None = None
    expected_rows: int = 0


def documents_visible_to(user: User) -> QuerySet[IssuedDocument]:
    """Select documents of clients in reach and, for whole brands, the brand's own; a client's login sees its own."""
    if not user or not user.is_authenticated:
        return IssuedDocument.objects.none()
    if user.is_client:
        return IssuedDocument.objects.filter(client__user_id=user.pk, kind__in=FOR_CLIENTS)
    if not user.is_team:
        return IssuedDocument.objects.none()
    reach = reach_of(user)
    return IssuedDocument.objects.filter(
        Q(client__book_id__in=reach.books) | Q(client__isnull=True, brand_id__in=reach.whole_brands)
    )


def same_as(draft: Draft) -> IssuedDocument | None:
    """Find the document that has these figures already: it is handed out again, as it was."""
    return IssuedDocument.objects.filter(
        brand=draft.brand,
        kind=draft.kind,
        subject=draft.subject,
        language=draft.language,
        ending=draft.ending,
        content_hash=draft.content_hash,
    ).first()


def keep(draft: Draft, content: bytes | Path, *, made_by: Actor) -> IssuedDocument:
    """Encrypt the file and write its row. Made twice at the same time, the first one stays. Raises: StorageFull."""
    name = secrets.token_hex(16)
    owner = _owner(draft.client.pk if draft.client else None)
    if isinstance(content, Path):
        with content.open("rb") as source:
            written = sealed_files.write(path_of(name), source, owner=owner)
    else:
        written = sealed_files.write(path_of(name), content, owner=owner)
    try:
        with transaction.atomic():
            document = IssuedDocument.objects.create(
                kind=draft.kind,
                brand=draft.brand,
                client=draft.client,
                subject=draft.subject,
                title=draft.title[:160],
                first_day=draft.first,
                last_day=draft.last,
                language=draft.language,
                ending=draft.ending,
                file_name=draft.file_name[:160],
                content_hash=draft.content_hash,
                sha256=written.sha256,
                size_bytes=written.size_bytes,
                stored_name=name,
                made_by=made_by,
                made_at=timezone.now(),
            )
            audit.record(
                actor=made_by,
                action=WalletAction.DOCUMENT_MADE,
                target=document,
                brand_id=draft.brand.pk,
                client_id=draft.client.pk if draft.client else None,
                after={"kind": draft.kind, "subject": draft.subject, "language": draft.language},
                evidence={"sha256": written.sha256, "figures": draft.content_hash},
            )
    except BaseException as error:
        path_of(name).unlink(missing_ok=True)
        earlier = same_as(draft) if isinstance(error, IntegrityError) else None
        if earlier is None:
            raise
        return earlier
    return document


def content_of(document: IssuedDocument) -> Iterator[bytes]:
    """Decrypt the file in chunks.

    Raises FileMissing, FileDamaged, or crypto.KeyDestroyed after the client's erasure.
    """
    yield from sealed_files.stream(path_of(document.stored_name), owner=_owner(document.client_id))


def with_hash(user: User, text: str) -> list[IssuedDocument]:
    """Select documents in reach whose figures or whose file have this hash; its first twelve digits are enough."""
    digits = "".join(text.split()).lower()
    if not HASH.fullmatch(digits):
        return []
    rows = documents_visible_to(user).filter(Q(content_hash__startswith=digits) | Q(sha256__startswith=digits))
    return list(rows.select_related("brand", "client", "made_by").order_by("-id")[:FOUND_MAX])


def path_of(name: str) -> Path:
    """Return a stored file's path: the first two letters of its name are the folder."""
    return Path(settings.PRIVATE_DIR) / "documents" / name[:2] / name


def _owner(client_id: int | None) -> sealed_files.Owner:
    return sealed_files.of_client(client_id) if client_id else HOUSE
