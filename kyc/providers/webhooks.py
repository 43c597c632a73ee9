"""Acting on what providers send us: a message has its check looked up, and one about an unknown applicant is kept for a person.

How messages are stored and judged: `crm.connections.webhooks`.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.connections import webhooks
from crm.connections.choices import WebhookState
from crm.db.locking import lock, lock_first, lock_or_none
from crm.models import User
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.models import ProviderCheck, ProviderMessage
from kyc.providers import policies
from kyc.providers.lookups import ask_soon

TASK: Final = "kyc.process_provider_messages"


def process_due(*, limit: int = 200) -> int:
    """Act on accepted messages that wait, the oldest first; returns how many."""
    rows = ProviderMessage.objects.filter(state=WebhookState.WAITING, due_at__lte=timezone.now())
    due = list(rows.order_by("due_at", "id").values_list("pk", flat=True)[:limit])
    return sum(process(pk) for pk in due)


@transaction.atomic
def process(message_id: int) -> bool:
    """Find the check that a message is about and have it looked up; False where another worker has done so.

    The check is locked before the message, as an erasure does.
    """
    check = _locked_check(ProviderMessage.objects.defer("body_sealed").get(pk=message_id))
    waiting = ProviderMessage.objects.filter(state=WebhookState.WAITING).defer("body_sealed")
    message = lock_or_none(waiting, message_id)
    if message is None:
        return False
    if check is not None:
        ask_soon(check)
    message.check_at_provider = check
    outcome = _("Looked up at the provider") if check is not None else _("No check of ours has this applicant")
    webhooks.finish(message, is_matched=check is not None, outcome=outcome, more=("check_at_provider",))
    return True


def _locked_check(message: ProviderMessage) -> ProviderCheck | None:
    """Find and lock a message's check, by our id, else by the provider's; also one that is decided."""
    checks = ProviderCheck.objects.filter(provider_id=message.connection_id)
    check = lock_first(checks.filter(external_id=message.reference)) if message.reference else None
    if check is None and message.subject_id:
        check = lock_first(checks.filter(applicant_id=message.subject_id))
    return check


@transaction.atomic
def retry_message(*, message_id: int, actor: User) -> ProviderMessage:
    """Process a message about an unknown applicant once more: a check may know it by now.

    Who: `kyc.review_document`, with the brand in reach as a whole. Raises: NotAllowed, WrongState.
    """
    message = lock(ProviderMessage, message_id, "connection")
    brand_id = message.connection.brand_id
    require(policies.can_read_messages(actor, brand_id))
    webhooks.retry(message, brand_id=brand_id, actor=actor, action=KycAction.PROVIDER_MESSAGE_RETRIED, task=TASK)
    return message
