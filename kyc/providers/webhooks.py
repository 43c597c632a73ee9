"""What providers send us: stored as it came, judged by its signature on the raw bytes, and answered quickly.

A message is a reason to look, never the result itself: processing it finds our check and has it looked up at the provider. So
messages that are lost, doubled, replayed or out of order change nothing that a look-up would not. One about an applicant that
none of our checks knows is kept for a person. Refused ones are all counted and few of them kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock, lock_first, lock_or_none
from crm.errors import WrongState
from crm.models import User
from crm.queue.enqueue import enqueue_on_commit, enqueue_soon_on_commit
from crm.security import audit, crypto
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.models import KycProvider, ProviderCheck, ProviderMessage
from kyc.models.providers import MESSAGE_PURPOSE
from kyc.providers import policies
from kyc.providers.adapters import adapter_of
from kyc.providers.choices import MessageState, MessageVerdict
from kyc.providers.lookups import ask_soon
from kyc.providers.protocol import Judgement

BODY_BYTES_MAX: Final = 256 * 1024
REFUSED_KEPT_A_DAY: Final = 20
REFUSED_BYTES_KEPT: Final = 4 * 1024
COUNT_REFUSED: Final = """
UPDATE kyc_kycprovider SET refused_count = CASE WHEN refused_on = %(day)s THEN refused_count + 1 ELSE 1 END,
  refused_on = %(day)s WHERE id = %(provider)s RETURNING refused_count
"""


def receive_message(
    *, provider: KycProvider, body: bytes, headers: Mapping[str, str], ip: str | None
) -> MessageVerdict:
    """Judge a webhook on its raw bytes and store it; a worker acts on an accepted one. Header names are lower case.

    The same message again is counted on the row of the first.
    """
    judgement = adapter_of(provider).judge(body, headers, allowed=provider.webhook_algorithms)
    message = _message(provider, body, judgement, ip)
    if judgement.verdict != MessageVerdict.ACCEPTED:
        _keep_refused(message, body)
    else:
        _keep_accepted(message)
    return judgement.verdict


def _message(provider: KycProvider, body: bytes, judgement: Judgement, ip: str | None) -> ProviderMessage:
    now, notice = timezone.now(), judgement.notice
    accepted = judgement.verdict == MessageVerdict.ACCEPTED
    fields: dict[str, Any] = {}
    if notice is not None:
        fields = {
            "event_type": notice.event_type,
            "applicant_id": notice.applicant_id,
            "external_id": notice.external_id,
            "correlation_id": notice.correlation_id,
        }
    return ProviderMessage(
        provider=provider,
        received_at=now,
        body_sealed=_sealed(body if accepted else body[:REFUSED_BYTES_KEPT]),
        body_sha256=hashlib.sha256(body).hexdigest(),
        algorithm=judgement.algorithm,
        ip=ip,
        verdict=judgement.verdict,
        state=MessageState.WAITING if accepted else MessageState.REFUSED,
        due_at=now if accepted else None,
        processed_at=None if accepted else now,
        outcome="" if accepted else str(judgement.verdict.label),
        **fields,
    )


def _sealed(body: bytes) -> bytes:
    return crypto.encrypt(body, purpose=MESSAGE_PURPOSE)


@transaction.atomic
def _keep_refused(message: ProviderMessage, body: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COUNT_REFUSED, {"day": message.received_at.date(), "provider": message.provider_id})
        (count,) = cursor.fetchone()  # the row is locked: two at once don't share a place
    if count <= REFUSED_KEPT_A_DAY:
        message.save(force_insert=True)


@transaction.atomic
def _keep_accepted(message: ProviderMessage) -> None:
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        known = ProviderMessage.objects.filter(
            provider=message.provider, body_sha256=message.body_sha256, verdict=MessageVerdict.ACCEPTED
        )
        known.update(repeats=F("repeats") + 1)
        return
    KycProvider.objects.filter(pk=message.provider_id).update(last_webhook_at=message.received_at)
    enqueue_soon_on_commit("kyc.process_provider_messages")


def process_due(*, limit: int = 200) -> int:
    """Act on accepted messages that wait, the oldest first; returns how many."""
    rows = ProviderMessage.objects.filter(state=MessageState.WAITING, due_at__lte=timezone.now())
    due = list(rows.order_by("due_at", "id").values_list("pk", flat=True)[:limit])
    return sum(process(pk) for pk in due)


@transaction.atomic
def process(message_id: int) -> bool:
    """Find the check that a message is about and have it looked up; False where another worker has done so.

    The check is locked before the message, as an erasure does.
    """
    check = _locked_check(ProviderMessage.objects.defer("body_sealed").get(pk=message_id))
    waiting = ProviderMessage.objects.filter(state=MessageState.WAITING).defer("body_sealed")
    message = lock_or_none(waiting, message_id)
    if message is None:
        return False
    if check is not None:
        ask_soon(check)
    message.move_to(MessageState.DONE if check is not None else MessageState.UNMATCHED)
    message.check_at_provider, message.due_at, message.processed_at = check, None, timezone.now()
    message.outcome = _("Looked up at the provider") if check is not None else _("No check of ours has this applicant")
    message.save(update_fields=["state", "check_at_provider", "due_at", "processed_at", "outcome"])
    return True


def _locked_check(message: ProviderMessage) -> ProviderCheck | None:
    """Find and lock a message's check, by our id, else by the provider's; also one that is decided."""
    checks = ProviderCheck.objects.filter(provider_id=message.provider_id)
    check = lock_first(checks.filter(external_id=message.external_id)) if message.external_id else None
    if check is None and message.applicant_id:
        check = lock_first(checks.filter(applicant_id=message.applicant_id))
    return check


@transaction.atomic
def retry_message(*, message_id: int, actor: User) -> ProviderMessage:
    """Process a message about an unknown applicant once more: a check may know it by now.

    Who: `kyc.review_document`, with the brand in reach as a whole. Raises: NotAllowed, WrongState.
    """
    message = lock(ProviderMessage, message_id, "provider")
    require(policies.can_read_messages(actor, message.provider.brand_id))
    if message.state != MessageState.UNMATCHED:
        raise WrongState(_("Only a message about an unknown applicant can be retried."))
    message.move_to(MessageState.WAITING)
    message.due_at, message.processed_at = timezone.now(), None
    message.save(update_fields=["state", "due_at", "processed_at"])
    audit.record(
        actor=actor,
        action=KycAction.PROVIDER_MESSAGE_RETRIED,
        target=message,
        brand_id=message.provider.brand_id,
        after={"applicant": message.applicant_id},
    )
    enqueue_on_commit("kyc.process_provider_messages")
    return message
