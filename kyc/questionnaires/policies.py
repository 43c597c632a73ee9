"""Who may do what with questionnaires and answers."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from clients.policies import can
from crm import work
from crm.models import Actor, User
from crm.security.policies import YES, Decision, no, on_whole_brand
from kyc.questionnaires.models import EnhancedReview

WRITES = "kyc.manage_questionnaires"
READS = "kyc.view_answers"
REQUESTS = "kyc.request_answers"
DECIDES = "kyc.decide_edd"


def can_write(actor: Actor, brand_id: int) -> Decision:
    """Write, propose or approve: `kyc.manage_questionnaires` on the whole brand."""
    return on_whole_brand(actor, WRITES, brand_id)


def can_answer(actor: Actor, client: Client) -> Decision:
    """Allow clients themselves: what they declare, no one declares for them."""
    return YES if actor is not None and client.user_id == actor.pk else no(_("This isn't your account."))


def can_request(actor: Actor, client: Client) -> Decision:
    """Ask a client for answers: `kyc.request_answers` in reach."""
    return can(actor, client, REQUESTS)


def can_decide(actor: User, review: EnhancedReview) -> Decision:
    """Decide an enhanced review: `kyc.decide_edd` in reach, and no colleague has claimed it."""
    allowed = can(actor, review.client, DECIDES)
    return work.may_decide(actor, review.work) if allowed else allowed
