"""The whole history of one movement, from the audit log, the webhooks and the postings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from crm import audit_codes
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


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the history."""

    at: dt.datetime
    label: str
    icon: str
    tone: str
    actor: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that concerns one movement, for one page."""

    steps: Sequence[Step]
    webhooks: Sequence[WebhookMessage]
    postings: Sequence[Posting]
    # Related records: checks, refunds, disputes.
    more: Sequence[StoryLine] = ()
    # The kind and id of a movement in a queue, for the link to the next one.
    kind: str = ""
    pk: int = 0

    @property
    def lines(self) -> list[StoryLine]:
        """All of it in one timeline."""
        steps = (StoryLine(step.at, "step", step.label, step.icon, step.tone, step.actor) for step in self.steps)
        return merged([*steps, *self.more, *of_webhooks(self.webhooks), *of_postings(self.postings)])


def story_of(movement: Deposit | Withdrawal | Transfer | Exchange) -> Story:
    """Read a movement's history: audit entries, webhooks by reference, postings by key, related records.

    Bounded: one query each.
    """
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
    rows = list(postings)
    account_owners.warm([posting.account for posting in rows])
    return Story([_step(event) for event in events], list(webhooks), rows, more, kind or "", movement.pk)


def _calls_about(reference: str) -> list[StoryLine]:
    return of_calls(PspCall.objects.filter(reference=reference).select_related("psp").order_by("id")[:CALLS_MAX])


def _step(event: AuditEvent) -> Step:
    code = audit_codes.find(event.action)
    icon, tone = (code.icon, code.tone) if code else ("circle", "neutral")
    actor = event.actor_label if event.actor_id else ""
    return Step(event.at, audit_codes.label_of(event.action), icon, tone, actor)


def story_of_dispute(dispute: Dispute) -> Story:
    """Read a dispute's history with its deposit's postings, oldest first."""
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
    """Read a bonus's history: audit entries, postings by key, and what was lost and restored."""
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
