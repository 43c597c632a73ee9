"""The pages of a draft: announced, sent in chunks, whole, put in order, removed.

The protocol is that of "Resumable Uploads for HTTP" (https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/) and
of tus (https://tus.io/protocols/resumable-upload) in small: the server answers how much it has, the sender goes on from there, and
a chunk for another offset is refused with the right one. Two tabs that send the same page can't mix: each chunk holds the
draft's lock.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.models import User
from crm.notices.notify import push_live
from kyc import intake, store
from kyc.models import UploadChunk, UploadDraft, UploadPage
from kyc.uploads.drafts import LIVE, delete_content, locked_draft
from kyc.uploads.guidance import plan_of

CHUNK_BYTES_MAX: Final = 1024 * 1024
# All but the last: else a page could be millions of rows.
CHUNK_BYTES_MIN: Final = 64 * 1024
DRAFT_FILES_WORTH: Final = 4
SHA256: Final = re.compile(r"[0-9a-f]{64}")
PLACES: Final = {"up": -1, "down": 1}


class WrongOffset(DomainError):
    """The chunk doesn't begin where the page ends; `offset` is where that is."""

    code = "wrong_offset"

    def __init__(self, offset: int) -> None:
        super().__init__(
            _("Part of this file arrived twice or out of order. The upload continues from the right place.")
        )
        self.offset = offset


def page_of(draft: UploadDraft, page_id: int) -> UploadPage:
    """Find a page of a draft, or 404."""
    page = draft.pages.filter(pk=page_id).first()
    if page is None:
        raise Http404
    return page


@transaction.atomic
def begin_page(
    *, draft_id: int, side: str, name: str, size_bytes: int, actor: User, sha256: str = "", is_from_phone: bool = False
) -> UploadPage:
    """Announce a page; where the same file was begun before, that one goes on.

    Who: whoever began the draft. Raises: NotAllowed, WrongState, FileRefused (size), DomainError (too many pages, sent twice).
    """
    draft = locked_draft(draft_id, actor)
    plan = plan_of(draft.kind).of_side(side)
    if plan is None:
        raise Http404
    if size_bytes > settings.UPLOAD_MAX_BYTES:
        raise intake.too_large()
    if size_bytes < 1:
        raise intake.FileRefused(_("The file is empty. Please choose it again."))
    sha256 = sha256 if SHA256.fullmatch(sha256) else ""
    pages = list(draft.pages.all())
    if sha256 and (same := next((page for page in pages if page.sha256 == sha256), None)) is not None:
        if not same.is_whole and same.side == side and same.size_bytes == size_bytes:
            return same
        raise DomainError(_("You've already added this file. Choose another one."), code="sent_before")
    _refuse_too_much(draft, [page for page in pages if page.side == side], plan.pages_max, size_bytes)
    return UploadPage.objects.create(
        draft=draft,
        side=side,
        position=1 + max((page.position for page in pages if page.side == side), default=0),
        file_name=intake.clean_name(name),
        size_bytes=size_bytes,
        sha256=sha256,
        is_from_phone=is_from_phone,
        added_at=timezone.now(),
    )


def _refuse_too_much(draft: UploadDraft, pages: list[UploadPage], pages_max: int, size_bytes: int) -> None:
    if len(pages) >= pages_max:
        raise DomainError(
            _("There's already a file here. Remove it first if you want to send another one.")
            if pages_max == 1
            else _("No more than %(count)s files fit here. Send a PDF with all pages instead.") % {"count": pages_max},
            code="pages",
        )
    announced = draft.pages.aggregate(total=Sum("size_bytes"))["total"] or 0
    if announced + size_bytes > DRAFT_FILES_WORTH * settings.UPLOAD_MAX_BYTES:
        raise DomainError(
            _("All files together are too large. Send smaller pictures, or one PDF."), code="file_too_large"
        )


@transaction.atomic
def append_chunk(*, draft_id: int, page_id: int, offset: int, content: bytes, actor: User) -> UploadPage:
    """Keep the next part of a page, sealed under the client's key. With its last part the page is whole, or is refused.

    Who: whoever began the draft. Raises: NotAllowed, WrongState, WrongOffset, StorageFull, FileRefused (kind, damage).
    """
    draft = locked_draft(draft_id, actor)
    page = page_of(draft, page_id)
    if page.is_whole or offset != page.received_bytes:
        raise WrongOffset(page.received_bytes)
    end = offset + len(content)
    if not content or end > page.size_bytes or len(content) > CHUNK_BYTES_MAX:
        raise WrongOffset(page.received_bytes)
    if len(content) < CHUNK_BYTES_MIN and end < page.size_bytes:
        raise WrongOffset(page.received_bytes)
    if offset == 0:
        intake.sniff_or_refuse(content)
    stored = store.put(client_id=draft.client_id, content=content)
    try:
        UploadChunk.objects.create(page=page, offset=offset, size_bytes=stored.size_bytes, store_key=stored.key)
        page.received_bytes = end
        page.save(update_fields=["received_bytes"])
        if end == page.size_bytes:
            _complete(draft, page)
    except BaseException:
        store.delete(stored.key)
        raise
    return page


def _complete(draft: UploadDraft, page: UploadPage) -> None:
    """Write the chunks of a page as one file, after its first bytes and its hash were compared with what was announced."""
    digest = hashlib.sha256()
    pieces = _read(draft, page, digest)
    first = next(pieces, b"")
    kind = intake.sniff_or_refuse(first)
    stored = store.put(client_id=draft.client_id, content=_chained(first, pieces))
    try:
        if page.sha256 and digest.hexdigest() != page.sha256:
            raise intake.FileRefused(_("The file changed while it was uploaded. Please choose it again."))
        if draft.pages.filter(sha256=stored.sha256).exclude(pk=page.pk).exists():
            raise DomainError(_("You've already added this file. Choose another one."), code="sent_before")
        delete_content(page)
        page.chunks.all().delete()
        page.store_key, page.content_type, page.sha256 = stored.key, kind, stored.sha256
        page.save(update_fields=["store_key", "content_type", "sha256"])
    except BaseException:
        store.delete(stored.key)
        raise
    push_live(draft.opened_by_id, event=LIVE, data={"id": draft.pk})


def _read(draft: UploadDraft, page: UploadPage, digest: hashlib._Hash) -> Iterator[bytes]:
    for key in page.chunks.order_by("offset").values_list("store_key", flat=True):
        for piece in store.stream(client_id=draft.client_id, key=key):
            digest.update(piece)
            yield piece


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def add_file(
    *, draft_id: int, side: str, file: BinaryIO, name: str, actor: User, is_from_phone: bool = False
) -> UploadPage:
    """Add a page that came in one request, from a form without script. Raises as `begin_page` and `append_chunk`."""
    raw = intake.receive(file, name=name)
    with transaction.atomic():
        page = begin_page(
            draft_id=draft_id,
            side=side,
            name=raw.file_name,
            size_bytes=len(raw.content),
            sha256=raw.sha256,
            actor=actor,
            is_from_phone=is_from_phone,
        )
        source = io.BytesIO(raw.content)
        source.seek(page.received_bytes)
        while not page.is_whole and (piece := source.read(CHUNK_BYTES_MAX)):
            page = append_chunk(
                draft_id=draft_id, page_id=page.pk, offset=page.received_bytes, content=piece, actor=actor
            )
    return page


@transaction.atomic
def drop_page(*, draft_id: int, page_id: int, actor: User) -> None:
    """Remove a page from a draft; its content is deleted. Raises: NotAllowed, WrongState."""
    draft = locked_draft(draft_id, actor)
    page = page_of(draft, page_id)
    delete_content(page)
    page.delete()
    push_live(draft.opened_by_id, event=LIVE, data={"id": draft.pk})


@transaction.atomic
def move_page(*, draft_id: int, page_id: int, to: str, actor: User) -> None:
    """Move a page one place up or down among those of its side. Raises: NotAllowed, WrongState."""
    draft = locked_draft(draft_id, actor)
    page = page_of(draft, page_id)
    pages = list(draft.pages.filter(side=page.side).order_by("position"))
    here = next(place for place, other in enumerate(pages) if other.pk == page.pk)
    there = here + PLACES[to]
    if not 0 <= there < len(pages):
        return
    other = pages[there]
    other.position, page.position = page.position, other.position
    for moved in (page, other):  # the constraint looks at the end of the transaction
        moved.save(update_fields=["position"])
