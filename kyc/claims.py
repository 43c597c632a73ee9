"""Who is working on which client's documents. A claim is a lease: it ends by itself when its holder walks away."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock_all
from crm.errors import WrongState
from crm.models import Actor, User
from crm.security.policies import require
from kyc import policies
from kyc.choices import DocumentState
from kyc.documents import locked
from kyc.models import Document
from kyc.queries import queue

LEASE_MINUTES = 10


@transaction.atomic
def claim(*, document_id: int, actor: User) -> list[Document]:
    """Take a client's waiting documents, all of them, so that two officers never work on one client.

    Who: `kyc.review_document` in reach, not the uploader. Raises: NotAllowed; WrongState when a colleague has them.
    """
    document = locked(document_id)
    require(policies.can_review(actor, document))
    if document.state != DocumentState.PENDING_REVIEW:
        raise WrongState(
            _("This document isn't pending review. Its state is “%(state)s”.") % {"state": document.get_state_display()}
        )
    now = timezone.now()
    waiting = lock_all(
        Document.objects.filter(client_id=document.client_id, state=DocumentState.PENDING_REVIEW), "claimed_by"
    )
    for other in waiting:
        if other.is_claimed_by_other(actor, now):
            assert other.claimed_until is not None
            raise WrongState(
                _("%(name)s is working on this client's documents until %(time)s.")
                % {"name": other.claimed_by, "time": timezone.localtime(other.claimed_until).strftime("%H:%M")}
            )
    mine = [other for other in waiting if other.uploaded_by_id != actor.pk]
    for taken in mine:
        taken.claimed_at = taken.claimed_at if taken.claimed_by_id == actor.pk else now
        taken.claimed_by, taken.claimed_until = actor, now + dt.timedelta(minutes=LEASE_MINUTES)
        taken.save(update_fields=["claimed_by", "claimed_at", "claimed_until"])
    return mine


def claim_next(*, actor: User, after: Document | None = None) -> Document | None:
    """Claim the document that has waited longest and that nobody has; None when the queue is empty.

    after: prefer another document of the client one has just worked on.
    """
    now = timezone.now()
    free = queue(actor).filter(state=DocumentState.PENDING_REVIEW).exclude(uploaded_by=actor)
    free = free.filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=now) | Q(claimed_by=actor))
    order = ["uploaded_at", "pk"]
    candidates = list(free.filter(client_id=after.client_id).order_by(*order)[:1]) if after else []
    candidates += list(free.order_by(*order)[:5])
    for document in candidates:
        try:
            claim(document_id=document.pk, actor=actor)
        except WrongState:
            continue  # a colleague was quicker
        return document
    return None


def extend(*, document_id: int, actor: Actor) -> bool:
    """Extend the reviewer's lease while the page is open; False where it was lost meanwhile."""
    now = timezone.now()
    client_id = Document.objects.values_list("client_id", flat=True).get(pk=document_id)
    held = Document.objects.filter(client_id=client_id, claimed_by=actor, claimed_until__gt=now)
    return bool(held.update(claimed_until=now + dt.timedelta(minutes=LEASE_MINUTES)))


@transaction.atomic
def release(*, document_id: int, actor: Actor) -> None:
    """Put a client's documents back into the queue. Releasing what somebody doesn't hold does nothing."""
    document = locked(document_id)
    Document.objects.filter(client_id=document.client_id, claimed_by=actor).update(
        claimed_by=None, claimed_at=None, claimed_until=None
    )
