"""Who may overturn what the machine approved, look a second time, and see or change the policy."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from clients.policies import can
from crm.models import Actor, User
from crm.security.policies import YES, Decision, no, on_whole_brand
from kyc import policies
from kyc.choices import DocumentState
from kyc.models import Document, SecondLook

RIGHT: Final = "crm.manage_identity_policies"


def sees_policy(user: User) -> bool:
    """Whether a person reads the policy and its figures: who may open documents, or sets the policy."""
    return user.has_perm("kyc.open_document") or user.has_perm(RIGHT)


def can_change_policy(actor: Actor, brand_id: int) -> Decision:
    """Propose or decide a version: the right on identity policies, on the whole brand."""
    return on_whole_brand(actor, RIGHT, brand_id)


def can_overturn(user: Actor, document: Document) -> Decision:
    """Reject what was approved automatically: a reviewer who didn't upload it."""
    allowed = policies.can_review(user, document)
    if not allowed:
        return allowed
    if document.state != DocumentState.APPROVED or document.decided_by_policy_id is None:
        return no(_("This document wasn't approved automatically, or is no longer approved."))
    return YES


def can_look(user: Actor, look: SecondLook) -> Decision:
    """Claim and decide a second look: a reviewer who didn't upload the document."""
    allowed = can(user, look.document.client, "kyc.review_document")
    if allowed and look.asked_by_id is not None and look.asked_by_id == getattr(user, "pk", None):
        return no(_("You asked for the second reader, so a colleague must be it."))
    return policies.can_review(user, look.document) if allowed else allowed
