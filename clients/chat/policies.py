"""Who may write in a chat, and who keeps a brand's canned answers."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from clients import policies
from clients.models import Chat
from crm.models import Actor
from crm.security.policies import YES, Decision, no, on_whole_brand

READS: Final = "clients.view_client"
ANSWERS: Final = "clients.log_call"
KEEPS_ANSWERS: Final = "clients.manage_canned_answer"


def is_own(actor: Actor, chat: Chat) -> Decision:
    """Decide whether this is the client's own chat."""
    return YES if actor is not None and actor.pk == chat.client.user_id else no(_("This chat isn't yours."))


def can_answer(actor: Actor, chat: Chat) -> Decision:
    """Decide whether the person may answer, hand over and end a chat: who works with its client."""
    return policies.can(actor, chat.client, ANSWERS)


def can_keep_answers(actor: Actor, brand_id: int) -> Decision:
    """Decide whether the person may write a brand's canned answers."""
    return on_whole_brand(actor, KEEPS_ANSWERS, brand_id)
