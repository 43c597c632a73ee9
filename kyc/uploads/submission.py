"""Sending a draft: its pages become one received file for each side, which a job opens and the checks examine together."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from clients.models import Client
from crm.db.locking import lock
from crm.due import cancel
from crm.errors import DomainError
from crm.models import User
from kyc import incoming
from kyc.audit_codes import KycAction
from kyc.choices import OPEN_STATES, DocumentState, Side, UploadState
from kyc.document_requests.reading import open_requests
from kyc.incoming import ReceivedPage
from kyc.models import Document, UploadDraft, UploadHandover, UploadPage
from kyc.uploads import handover
from kyc.uploads.drafts import EXPIRY, finish, locked_draft, note
from kyc.uploads.guidance import SidePlan, has_two_sides, plan_of


def sides_needed(client: Client, kind: str) -> tuple[SidePlan, ...]:
    """List the sides that a client sends now: of two-sided documents the one that is missing, was rejected or an officer asks for,
    else all."""
    plan = plan_of(kind)
    if not has_two_sides(kind):
        return plan.sides
    asked = {request.side for request in open_requests(client) if request.kind == kind and request.side}
    if asked:
        return tuple(side for side in plan.sides if side.side in asked)
    usable = Document.objects.filter(client=client, kind=kind, state__in=[*OPEN_STATES, DocumentState.APPROVED])
    there = set(usable.values_list("side", flat=True))
    return tuple(side for side in plan.sides if side.side not in there) or plan.sides


def gap_in(needed: tuple[SidePlan, ...], pages: list[UploadPage]) -> SidePlan | None:
    """Find the first side without a whole page, or with one that isn't whole yet."""
    for plan in needed:
        own = [page for page in pages if page.side == plan.side]
        if not own or not all(page.is_whole for page in own):
            return plan
    return None


@transaction.atomic
def send_draft(*, draft_id: int, actor: User, phone: UploadHandover | None = None) -> UploadDraft:
    """Send a draft's pages for checking; what the client sent before of this type and is still open is replaced once they are read.

    Who: whoever began the draft. phone: the hand-over through which it is sent. Raises: NotAllowed, WrongState, DomainError (a side
    is missing, a page isn't whole, a file was sent before, too many today).
    """
    client = lock(Client, UploadDraft.objects.values_list("client_id", flat=True).get(pk=draft_id), no_key=True)
    draft = locked_draft(draft_id, actor)
    pages = list(draft.pages.all())
    needed = sides_needed(client, draft.kind)
    gap = gap_in(needed, pages)
    if gap is not None:
        raise DomainError(
            _("A page hasn't been uploaded completely: %(side)s. Choose the file again to continue, or remove it.")
            % {"side": gap.label}
            if any(page.side == gap.side for page in pages)
            else _("Still missing: %(side)s.") % {"side": gap.label},
            code="incomplete",
        )
    for side in Side:
        own = [page for page in pages if page.side == side]
        if own:
            received = [ReceivedPage(page.store_key, page.file_name, page.size_bytes, page.sha256) for page in own]
            incoming.accept(client, kind=draft.kind, side=side, pages=received, actor=actor, country=draft.country)
    cancel(EXPIRY, draft.pk)
    handover.end_with(draft, phone)
    finish(draft, UploadState.SENT)
    note(draft, KycAction.UPLOAD_SENT, actor, pages=len(pages), handover=phone.pk if phone is not None else None)
    return draft
