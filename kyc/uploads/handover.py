"""Handing a draft to a phone: a QR code with a secret that works once, for minutes, and opens this one upload and nothing else.

The phone doesn't sign in. Opening the code binds the hand-over to that phone by a second secret in a cookie, so a photographed
code is worthless afterwards. Both are kept as hashes. What the phone does is done in the name of whoever handed it over.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.choices import AccessKind
from crm.db.locking import lock, lock_or_none
from crm.errors import DomainError
from crm.models import Brand, User
from crm.notices.notify import push_live
from crm.security import access_log
from kyc.audit_codes import KycAction
from kyc.models import UploadDraft, UploadHandover
from kyc.uploads.drafts import LIVE, locked_draft, note

SECRET_BYTES: Final = 24
CODE_LIFETIME: Final = dt.timedelta(minutes=10)
PHONE_LIFETIME: Final = dt.timedelta(minutes=45)
PER_HOUR_MAX: Final = 12


class HandoverProblem(DomainError):
    """The code or the phone's page opens nothing any more. `code`: broken, expired, used, revoked, finished."""

    code = "broken"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def live_handover(draft: UploadDraft) -> UploadHandover | None:
    """Find the hand-over that is in force for a draft, opened by a phone or not yet."""
    return draft.handovers.filter(revoked_at=None, finished_at=None, expires_at__gt=timezone.now()).first()


@transaction.atomic
def hand_over(*, draft_id: int, actor: User) -> tuple[UploadHandover, str]:
    """Make a code for a phone and return its secret, which is shown once; an earlier code of this draft is revoked.

    Who: whoever began the draft. Raises: NotAllowed, WrongState, DomainError (too many in an hour).
    """
    draft = locked_draft(draft_id, actor)
    now = timezone.now()
    recent = UploadHandover.objects.filter(draft__client=draft.client, created_at__gt=now - dt.timedelta(hours=1))
    if len(recent[:PER_HOUR_MAX]) >= PER_HOUR_MAX:
        raise DomainError(_("You've created too many codes in the last hour. Please upload the document here instead."))
    _revoke(draft, now)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    made = UploadHandover.objects.create(
        draft=draft, secret_hash=_hash(secret), created_by=actor, created_at=now, expires_at=now + CODE_LIFETIME
    )
    note(draft, KycAction.UPLOAD_HANDED_OVER, actor, handover=made.pk)
    return made, secret


@transaction.atomic
def revoke_handover(*, draft_id: int, actor: User) -> None:
    """End a draft's hand-over: the code and the phone's page stop working. Raises: NotAllowed, WrongState."""
    draft = locked_draft(draft_id, actor)
    if _revoke(draft, timezone.now()):
        note(draft, KycAction.UPLOAD_HANDOVER_REVOKED, actor)
        push_live(draft.opened_by_id, event=LIVE, data={"id": draft.pk})


def _revoke(draft: UploadDraft, now: dt.datetime) -> int:
    return draft.handovers.filter(revoked_at=None, finished_at=None).update(revoked_at=now)


def end_with(draft: UploadDraft, phone: UploadHandover | None) -> None:
    """Finish the hand-over through which a locked draft is sent, and revoke any other."""
    now = timezone.now()
    if phone is not None:
        draft.handovers.filter(pk=phone.pk, revoked_at=None).update(finished_at=now)
    _revoke(draft, now)


# ── the phone ────────────────────────────────────────────────────────────────────────────────────────────────────────
def peek(secret: str, *, brand: Brand) -> UploadHandover:
    """Find the hand-over of a code that a phone may still open. Raises: HandoverProblem."""
    return _checked_code(_by_secret(secret, brand).first())


@transaction.atomic
def open_on_phone(secret: str, *, brand: Brand) -> tuple[UploadHandover, str]:
    """Bind a code to the phone that opens it, and return the secret for its cookie; of two phones one gets through.

    Who: whoever has the code. Raises: HandoverProblem.
    """
    found = _checked_code(_by_secret(secret, brand).first())
    draft = lock(UploadDraft, found.draft_id, "client", "opened_by")
    row = _checked_code(lock_or_none(_by_secret(secret, brand), found.pk))
    device, now = secrets.token_urlsafe(SECRET_BYTES), timezone.now()
    row.opened_at, row.device_hash, row.expires_at = now, _hash(device), now + PHONE_LIFETIME
    row.save(update_fields=["opened_at", "device_hash", "expires_at"])
    note(draft, KycAction.UPLOAD_HANDOVER_OPENED, None, handover=row.pk)
    access_log.note(
        user=draft.opened_by,
        kind=AccessKind.VIEW,
        client_id=draft.client_id,
        brand_id=brand.pk,
        target=f"kyc.upload:{draft.pk}",
        reason="opened on a phone by QR code",
    )
    push_live(draft.opened_by_id, event=LIVE, data={"id": draft.pk})
    return row, device


def of_device(handover_id: int, device: str, *, brand: Brand) -> UploadHandover:
    """Find the hand-over that a phone's cookie is bound to, while it lasts. Raises: HandoverProblem."""
    rows = UploadHandover.objects.filter(pk=handover_id, draft__client__brand=brand)
    row = rows.select_related("draft__client__brand", "draft__opened_by").first()
    if row is None or not secrets.compare_digest(bytes(row.device_hash or b""), _hash(device)):
        raise _broken()
    if row.finished_at is not None:
        raise HandoverProblem(_("The document has been sent. You can close this page."), code="finished")
    return _checked(row)


def _by_secret(secret: str, brand: Brand) -> QuerySet[UploadHandover]:
    rows = UploadHandover.objects.filter(secret_hash=_hash(secret), draft__client__brand=brand)
    return rows.select_related("draft__client__brand", "draft__opened_by")


def _checked_code(row: UploadHandover | None) -> UploadHandover:
    if row is None:
        raise _broken()
    if row.opened_at is not None:
        raise HandoverProblem(
            _("This code was already used. Each code works once: show a new one on your computer and scan that."),
            code="used",
        )
    return _checked(row)


def _checked(row: UploadHandover) -> UploadHandover:
    draft = row.draft
    if not draft.is_open:
        raise HandoverProblem(_("This upload is finished. You can close this page."), code="finished")
    if row.revoked_at is not None or not draft.opened_by.is_active:
        raise HandoverProblem(
            _("This upload was ended on your computer. Show a new code there to continue on your phone."),
            code="revoked",
        )
    if row.expires_at <= timezone.now():
        raise HandoverProblem(_("The time is up. Show a new code on your computer and scan that."), code="expired")
    return row


def _broken() -> HandoverProblem:
    return HandoverProblem(_("This code is incomplete or unknown. Show a new one on your computer and scan that."))
