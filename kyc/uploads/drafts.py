"""Beginning a draft, finding one's own, and the end of those that are never sent."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import Stage
from clients.countries import country_name
from clients.models import Client
from crm.db.locking import lock
from crm.due import DueKind, cancel, declare, due
from crm.errors import DomainError, WrongState
from crm.models import Actor, DueRow, User
from crm.notices.notify import push_live
from crm.security import audit
from crm.security.policies import require
from kyc import policies, store
from kyc.audit_codes import KycAction
from kyc.choices import DocumentKind, UploadState
from kyc.models import UploadChunk, UploadDraft, UploadPage
from kyc.uploads.guidance import is_country, is_issued, plan_of
from kyc.uploads.policies import can_continue

DRAFT_HOURS: Final = 48
DRAFTS_MAX: Final = 6
LIVE: Final = "upload"


def drafts_visible_to(user: Actor) -> QuerySet[UploadDraft]:
    """List the drafts that a person began: nobody sees another's."""
    if user is None or not user.is_authenticated:
        return UploadDraft.objects.none()
    return UploadDraft.objects.filter(opened_by=user)


@transaction.atomic
def open_draft(*, client: Client, kind: str, country: str = "", actor: User) -> UploadDraft:
    """Begin a document, or go on with the open one of this type; another country is noted.

    Who: the client, also for their company's people. Raises: NotAllowed, WrongState, DomainError (no such country,
    too many drafts).
    """
    client = lock(Client, client.pk, no_key=True)
    require(policies.can_upload(actor, client))
    kind, country = DocumentKind(kind), _checked_country(kind, country)
    if client.stage == Stage.CLOSED:
        raise WrongState(_("This account is closed, so we can't accept documents for it."))
    now = timezone.now()
    drafts = {draft.kind: draft for draft in UploadDraft.objects.filter(client=client, state=UploadState.OPEN)}
    draft = drafts.get(kind)
    if draft is not None and draft.opened_by_id != actor.pk:
        raise DomainError(_("Someone else is uploading this document for you. Please try again later."))
    if draft is not None:
        draft.country = country
        draft.save(update_fields=["country"])
        return draft
    if len(drafts) >= DRAFTS_MAX:
        raise DomainError(_("You have too many unfinished uploads. Please send or discard one of them first."))
    draft = UploadDraft.objects.create(
        client=client,
        kind=kind,
        country=country,
        opened_by=actor,
        opened_at=now,
        expires_at=now + dt.timedelta(hours=DRAFT_HOURS),
    )
    due(EXPIRY, key=draft.pk, at=draft.expires_at, client_id=client.pk, brand_id=client.brand_id)
    note(draft, KycAction.UPLOAD_STARTED, actor)
    return draft


def _checked_country(kind: DocumentKind, country: str) -> str:
    if not plan_of(kind).has_country:
        return ""
    if not is_country(country):
        raise DomainError(_("Choose the country that issued the document."), code="country")
    if not is_issued(kind, country):
        raise DomainError(
            _("%(country)s doesn't issue identity cards. Choose your passport or another document.")
            % {"country": country_name(country)},
            code="country",
        )
    return country


def locked_draft(draft_id: int, actor: Actor) -> UploadDraft:
    """Lock a draft that its owner goes on with. Raises: NotFound, NotAllowed, WrongState."""
    draft = lock(UploadDraft, draft_id, "client", "opened_by")
    require(can_continue(actor, draft))
    if not draft.is_open:
        raise WrongState(_("This upload is finished. Go to Documents to see what we received."))
    return draft


@transaction.atomic
def discard_draft(*, draft_id: int, actor: User) -> UploadDraft:
    """Give up a draft; what was uploaded is deleted. Raises: NotFound, NotAllowed, WrongState."""
    draft = locked_draft(draft_id, actor)
    cancel(EXPIRY, draft.pk)
    _end(draft, UploadState.DISCARDED)
    note(draft, KycAction.UPLOAD_DISCARDED, actor)
    return draft


def _expire(row: DueRow) -> None:
    """End a draft that was never sent."""
    draft = lock(UploadDraft, int(row.key), "client", "opened_by")
    if draft.is_open:
        _end(draft, UploadState.EXPIRED)
        note(draft, KycAction.UPLOAD_EXPIRED, None)


EXPIRY = declare(
    DueKind(
        "kyc.upload_expiry",
        gettext_lazy("End of an unfinished upload"),
        handler=_expire,
        permission="kyc.view_document",
    )
)


def _end(draft: UploadDraft, state: UploadState) -> None:
    for page in draft.pages.all():
        delete_content(page)
    finish(draft, state)


def finish(draft: UploadDraft, state: UploadState) -> None:
    """Close a locked draft; its pages' rows go, and no phone adds to it any more. The page on the desk notices."""
    draft.pages.all().delete()
    draft.move_to(state)
    draft.finished_at = timezone.now()
    draft.save(update_fields=["state", "finished_at"])
    push_live(draft.opened_by_id, event=LIVE, data={"id": draft.pk})


def delete_content(page: UploadPage) -> None:
    """Delete what a page has on disk, once the transaction that drops its rows has committed."""
    keys = [page.store_key] if page.is_whole else []
    keys += UploadChunk.objects.filter(page=page).values_list("store_key", flat=True)
    for key in keys:
        transaction.on_commit(partial(store.delete, key))


def note(draft: UploadDraft, action: KycAction, actor: Actor, **evidence: object) -> None:
    """Write one act on a draft into the audit log."""
    audit.record(
        actor=actor,
        action=action,
        target=draft,
        client_id=draft.client_id,
        brand_id=draft.client.brand_id,
        after={"kind": draft.kind, "country": draft.country, "state": draft.state},
        evidence=evidence or None,
    )
