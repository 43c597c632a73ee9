"""Who may do what with a client's documents."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from clients.policies import can
from crm import work
from crm.models import Actor, User
from crm.security.policies import YES, Decision, no
from kyc.choices import DocumentState, SecondLookState
from kyc.models import Document, SecondLook

OPEN = DocumentState.PENDING_REVIEW
# Who settles what two readers disagree on.
SETTLES = "crm.manage_work"


def can_upload(user: Actor, client: Client) -> Decision:
    """Decide who may send a document: the client, also for their company's people, or staff with `kyc.send_document`.

    A person of a company who has a login of their own sends theirs with that.
    """
    if user is not None and user.is_client:
        is_own = client.user_id == user.pk or (
            client.user_id is None and client.companies.filter(left_at=None, company__client__user=user).exists()
        )
        return YES if is_own else no(_("This isn't your account."))
    return can(user, client, "kyc.send_document")


def can_open(user: User, document: Document) -> Decision:
    """See the document itself. Clients see that they sent it, not the file: we are not their photo album."""
    return can(user, document.client, "kyc.open_document")


def can_review(user: Actor, document: Document) -> Decision:
    """Claim, approve, reject: four eyes, so never a document one uploaded oneself."""
    allowed = can(user, document.client, "kyc.review_document")
    if not allowed:
        return allowed
    if document.uploaded_by_id is not None and document.uploaded_by_id == getattr(user, "pk", None):
        return no(_("You uploaded this document, so a colleague must review it."))
    return YES


def can_decide(user: Actor, document: Document) -> Decision:
    """Approve or reject: the reviewer holds the claim."""
    allowed = can_review(user, document)
    if not allowed:
        return allowed
    readers = SecondLook.objects.filter(document=document, state=SecondLookState.DISAGREED, asked_by__isnull=False)
    split = readers.values_list("asked_by", "decided_by").first() if document.state == OPEN else None
    if split is not None and (getattr(user, "pk", None) in split or not user.has_perm(SETTLES)):  # type: ignore[union-attr]
        return no(_("Two officers disagree about this document: a head decides."))
    return work.may_decide(user, document.work) if document.work else no(_("This document isn't pending review."))
