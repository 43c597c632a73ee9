"""One movement's whole story: what happened, told from the audit log, the webhooks and the postings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.models import AuditEvent
from wallet.choices import account_owners
from wallet.models import BonusGrant, Deposit, Dispute, Exchange, Posting, PspCall, Transfer, WebhookMessage, Withdrawal
from wallet.movements.history_lines import (
    StoryLine,
    merged,
    of_calls,
    of_checks,
    of_losses,
    of_postings,
    of_related,
    of_restorations,
    of_webhooks,
)

CALLS_MAX = 50
# action → words, icon, tone
WORDS: dict[str, tuple[Promise | str, str, str]] = {
    "wallet.deposit_started": (_("The client started the payment"), "circle-play", "neutral"),
    "wallet.deposit_pending": (_("The PSP waits for the money"), "hourglass", "info"),
    "wallet.deposit_authorised": (_("The payment was authorised"), "circle-check", "info"),
    "wallet.deposit_settled": (_("Booked into the wallet"), "wallet", "success"),
    "wallet.deposit_failed": (_("The payment failed"), "circle-x", "danger"),
    "wallet.deposit_expired": (_("The client never paid"), "clock", "neutral"),
    "wallet.deposit_held": (_("Held: what arrived is not what was meant"), "circle-pause", "warning"),
    "wallet.deposit_released": (_("Released to the wallet"), "lock-open", "success"),
    "wallet.deposit_charged_back": (_("Charged back by the client's bank"), "undo-2", "danger"),
    "wallet.deposit_cb_reversed": (_("The chargeback was reversed"), "redo-2", "success"),
    "wallet.deposit_refunded": (_("Refunded"), "undo-2", "warning"),
    "wallet.deposit_partly_refunded": (_("A part went back to the payer"), "undo-2", "warning"),
    "wallet.deposit_returned": (_("Sent back to the payer, never credited"), "undo-2", "warning"),
    "wallet.dispute_opened": (_("The payer's bank asks"), "gavel", "warning"),
    "wallet.dispute_needs_response": (_("An answer is due"), "gavel", "warning"),
    "wallet.evidence_made": (_("The evidence was made"), "file-text", "info"),
    "wallet.dispute_submitted": (_("The evidence is with the bank"), "send", "info"),
    "wallet.dispute_won": (_("Won: the money is ours again"), "circle-check", "success"),
    "wallet.dispute_lost": (_("Lost"), "circle-x", "danger"),
    "wallet.bonus_requested": (_("Asked for; a second person decides"), "user-check", "info"),
    "wallet.bonus_granted": (_("Given as credit"), "coins", "success"),
    "wallet.bonus_refused": (_("Refused"), "circle-x", "danger"),
    "wallet.bonus_released": (_("Became money in the wallet"), "lock-open", "success"),
    "wallet.bonus_burned": (_("Lost"), "undo-2", "danger"),
    "wallet.bonus_restored": (_("Held again: the payment that it was lost by came back"), "undo-2", "success"),
    "wallet.bonus_restored_by_dispute": (
        _("Held again: the chargeback that it was lost by was won"),
        "redo-2",
        "success",
    ),
    "wallet.bonus_return_open": (
        _("Its chargeback was won: two people decide what becomes of it"),
        "user-check",
        "info",
    ),
    "wallet.bonus_return_proposed": (
        _("Somebody says what becomes of it; a second person decides"),
        "user-check",
        "info",
    ),
    "wallet.bonus_return_refused": (_("What was written down was refused"), "circle-x", "warning"),
    "wallet.bonus_return_withdrawn": (_("What was written down was withdrawn"), "x", "neutral"),
    "wallet.bonus_stays_lost": (_("It stays lost: two people have said so"), "circle-x", "neutral"),
    "wallet.withdrawal_requested": (_("Requested; the money is reserved"), "hand-coins", "info"),
    "wallet.refund_requested": (_("Refund asked for; the money is reserved"), "undo-2", "info"),
    "wallet.refund_taken_back": (_("Taken back: the client did not claim it"), "undo-2", "warning"),
    "wallet.withdrawal_looked_up": (_("Looked up at the PSP"), "search", "neutral"),
    "wallet.payout_contradicted": (_("The PSP tells another end"), "triangle-alert", "danger"),
    "wallet.payout_finding_written": (_("Somebody says how it ended; a second person books it"), "search", "info"),
    "wallet.payout_finding_booked": (_("A second person agreed"), "user-check", "success"),
    "wallet.payout_finding_refused": (_("What was written down was refused"), "circle-x", "warning"),
    "wallet.payout_finding_withdrawn": (_("What was written down was withdrawn"), "x", "neutral"),
    "wallet.withdrawal_came_back": (_("It came back; the money is in the wallet again"), "undo-2", "warning"),
    "wallet.deposit_refund_came_back": (_("A refund came back: it did not reach the payer"), "undo-2", "warning"),
    "wallet.withdrawal_reviewed": (_("First approval"), "user-check", "info"),
    "wallet.withdrawal_approved": (_("Approved"), "circle-check", "success"),
    "wallet.withdrawal_sent": (_("Sent to the PSP"), "send", "info"),
    "wallet.withdrawal_unknown": (_("The PSP's answer was lost: it is looked up"), "circle-question-mark", "warning"),
    "wallet.withdrawal_settled": (_("Paid"), "banknote", "success"),
    "wallet.withdrawal_rejected": (_("Rejected; the money is in the wallet again"), "circle-x", "danger"),
    "wallet.withdrawal_cancelled": (_("Cancelled by the client"), "x", "neutral"),
    "wallet.withdrawal_failed": (_("Failed; the money is in the wallet again"), "triangle-alert", "danger"),
    "wallet.exchanged": (_("Exchanged at the quoted rate and booked"), "repeat", "success"),
    "wallet.transfer_started": (_("Started; sent to the platform"), "arrow-left-right", "info"),
    "wallet.transfer_unknown": (
        _("The platform's answer was lost: it is looked up"),
        "circle-question-mark",
        "warning",
    ),
    "wallet.transfer_settled": (_("Confirmed by the platform and booked"), "circle-check", "success"),
    "wallet.transfer_failed": (_("Refused by the platform; the money is in the wallet again"), "circle-x", "danger"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story."""

    at: dt.datetime
    words: Promise | str
    icon: str
    tone: str
    actor: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that concerns one movement, for one page."""

    steps: Sequence[Step]
    webhooks: Sequence[WebhookMessage]
    postings: Sequence[Posting]
    # What hangs on it beside these: checks, refunds, disputes.
    more: Sequence[StoryLine] = ()
    # Of a movement that stands in a queue: for going to the next one.
    kind: str = ""
    pk: int = 0

    @property
    def lines(self) -> list[StoryLine]:
        """All of it in one timeline."""
        steps = (StoryLine(one.at, "step", one.words, one.icon, one.tone, one.actor) for one in self.steps)
        return merged([*steps, *self.more, *of_webhooks(self.webhooks), *of_postings(self.postings)])


def story_of(movement: Deposit | Withdrawal | Transfer | Exchange) -> Story:
    """Steps by the audit log, webhooks by reference, postings by key, and what hangs on it: bounded, a query each."""
    kind = movement._meta.model_name
    events = (
        AuditEvent.objects.filter(target_type=movement._meta.label_lower, target_id=str(movement.pk))
        .defer("body")
        .order_by("id")[:100]
    )
    webhooks = WebhookMessage.objects.filter(reference=movement.reference).defer("body", "headers").order_by("id")[:50]
    postings = (
        Posting.objects.filter(journal__idempotency_key__startswith=f"{kind}:{movement.reference}:")
        .select_related("journal", "account__client", "account__psp")
        .order_by("journal_id", "line")[:50]
    )
    more = of_related(movement)
    if isinstance(movement, Withdrawal):
        more += of_checks(movement)
    if isinstance(movement, Deposit | Withdrawal):
        more += _calls_about(movement.reference)
    found = list(postings)
    account_owners.warm([posting.account for posting in found])
    return Story([_step(event) for event in events], list(webhooks), found, more, kind or "", movement.pk)


def _calls_about(reference: str) -> list[StoryLine]:
    return of_calls(PspCall.objects.filter(reference=reference).select_related("psp").order_by("id")[:CALLS_MAX])


def _step(event: AuditEvent) -> Step:
    words, icon, tone = WORDS.get(event.action, (event.action, "circle", "neutral"))
    return Step(event.at, words, icon, tone, event.actor_label if event.actor_id else "")


def story_of_dispute(dispute: Dispute) -> Story:
    """Its own steps and those of its deposit's money, oldest first."""
    events = (
        AuditEvent.objects.filter(target_type="wallet.dispute", target_id=str(dispute.pk)).defer("body").order_by("id")
    )
    webhooks = WebhookMessage.objects.filter(reference=dispute.deposit.reference).defer("body", "headers")
    keys = f"deposit:{dispute.deposit.reference}:chargeback"
    postings = Posting.objects.filter(journal__idempotency_key__startswith=keys).select_related(
        "journal", "account__client", "account__psp"
    )
    return Story(
        [_step(event) for event in events[:100]],
        list(webhooks.order_by("id")[:50]),
        list(postings.order_by("journal_id", "line")[:50]),
        [*_calls_about(dispute.deposit.reference), *of_losses(dispute=dispute)],
    )


def story_of_bonus(grant: BonusGrant) -> Story:
    events = (
        AuditEvent.objects.filter(target_type="wallet.bonusgrant", target_id=str(grant.pk)).defer("body").order_by("id")
    )
    postings = Posting.objects.filter(journal__idempotency_key__startswith=f"bonus:{grant.reference}:").select_related(
        "journal", "account__client", "account__psp"
    )
    return Story(
        [_step(event) for event in events[:100]],
        [],
        list(postings.order_by("journal_id", "line")[:50]),
        of_restorations(grant),
    )
