"""Who may do what with a client's documents."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from clients.policies import can
from crm.models import Actor, User
from crm.security.policies import YES, Decision, no
from kyc.choices import DocumentState
from kyc.models import Document


def can_upload(user: Actor, client: Client) -> Decision:
    """Decide who may send a document: the client themselves, or staff with `kyc.send_document` in reach."""
    if user is not None and user.is_client:
        return YES if client.user_id == user.pk else no(_("This isn't your account."))
    return can(user, client, "kyc.send_document")


def can_open(user: User, document: Document) -> Decision:
    """See the document itself. Clients see that they sent it, not the file: we are not their photo album."""
    return can(user, document.client, "kyc.open_document")


def can_review(user: User, document: Document) -> Decision:
    """Claim, approve, reject: four eyes, so never a document one uploaded oneself."""
    allowed = can(user, document.client, "kyc.review_document")
    if not allowed:
        return allowed
    if document.uploaded_by_id is not None and document.uploaded_by_id == user.pk:
        return no(_("You uploaded this document, so a colleague must review it."))
    return YES


def can_decide(user: User, document: Document) -> Decision:
    """Approve or reject: the reviewer holds the claim."""
    allowed = can_review(user, document)
    if not allowed:
        return allowed
    now = timezone.now()
    if document.claimed_by_id == user.pk and document.claimed_until and document.claimed_until > now:
        return YES
    if document.is_claimed_by_other(user, now):
        return no(_("%(name)s is working on this document.") % {"name": document.claimed_by})
    return no(_("Claim the document first. An earlier claim may have expired."))


def can_undo(user: Actor, document: Document) -> Decision:
    """Decide who may undo a decision: the officer who decided, while nothing has followed from it."""
    if not document.is_undoable or document.state == DocumentState.PENDING_REVIEW:
        return no(_("The decision has taken effect and can't be undone."))
    if user is None or document.reviewed_by_id != user.pk:
        return no(_("Only the person who made the decision can undo it."))
    return can_review(user, document)
