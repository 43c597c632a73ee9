"""Approve many withdrawals with one confirmation: a preview of what would happen, then exactly that.

Each request is approved in a transaction of its own and only when it is exactly as the preview showed it. The same
preview confirmed twice is one batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.i18n.localized_text import localize, phrase
from crm.models import User
from crm.money.amounts import Money
from crm.security.policies import require_permission
from wallet.choices.withdrawals import WithdrawalRoute, WithdrawalState
from wallet.ledger import posting
from wallet.models import Account, ApprovalBatch, Psp, Withdrawal
from wallet.withdrawals import double_payment, policies
from wallet.withdrawals.destinations import hash_of
from wallet.withdrawals.payout_results import lock_parts
from wallet.withdrawals.verbs import approve_withdrawal, stops_of

BATCH_MAX = 100
FIRST, RELEASE = "first", "release"


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One request: what an approval now would do (`plan`), or why it is not possible for this person."""

    withdrawal: Withdrawal
    parts: Sequence[Withdrawal]
    mark: str
    plan: str = ""
    refusals: Sequence[str] = ()
    looks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PspTotal:
    """What would be paid through one PSP in one currency, and what it holds for us by our books."""

    psp: Psp
    leaves: Money
    holds: Money
    is_covered: bool


def preview(withdrawals: Iterable[Withdrawal], *, actor: User) -> list[PreviewLine]:
    """Compute what approving these requests would do now, one line per request, at most BATCH_MAX.

    Who: `wallet.approve_withdrawal`; each line has what the actor may. Raises: NotAllowed.
    """
    require_permission(actor, "wallet.approve_withdrawal")
    references = list(dict.fromkeys(row.request_reference for row in withdrawals))[:BATCH_MAX]
    rows = (
        Withdrawal.objects.filter(request_reference__in=references)
        .select_related("client__brand", "brand", "psp", "wallet")
        .defer("sealed_destination")
        .prefetch_related("checks")
        .order_by("pk")
    )
    requests: dict[str, list[Withdrawal]] = defaultdict(list)
    for row in rows:
        requests[row.request_reference].append(row)
    paid_already = double_payment.refusals([part for parts in requests.values() for part in parts])
    return [_line(requests[reference], actor, paid_already.get(reference, [])) for reference in references]


def _line(parts: list[Withdrawal], actor: User, paid_already: Sequence[str]) -> PreviewLine:
    first = parts[0]
    mark = mark_of_request(parts)
    looks = [check.reason for check in first.checks.all() if check.outcome != "pass"]
    decision = policies.can_approve(actor, first)
    refusals = [decision.reason] if not decision else stops_of(first, paid_already)
    if refusals:
        return PreviewLine(first, parts, mark, refusals=refusals, looks=looks)
    plan = FIRST if first.needs_second and first.state == WithdrawalState.REQUESTED else RELEASE
    return PreviewLine(first, parts, mark, plan=plan, looks=looks)


def mark_of_request(parts: Sequence[Withdrawal]) -> str:
    """Hash a request's state, amounts and last changes, to detect that it differs from the preview."""
    return hash_of(*((part.pk, part.state, part.amount_minor, part.updated_at.isoformat()) for part in parts))


def totals(lines: Sequence[PreviewLine]) -> list[PspTotal]:
    """Sum what the lines that release would pay, per PSP and currency, beside the PSP's balance in our books."""
    sums: dict[tuple[int, str], int] = defaultdict(int)
    psps: dict[int, Psp] = {}
    for line in lines:
        for part in line.parts if line.plan == RELEASE else ():
            psps[part.psp_id] = part.psp
            sums[part.psp_id, part.currency] += part.payout_minor
    accounts = Account.objects.filter(psp_id__in=psps, kind="psp_clearing")
    known = {(account.psp_id, account.currency): account.pk for account in accounts}
    held = posting.balances(known.values()) if known else {}
    sums_by_psp = []
    for (psp, currency), minor in sorted(sums.items(), key=lambda item: (psps[item[0][0]].name, item[0][1])):
        holds = -held.get(known.get((psp, currency), 0), 0)  # a clearing account: what the PSP holds for us is negative
        sums_by_psp.append(
            PspTotal(psps[psp], Money.of_minor(minor, currency), Money.of_minor(holds, currency), minor <= holds)
        )
    return sums_by_psp


def currency_totals(lines: Sequence[PreviewLine]) -> list[Money]:
    """Sum the lines that can be approved, one amount per currency."""
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.plan:
            sums[line.withdrawal.currency] += line.withdrawal.request_minor
    return [Money.of_minor(minor, currency) for currency, minor in sorted(sums.items())]


def confirm(*, key: str, marks: Mapping[int, str], actor: User) -> ApprovalBatch:
    """Approve what the preview showed: {first part's id: its mark}. Not in a transaction: each request has its own.

    The same key again is the same batch and does nothing. Who: `wallet.approve_withdrawal`, and per request as for one.
    """
    require_permission(actor, "wallet.approve_withdrawal")
    if not marks or len(marks) > BATCH_MAX:
        raise DomainError(_("Choose between 1 and %(most)s withdrawals.") % {"most": BATCH_MAX})
    rows = Withdrawal.objects.filter(pk__in=marks).order_by("pk").values_list("pk", "reference")
    lines = [
        {"withdrawal": pk, "reference": reference, "mark": marks[pk], "result": "", "words": ""}
        for pk, reference in rows
    ]
    try:
        with transaction.atomic():
            batch = ApprovalBatch.objects.create(key=key, actor=actor, lines=lines, created_at=timezone.now())
    except IntegrityError:
        return ApprovalBatch.objects.get(key=key, actor=actor)
    for line in lines:
        line["result"], line["words"] = _approve(line, actor)
        ApprovalBatch.objects.filter(pk=batch.pk).update(lines=lines)
    batch.lines, batch.finished_at = lines, timezone.now()
    batch.save(update_fields=["lines", "finished_at"])
    return batch


def _approve(line: Mapping[str, Any], actor: User) -> tuple[str, str]:
    """Approve one line of a batch, only as it was shown; return the result's code and its sentence."""
    try:
        with transaction.atomic():
            parts = lock_parts(line["withdrawal"])
            if mark_of_request(parts) != line["mark"]:
                return "changed", _("It has changed since the preview. Nothing was done; review it again.")
            done = approve_withdrawal(withdrawal_id=parts[0].pk, actor=actor, reason=localize(phrase("Batch approval")))
    except DomainError as error:
        return "refused", error.message
    if done.state == WithdrawalState.AWAITING_SECOND_APPROVAL:
        return FIRST, _("First approval recorded. Awaiting second approval.")
    ways = {part.way for part in parts}
    return RELEASE, _("Released to the PSP.") if ways != {WithdrawalRoute.REFUND} else _(
        "Released as a refund to its source."
    )
