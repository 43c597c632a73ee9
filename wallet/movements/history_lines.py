"""Lines of a movement's timeline: states, checks, webhooks, journals, parts, refunds and disputes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.i18n import formats
from crm.money.amounts import Money
from wallet.choices.ledger import Layer, Phase
from wallet.choices.psp import CallOutcome, Verdict
from wallet.choices.withdrawals import CheckResult
from wallet.core.queries import AnyMovement
from wallet.models import (
    BonusGrant,
    BonusLoss,
    BonusRestoration,
    Deposit,
    Dispute,
    Posting,
    PspCall,
    WebhookMessage,
    Withdrawal,
    WithdrawalCheck,
)

RELATED_MAX = 20
CHECKS_MAX = 100
JOURNAL_WORDS: dict[str, tuple[Promise, str, str]] = {
    Phase.POSTED: (gettext_lazy("Posted to the ledger"), "book-open", "success"),
    Phase.PENDING: (gettext_lazy("Money reserved in the ledger"), "lock", "info"),
    Phase.POST: (gettext_lazy("Reservation posted"), "book-open", "success"),
    Phase.VOID: (gettext_lazy("Reservation released"), "lock-open", "neutral"),
}
CALL_TONES = {CallOutcome.ANSWERED: "info", CallOutcome.REFUSED: "warning"}
VERDICT_TONES = {Verdict.ACCEPTED: "info", Verdict.DUPLICATE: "neutral"}


@dataclass(frozen=True, slots=True)
class StoryLine:
    """kind: step, check, call, webhook, journal or related; needs: the permission without which it is no link.

    parts: the messages, (heading, text), folded; with `needs` only for those who have it.
    """

    at: dt.datetime
    kind: str
    words: Any
    icon: str
    tone: str
    actor: str = ""
    body: Sequence[str] = ()
    url: str = ""
    needs: str = ""
    parts: Sequence[tuple[str, str]] = ()


ORDER = {"step": 0, "check": 1, "call": 2, "webhook": 3, "journal": 4, "related": 5}


def merged(lines: Iterable[StoryLine]) -> list[StoryLine]:
    """Sort lines, oldest first; at one instant the step comes before what it caused."""
    return sorted(lines, key=lambda line: (line.at, ORDER[line.kind]))


def of_webhooks(webhooks: Iterable[WebhookMessage]) -> list[StoryLine]:
    """Make a line per webhook, with the result of its check."""
    return [
        StoryLine(
            webhook.received_at,
            "webhook",
            _("Webhook %(event)s") % {"event": webhook.event_type or _("without a type")},
            "webhook",
            VERDICT_TONES.get(Verdict(webhook.verdict), "danger"),
            body=_webhook_body(webhook),
            url=reverse("wallet:webhook", args=[webhook.pk]),
            needs="view_webhookmessage",
        )
        for webhook in webhooks
    ]


def of_calls(calls: Iterable[PspCall]) -> list[StoryLine]:
    """Make a line per request to the PSP: its result, its duration, and (folded) request and answer without keys."""
    return [
        StoryLine(
            call.at,
            "call",
            _("Request to %(psp)s: %(operation)s") % {"psp": call.psp, "operation": call.operation},
            "plug",
            CALL_TONES.get(CallOutcome(call.outcome), "danger"),
            body=[_call_body(call)],
            needs="view_webhookmessage",
            parts=[(head, text) for head, text in ((_("Request"), call.request), (_("Response"), call.answer)) if text],
        )
        for call in calls
    ]


def _call_body(call: PspCall) -> str:
    texts = [str(call.get_outcome_display())]
    if call.status:
        texts.append(f"HTTP {call.status}")
    return " · ".join([*texts, _("%(count)s ms") % {"count": call.milliseconds}])


def _webhook_body(webhook: WebhookMessage) -> list[str]:
    texts = [str(webhook.get_verdict_display()), str(webhook.get_state_display())]
    return [" · ".join(texts), *([webhook.outcome] if webhook.outcome else [])]


def of_postings(postings: Sequence[Posting]) -> list[StoryLine]:
    """Make a line per journal, with every account, side, amount and currency."""
    lines = []
    for _pk, group in groupby(postings, key=lambda posting: posting.journal_id):
        rows = list(group)
        journal = rows[0].journal
        words, icon, tone = JOURNAL_WORDS[journal.phase]
        lines.append(
            StoryLine(
                journal.posted_at,
                "journal",
                words,
                icon,
                tone,
                body=[_posting(row) for row in rows],
                url=reverse("wallet:journal", args=[journal.pk]),
                needs="view_journal",
            )
        )
    return lines


def _posting(row: Posting) -> str:
    side = _("debit") if row.amount_minor < 0 else _("credit")
    layer = "" if row.layer == Layer.MONEY else f" ({Layer(row.layer).label})"
    return f"{row.account}: {side} {formats.money(row.amount_abs, row.currency)}{layer}"


def of_checks(withdrawal: Withdrawal) -> list[StoryLine]:
    """Make one line of the checks: those that did not pass with their reasons."""
    rows = WithdrawalCheck.objects.filter(withdrawal__request_reference=withdrawal.request_reference)
    checks = list(rows.order_by("id")[:CHECKS_MAX])
    if not checks:
        return []
    open_ones = [check for check in checks if check.outcome != CheckResult.PASS]
    stopped = any(check.outcome == CheckResult.STOP for check in open_ones)
    words = _("%(passed)s of %(count)s checks passed") % {"passed": len(checks) - len(open_ones), "count": len(checks)}
    tone = "danger" if stopped else "warning" if open_ones else "success"
    body = [f"{check.label}: {check.reason}" for check in open_ones]
    return [StoryLine(max(check.checked_at for check in checks), "check", words, "list-checks", tone, body=body)]


def of_related(movement: AnyMovement) -> list[StoryLine]:
    """Make lines of related records: a deposit's refunds and disputes, the deposit that a refund gives back."""
    if isinstance(movement, Deposit):
        refunds = movement.refunds.defer("sealed_destination").order_by("pk")[:RELATED_MAX]
        disputes = Dispute.objects.filter(deposit=movement).defer("evidence_text").order_by("pk")[:RELATED_MAX]
        return [
            *(_refund(refund) for refund in refunds),
            *(_dispute(dispute) for dispute in disputes),
            *of_losses(dispute__deposit=movement),
        ]
    if isinstance(movement, Withdrawal) and movement.source_deposit_id:
        source = Deposit.objects.filter(pk=movement.source_deposit_id).first()
        if source is not None and source.settled_at is not None:
            words = _("Source deposit: %(reference)s, %(money)s") % {
                "reference": source.reference,
                "money": formats.money(source.money),
            }
            url = reverse("wallet:deposit", args=[source.pk])
            return [StoryLine(source.settled_at, "related", words, "wallet", "neutral", url=url, needs="view_deposit")]
    return []


def _refund(refund: Withdrawal) -> StoryLine:
    words = _("Refund %(reference)s of %(money)s: %(state)s") % {
        "reference": refund.reference,
        "money": formats.money(refund.money),
        "state": refund.get_state_display(),
    }
    url = reverse("wallet:withdrawal", args=[refund.pk])
    return StoryLine(refund.requested_at, "related", words, "undo-2", "warning", url=url, needs="view_withdrawal")


def _dispute(dispute: Dispute) -> StoryLine:
    words = _("Disputed by the client's bank: %(money)s, %(state)s") % {
        "money": formats.money(dispute.money),
        "state": dispute.get_state_display(),
    }
    url = reverse("wallet:dispute", args=[dispute.pk])
    return StoryLine(dispute.opened_at, "related", words, "gavel", "danger", url=url, needs="view_dispute")


def of_losses(**which: Any) -> list[StoryLine]:
    """Make lines of the credit that chargebacks took away, and when it was restored; one query."""
    losses = BonusLoss.objects.filter(**which).select_related("dispute", "journal", "restoration__journal", "grant")
    lines = []
    for loss in losses.order_by("pk")[:RELATED_MAX]:
        values = {
            "bonus": loss.grant.reference,
            "money": formats.money(loss.money),
            "dispute": loss.dispute.psp_dispute_id,
        }
        lines.append(
            _bonus(loss, loss, _("Bonus %(bonus)s: %(money)s removed by dispute %(dispute)s") % values, "danger")
        )
        if hasattr(loss, "restoration"):
            words = _("Bonus %(bonus)s: %(money)s restored, dispute %(dispute)s won") % values
            lines.append(_bonus(loss, loss.restoration, words, "success"))
    return lines


def _bonus(loss: BonusLoss, booked: BonusLoss | BonusRestoration, words: str, tone: str) -> StoryLine:
    url = reverse("wallet:bonus", args=[loss.grant_id])
    return StoryLine(booked.journal.posted_at, "related", words, "coins", tone, url=url, needs="view_bonusgrant")


def of_restorations(grant: BonusGrant) -> list[StoryLine]:
    """Make lines of what took a bonus's credit away and what restored it, each with its page; two queries."""
    lost = BonusLoss.objects.filter(grant=grant).select_related("dispute__deposit", "journal", "restoration__journal")
    lines = []
    for loss in lost.order_by("pk")[:RELATED_MAX]:
        values = {
            "money": formats.money(Money.of_minor(loss.amount_minor, grant.currency)),
            "dispute": loss.dispute.psp_dispute_id,
            "deposit": loss.dispute.deposit.reference,
        }
        events: list[tuple[BonusLoss | BonusRestoration, str, str]] = [
            (loss, _("%(money)s removed by dispute %(dispute)s on deposit %(deposit)s"), "danger")
        ]
        if hasattr(loss, "restoration"):
            events.append((loss.restoration, _("%(money)s restored: dispute %(dispute)s won"), "success"))
        url = reverse("wallet:dispute", args=[loss.dispute_id])
        lines += [
            StoryLine(row.journal.posted_at, "related", words % values, "gavel", tone, url=url, needs="view_dispute")
            for row, words, tone in events
        ]
    return [*lines, *_of_payments(grant)]


def _of_payments(grant: BonusGrant) -> list[StoryLine]:
    back = grant.restorations.filter(finding__isnull=False).select_related("finding__withdrawal", "journal")
    lines = []
    for restoration in back.order_by("pk")[:RELATED_MAX]:
        assert restoration.finding is not None
        withdrawal = restoration.finding.withdrawal
        words = _("%(money)s restored: %(reference)s was returned") % {
            "money": formats.money(Money.of_minor(restoration.amount_minor, grant.currency)),
            "reference": withdrawal.reference,
        }
        url = reverse("wallet:withdrawal", args=[withdrawal.pk])
        at = restoration.journal.posted_at
        lines.append(StoryLine(at, "related", words, "undo-2", "success", url=url, needs="view_withdrawal"))
    return lines
