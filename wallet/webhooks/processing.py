"""The webhook inbox: judge on the raw bytes, keep before anything is done, answer fast, act later.

What is signed right is stored with its verdict before anybody acts on it; a worker does, and only on an accepted message. The
same event a second time is noted as sent again, and changes nothing. What does not hold is counted, and kept within the limits
of `refused_webhooks`.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import time
from collections.abc import Mapping
from contextlib import nullcontext

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.notices.notify import notify, people_with
from crm.queue.enqueue import enqueue_on_commit, enqueue_soon_on_commit
from wallet.audit_codes import WalletAction
from wallet.choices.notices import WalletNotice
from wallet.choices.psp import InboxState, Verdict
from wallet.deposits import verbs as deposits
from wallet.deposits.capture import completed
from wallet.deposits.verbs import Applied
from wallet.disputes import reversals
from wallet.disputes import verbs as disputes
from wallet.models import Deposit, Psp, WebhookMessage
from wallet.psp import adapter_of
from wallet.psp.calls import about
from wallet.psp.values import EventKind, WebhookEvent
from wallet.reconciliation import announced_reports
from wallet.webhooks.refused import count_refused, headers_of_signature
from wallet.withdrawals import payout_results

logger = logging.getLogger(__name__)

BODY_BYTES_MAX = 256 * 1024
HEADERS_KEPT_MAX = 40
NEVER_KEPT = frozenset({"authorization", "cookie", "proxy-authorization"})
DISPUTE_KINDS = (EventKind.DISPUTE, EventKind.CHARGEBACK, EventKind.CHARGEBACK_REVERSED)
BACK_OFF_SECONDS = (2, 5, 15, 60, 300, 1800, 7200)


def receive_webhook(*, psp: Psp, body: bytes, headers: Mapping[str, str], ip: str | None) -> list[WebhookMessage]:
    """Store a webhook with the verdict on its raw bytes, a row per event in it; wake a worker when it is to be acted on.

    One that does not hold is counted, and stored while there is a place for it: else its row has no key.
    Where one item of several does not hold, nothing of the message does. Each row is committed on its own: what a crash
    leaves out, the PSP sends again.
    """
    now = timezone.now()
    adapter = adapter_of(psp)
    judgement = adapter.judge_webhook(body, headers, now=now)
    common = {"psp": psp, "received_at": now, "ip": ip}
    if not judgement.events:
        message = WebhookMessage(
            **common,
            headers=headers_of_signature(headers, adapter.signature_headers),
            body=body,
            verdict=judgement.verdict,
            state=InboxState.REFUSED,
            processed_at=now,
            outcome=(judgement.detail or str(Verdict(judgement.verdict).label))[:300],
        )
        if count_refused(message):
            _notify_refusal(message)
        return [message]
    return [
        _store_once(
            WebhookMessage(
                **common,
                headers=_headers_to_store(headers),
                body=body,
                item=item,
                verdict=judgement.verdict,
                event_id=event.event_id,
                event_type=event.event_type,
                reference=event.reference,
                state=InboxState.WAITING,
                due_at=now,
            )
        )
        for item, event in enumerate(judgement.events)
    ]


def _store_once(message: WebhookMessage) -> WebhookMessage:
    try:
        # One statement is a transaction already: a frame around it would be two more ways to the database and back.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            message.save(force_insert=True)
    except IntegrityError:
        message.move_to(InboxState.IGNORED)
        message.verdict = Verdict.DUPLICATE
        message.due_at, message.processed_at = None, message.received_at
        message.outcome = _("The PSP already sent this event")
        count_refused(message)
        return message
    enqueue_soon_on_commit("wallet.process_due_webhooks")
    return message


def _headers_to_store(headers: Mapping[str, str]) -> dict[str, str]:
    pairs = [(name, value[:500]) for name, value in headers.items() if name not in NEVER_KEPT]
    return dict(pairs[:HEADERS_KEPT_MAX])


def _notify_refusal(message: WebhookMessage) -> None:
    """Notify of a refused webhook, once per PSP, verdict and hour: a flood of forgeries is one notification."""
    verdict = Verdict(message.verdict)
    notify(
        people_with("wallet.view_webhookmessage", brand_id=message.psp.brand_id),
        kind=WalletNotice.WEBHOOK_REFUSED,
        title=(
            phrase("A webhook from %(psp)s was rejected: %(verdict)s") % {"psp": message.psp, "verdict": verdict.label}
        ),
        body=phrase("Nothing was changed. If this happens again, check the signing secret with the PSP."),
        url=f"/money/webhooks/{message.pk}/",
        dedupe_key=f"webhook:{message.psp_id}:{verdict.value}:{message.received_at:%Y%m%d%H}",
    )


# ── acting on it ─────────────────────────────────────────────────────────────────────────────────────────────────────


def process_webhook(message_id: int) -> str:
    """Act on one accepted message that is due, once. Two workers at the same time: one leaves it to the other."""
    state, _is_ours = _act(message_id)
    return state


def _act(message_id: int) -> tuple[str, bool]:
    """Act on a message; returns its state, and whether this worker brought it there: another may have been quicker."""
    message = WebhookMessage.objects.select_related("psp").get(pk=message_id)
    if message.state != InboxState.WAITING or (message.due_at and message.due_at > timezone.now()):
        return message.state, False
    try:
        adapter = adapter_of(message.psp)
        event = adapter.read_webhook(bytes(message.body))[message.item]
        with about(message.reference):
            if event.is_complete:
                _verify_amount_at_psp(message.psp, event)
            else:
                event = completed(message.psp, adapter, event)
        with transaction.atomic():
            waiting = WebhookMessage.objects.select_for_update(of=["self"], skip_locked=True)
            locked = waiting.filter(pk=message_id, state=InboxState.WAITING, attempts=message.attempts).first()
            if locked is None:
                return WebhookMessage.objects.values_list("state", flat=True).get(pk=message_id), False
            applied = _apply(message.psp, event)
            locked.move_to(applied.state)
            locked.outcome = applied.words[:300]
            locked.processed_at, locked.due_at, locked.attempts = timezone.now(), None, locked.attempts + 1
            locked.save(update_fields=["state", "outcome", "processed_at", "due_at", "attempts"])
            return locked.state, True
    except Exception as error:  # whatever went wrong, the message is kept and tried again
        return _try_later(message_id, error, attempts=message.attempts), True


class _Disagreement(Exception):
    """A webhook and the PSP's own API differ."""


def _verify_amount_at_psp(psp: Psp, event: WebhookEvent) -> None:
    """Look up a payment whose amount differs from the intent: the API's amount counts, not the message's."""
    if event.kind != EventKind.PAYMENT or event.payment is None:
        return
    deposit = Deposit.objects.filter(psp=psp, reference=event.reference).first()
    if deposit is None or deposits.agrees(deposit, event.payment):
        return
    if event.payment.received_minor is None and event.payment.amount_minor == deposit.amount_minor:
        return  # nothing is received yet
    view = adapter_of(psp).find_payment(
        event.reference, psp_reference=event.payment.psp_reference, session_reference=deposit.session_reference
    )
    amounts, known = (
        (event.payment.received_minor, event.payment.currency),
        (view.received_minor, view.currency) if view else (),
    )
    if amounts != known:
        if view is not None:
            deposits.apply_payment(psp_id=psp.pk, view=view)
        raise _Disagreement


def _apply(psp: Psp, event: WebhookEvent) -> Applied:
    if event.kind == EventKind.PAYMENT and event.payment is not None:
        return deposits.apply_payment(psp_id=psp.pk, view=event.payment)
    if event.kind in DISPUTE_KINDS and (event.dispute or event.payment) and event.reference:
        return disputes.apply_dispute(psp_id=psp.pk, event=event)
    if event.kind == EventKind.PAYOUT and event.transfer is not None:
        return payout_results.apply_payout(psp_id=psp.pk, view=event.transfer)
    if event.kind == EventKind.REFUND and event.transfer is not None:
        return reversals.apply_refund(psp_id=psp.pk, transfer=event.transfer)
    if event.kind == EventKind.REPORT and event.report is not None:
        return announced_reports.note(psp=psp, notice=event.report)
    if event.reference and not event.is_complete:
        return Applied(InboxState.UNMATCHED, f"The PSP does not know {event.reference}")
    return Applied(InboxState.IGNORED, f"{event.event_type} needs nothing from us")


@transaction.atomic
def _try_later(message_id: int, error: Exception, *, attempts: int) -> str:
    """Workers that tried it at the same time have used up one attempt together."""
    message = lock(WebhookMessage, message_id)
    if (message.state, message.attempts) != (InboxState.WAITING, attempts):
        return message.state
    message.attempts += 1
    if isinstance(error, _Disagreement):
        message.move_to(InboxState.REFUSED)
        message.processed_at, message.due_at = timezone.now(), None
        message.outcome = _("The PSP's API reports a different amount; the API value was used")
    elif message.attempts > len(BACK_OFF_SECONDS):
        message.move_to(InboxState.FAILED)
        message.processed_at, message.due_at = timezone.now(), None
        message.outcome = _error_text(error)
    else:
        message.due_at = timezone.now() + dt.timedelta(seconds=BACK_OFF_SECONDS[message.attempts - 1])
        message.outcome = _error_text(error)
        enqueue_on_commit("wallet.process_webhook", message_id, seconds=BACK_OFF_SECONDS[message.attempts - 1])
    if not isinstance(error, DomainError | _Disagreement):
        logger.error("webhook %s failed", message_id, exc_info=error)
    message.save(update_fields=["state", "attempts", "due_at", "processed_at", "outcome"])
    return message.state


def _error_text(error: Exception) -> str:
    return (error.message if isinstance(error, DomainError) else f"{type(error).__name__}: {error}")[:300]


def process_due_webhooks(*, seconds: float = 20) -> int:
    """Act on everything that waits, for so long; returns on how many. Several workers share what there is."""
    done, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline and (due := due_webhooks(limit=50)):
        acted = 0
        while due:
            state, is_ours = _act(due.pop(0))
            acted += state != InboxState.WAITING
            if not is_ours and due:  # another worker walks down the same list: go on somewhere else in it
                start = random.randrange(len(due))  # noqa: S311 - guessing it gains nothing
                due = due[start:] + due[:start]
        done += acted
        if not acted:  # others are at all of these
            break
    return done


def due_webhooks(*, limit: int = 200) -> list[int]:
    """List accepted messages that a crash or an absent broker left waiting."""
    return list(
        WebhookMessage.objects.filter(state=InboxState.WAITING, due_at__lte=timezone.now())
        .order_by("due_at", "id")
        .values_list("pk", flat=True)[:limit]
    )


@transaction.atomic
def try_again(*, message_id: int, actor: User) -> WebhookMessage:
    """Staff send a failed or unmatched message through once more. Who: `wallet.manage_psp` in reach."""
    from crm.security import audit
    from crm.security.policies import require
    from wallet.psp import policies

    message = lock(WebhookMessage, message_id, "psp")
    require(policies.can_manage_psp(actor, message.psp))
    if message.verdict != Verdict.ACCEPTED or message.state not in (InboxState.FAILED, InboxState.UNMATCHED):
        raise WrongState(_("Only an accepted webhook that failed or found no payment can be retried."))
    message.move_to(InboxState.WAITING)
    message.due_at, message.attempts, message.processed_at = timezone.now(), 0, None
    message.save(update_fields=["state", "due_at", "attempts", "processed_at"])
    audit.record(actor=actor, action=WalletAction.WEBHOOK_RETRIED, target=message, brand_id=message.psp.brand_id)
    enqueue_on_commit("wallet.process_webhook", message.pk)
    return message
