"""What outside services send us: stored as it came, judged by its signature on the raw bytes, and answered quickly.

A message is a reason to ask, never the result: so messages that are lost, doubled, replayed or out of order change nothing that
asking would not. Each is processed once. Refused ones are all counted and few of them kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import AuditCode
from crm.connections.choices import WebhookState, WebhookVerdict
from crm.connections.models import Connection, Webhook
from crm.connections.protocol import Adapter, Judgement
from crm.errors import WrongState
from crm.models import User
from crm.queue.enqueue import enqueue_on_commit, enqueue_soon_on_commit
from crm.security import audit

BODY_BYTES_MAX: Final = 256 * 1024
REFUSED_KEPT_A_DAY: Final = 20
REFUSED_BYTES_KEPT: Final = 4 * 1024


def receive(
    model: type[Webhook],
    connection: Connection,
    *,
    adapter: Adapter,
    task: str,
    body: bytes,
    headers: Mapping[str, str],
    ip: str | None,
) -> WebhookVerdict:
    """Store a webhook's raw bytes, then judge it; `task` acts on an accepted one. Header names are lower case.

    The same message again is counted on the row of the first.
    """
    now = timezone.now()
    fields: dict[str, Any] = {"connection": connection, "received_at": now, "ip": ip}
    digest = hashlib.sha256(body).hexdigest()
    message = model._default_manager.create(body_sealed=model.sealed(body), body_sha256=digest, **fields)
    judgement = adapter.judge(body, headers, now=now)
    message.verdict, message.algorithm = judgement.verdict, judgement.algorithm
    message.message_id, message.signed_at = judgement.message_id, judgement.signed_at
    if judgement.verdict == WebhookVerdict.ACCEPTED:
        _accept(message, judgement, connection, task)
    else:
        _refuse(message, connection, body)
    return judgement.verdict


@transaction.atomic
def _refuse(message: Webhook, connection: Connection, body: bytes) -> None:
    day = message.received_at.date()
    mine = type(connection)._default_manager.filter(pk=connection.pk)
    counted = Case(When(refused_on=day, then=F("refused_count") + 1), default=Value(1))
    mine.update(refused_count=counted, refused_on=day)  # the row is locked: two at once don't share a place
    if mine.values_list("refused_count", flat=True).get() > REFUSED_KEPT_A_DAY:
        message.delete()
        return
    message.move_to(WebhookState.REFUSED)
    message.outcome, message.processed_at = str(message.get_verdict_display()), timezone.now()
    if len(body) > REFUSED_BYTES_KEPT:
        message.body_sealed = message.sealed(body[:REFUSED_BYTES_KEPT])
    message.save()


@transaction.atomic
def _accept(message: Webhook, judgement: Judgement, connection: Connection, task: str) -> None:
    assert judgement.notice is not None
    message.move_to(WebhookState.WAITING)
    message.message_id = judgement.message_id or message.body_sha256
    message.event_type, message.subject_id = judgement.notice.event_type, judgement.notice.subject_id
    message.reference, message.correlation_id = judgement.notice.reference, judgement.notice.correlation_id
    message.due_at = message.received_at
    rows = type(message)._default_manager
    try:
        with transaction.atomic():
            message.save()
    except IntegrityError:
        fields: dict[str, Any] = {"connection": connection, "message_id": message.message_id}
        rows.filter(verdict=WebhookVerdict.ACCEPTED, **fields).update(repeats=F("repeats") + 1)
        rows.filter(pk=message.pk).delete()
        return
    type(connection)._default_manager.filter(pk=connection.pk).update(last_webhook_at=message.received_at)
    enqueue_soon_on_commit(task)


def finish(message: Webhook, *, is_matched: bool, outcome: str, more: tuple[str, ...] = ()) -> None:
    """Record the outcome of a message, whose lock the caller holds. more: further fields that it has set."""
    message.move_to(WebhookState.DONE if is_matched else WebhookState.UNMATCHED)
    message.outcome, message.due_at, message.processed_at = outcome[:300], None, timezone.now()
    message.save(update_fields=["state", "outcome", "due_at", "processed_at", *more])


def retry(message: Webhook, *, brand_id: int, actor: User, action: AuditCode, task: str) -> None:
    """Have an unmatched message, whose lock the caller holds, processed once more. Raises: WrongState."""
    if message.state != WebhookState.UNMATCHED:
        raise WrongState(_("Only an unmatched message can be processed again."))
    message.move_to(WebhookState.WAITING)
    message.due_at, message.processed_at = timezone.now(), None
    message.save(update_fields=["state", "due_at", "processed_at"])
    audit.record(actor=actor, action=action, target=message, brand_id=brand_id, after={"subject": message.subject_id})
    enqueue_on_commit(task)
