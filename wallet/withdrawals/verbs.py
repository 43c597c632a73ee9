"""Withdrawals: requested, checked, approved by one or two people, paid by the PSP.

requested ──► second approval ──► approved ──► sending ──► sent ──► settled
    │ └────────────────┴────────────►┘            │          └────► failed (money back)
    └─► rejected / cancelled (money back)         └─► unknown ──► sent / settled / failed   (looked up, never sent again)

A request is split over the sources that the money came from (`return_to_source`); its parts are decided together, and each is
paid separately. The money is reserved in the ledger with the request and stays so until the end (`payout_results`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.identifiers import learn_many
from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError, IdempotencyConflict
from crm.events import WithdrawalApproved, WithdrawalRequested, publish
from crm.i18n.localized_text import localize, phrase
from crm.models import Actor, User
from crm.money.amounts import from_minor
from crm.queue.enqueue import enqueue_on_commit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.withdrawals import CheckResult, Purpose, WithdrawalState
from wallet.core.amounts import minor_of
from wallet.core.limits import exceeds, in_base
from wallet.core.references import new_reference
from wallet.deposits.screened_payers import PAYER_HELD, is_payer_held
from wallet.ledger import posting
from wallet.models import Withdrawal, WithdrawalCheck
from wallet.withdrawals import double_payment, policies
from wallet.withdrawals.checks.money import funds
from wallet.withdrawals.checks.registry import Finding, Request, run_checks
from wallet.withdrawals.destinations import filled, hash_destination, hash_of, seal, sightings_of
from wallet.withdrawals.payout_methods import payout_method
from wallet.withdrawals.payout_results import audit_withdrawal, give_back, lock_parts, parts_of, reserve, tell_refused
from wallet.withdrawals.return_to_source import Plan, PlannedPart, plan_withdrawal


@dataclass(frozen=True, slots=True)
class WithdrawalRequest:
    """What a client asks to be paid, and where what can't go back to its source goes.

    method: the code of one of the PSP's payment methods. destination: its fields, e.g. {"iban": …, "holder": …}.
    """

    psp_id: int
    amount: Decimal
    currency: str
    destination: Mapping[str, str] = field(default_factory=dict)
    method: str = ""


class WithdrawalNotPossible(DomainError):
    """A check stopped the request; `reasons` has the sentences for the client."""

    code = "withdrawal_not_possible"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class PlanChanged(DomainError):
    """The plan differs from the one that the client agreed to."""

    code = "plan_changed"


# ── request ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def request_withdrawal(
    *, client_id: int, request: WithdrawalRequest, request_key: str, actor: Actor, shown_plan: str = ""
) -> Withdrawal:
    """Request a withdrawal for a client: split it over its sources, check it, reserve the money, release it or queue it.

    The destination is kept encrypted. shown_plan: `Plan.mark` of the plan that the client agreed to. The same request_key
    with the same request is the same withdrawal. Returns the first part.
    Who: the client, or `wallet.request_withdrawal_for_client`.
    Raises: NotAllowed, WithdrawalNotPossible, PlanChanged, DomainError (amount, method), InsufficientFunds,
    IdempotencyConflict.
    """
    client = lock(Client, client_id, "brand")
    require(policies.can_request_withdrawal(actor, client))
    amount_minor, destination = minor_of(request.amount, request.currency), filled(request.destination)
    request_hash = hash_of(
        request.psp_id, request.method, amount_minor, request.currency, hash_destination(destination)
    )
    known = Withdrawal.objects.filter(client=client, request_key=request_key).order_by("part").first()
    if known is not None:
        if known.request_hash != request_hash:
            raise IdempotencyConflict(_("This form was already submitted with different details. Start again."))
        return known
    planned = _planned(client, request)
    assert planned.plan is not None
    if planned.plan.needs_destination:
        raise DomainError(_("Enter where to send the money."))
    if shown_plan and shown_plan != planned.plan.mark:
        raise PlanChanged(_("Something has changed since you opened this page. Check it and try again."))
    return _carry_out(planned, request_hash=request_hash, request_key=request_key, actor=actor)


def preview_withdrawal(*, client_id: int, request: WithdrawalRequest, request_key: str, actor: Actor) -> Plan:
    """Compute the plan of a withdrawal for the page that shows it before it is sent; write nothing.

    Takes and raises what `request_withdrawal` does. A form that was sent already isn't checked again: its request answers it.
    """
    client = Client.objects.select_related("brand").get(pk=client_id)
    require(policies.can_request_withdrawal(actor, client))
    planned = _planned(client, request)
    assert planned.plan is not None
    if not Withdrawal.objects.filter(client=client, request_key=request_key).exists():
        _refuse_stopped(run_checks(planned))
    return planned.plan


def _planned(client: Client, request: WithdrawalRequest) -> Request:
    currency, amount_minor = request.currency, minor_of(request.amount, request.currency)
    chosen = payout_method(client, request.psp_id, request.method, currency)
    destination = filled(request.destination)
    unplanned = Request(
        client=client,
        wallet=posting.wallet_of(client, currency),
        amount_minor=amount_minor,
        currency=currency,
        chosen=chosen,
        destination=destination,
    )
    try:
        plan = plan_withdrawal(
            client, amount_minor=amount_minor, currency=currency, chosen=chosen, destination=destination
        )
    except DomainError:
        # Whoever asks for more than there is learns that first, not which payment would be too large.
        _refuse_stopped({"funds": funds(unplanned)})
        raise
    return replace(unplanned, plan=plan)


def _refuse_stopped(findings: Mapping[str, Finding]) -> None:
    stops = [finding.reason for finding in findings.values() if finding.outcome == CheckResult.STOP]
    if stops:
        raise WithdrawalNotPossible(stops)


def _carry_out(request: Request, *, request_hash: str, request_key: str, actor: Actor) -> Withdrawal:
    """Run the checks, reserve every part, store the checks' results, and release the request or queue it."""
    assert request.plan is not None
    client, brand = request.client, request.client.brand
    findings = run_checks(request)
    _refuse_stopped(findings)
    whole = in_base(brand, from_minor(request.amount_minor, request.currency), request.currency)
    reference, now = new_reference("W"), timezone.now()
    common = {
        "client": client,
        "brand": brand,
        "wallet": request.wallet,
        "currency": request.currency,
        "request_reference": reference,
        "request_key": request_key,
        "request_minor": request.amount_minor,
        "request_hash": request_hash,
        "requested_by": actor,
        "requested_at": now,
        "needs_second": exceeds(brand, whole, "withdrawal_four_eyes_minor"),
    }
    evidence = {name: [finding.outcome.value, finding.reason] for name, finding in findings.items()}
    parts = [
        _reserved(part, place, common, actor=actor, evidence=evidence if place == 1 else None)
        for place, part in enumerate(request.plan.parts, start=1)
    ]
    first = parts[0]
    _keep_findings(first, findings)
    alone = _may_go_alone(first, whole, findings)
    publish(
        WithdrawalRequested(
            client_id=client.pk,
            brand_id=brand.pk,
            withdrawal_id=first.pk,
            needs_review=not alone,
            amount=from_minor(request.amount_minor, request.currency),
            currency=request.currency,
        ),
        actor=actor,
    )
    if alone:
        for withdrawal in parts:
            withdrawal.approved_automatically = True
        release_to_psp(
            parts, actor=None, reason=localize(phrase("All checks passed and the amount is below the limit"))
        )
    return first


def _reserved(
    part: PlannedPart, place: int, common: Mapping[str, Any], *, actor: Actor, evidence: dict[str, Any] | None
) -> Withdrawal:
    """Store one part of the plan with its own reservation."""
    base = common["request_reference"]
    withdrawal = Withdrawal(
        **common,
        reference=base if place == 1 else f"{base}-{place}",
        part=place,
        psp=part.psp,
        way=part.way,
        method=part.method.row if part.method else None,
        source_deposit=part.deposit,
        amount_minor=part.amount_minor,
        return_minor=part.return_minor,
        fee_minor=part.fee_minor,
        destination_hash=part.mark,
        destination_label=part.label[:80],
        sealed_destination=seal(common["client"].pk, part.destination),
        base_amount=in_base(common["brand"], part.money.amount, part.currency),
    )
    reserve(withdrawal, actor=actor)
    withdrawal.save(force_insert=True)
    learn_many(sightings_of(withdrawal.client_id, part.destination, withdrawal.requested_at))
    audit_withdrawal(
        withdrawal,
        WalletAction.WITHDRAWAL_REQUESTED,
        actor=actor,
        after={
            "amount": str(withdrawal.money),
            "psp": part.psp.code,
            "to": withdrawal.destination_label,
            "way": part.way,
            **({"fee": str(part.fee)} if part.fee_minor else {}),
        },
        evidence=evidence,
    )
    return withdrawal


def _keep_findings(withdrawal: Withdrawal, findings: Mapping[str, Finding]) -> None:
    """Store the results of the checks, which are about the whole request, on its first part."""
    now = timezone.now()
    WithdrawalCheck.objects.bulk_create(
        [
            WithdrawalCheck(
                withdrawal=withdrawal, name=name, outcome=finding.outcome, reason=finding.reason[:300], checked_at=now
            )
            for name, finding in findings.items()
        ]
    )


def _may_go_alone(first: Withdrawal, whole: Decimal, findings: Mapping[str, Finding]) -> bool:
    """Decide whether the whole request is below the automatic and the four-eyes limit and passed every check."""
    clean = all(finding.outcome == CheckResult.PASS for finding in findings.values())
    return clean and not first.needs_second and not exceeds(first.brand, whole, "withdrawal_auto_approve_minor")


# ── decide ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def approve_withdrawal(*, withdrawal_id: int, actor: User, reason: str = "") -> Withdrawal:
    """Release a request with all its parts. Above the brand's limit the first approval asks for a second person.

    What could stop it (restrictions, identity) is checked again. Who: `wallet.approve_withdrawal` in reach, not the
    requester, and not the same person twice (also CHECKs). Raises: NotAllowed, WrongState, WithdrawalNotPossible.
    """
    parts = lock_parts(withdrawal_id)
    first = parts[0]
    for withdrawal in parts:
        require(policies.can_approve(actor, withdrawal))
    stops = stops_of(first)
    if stops:
        raise WithdrawalNotPossible(stops)
    if first.needs_second and first.state == WithdrawalState.REQUESTED:
        for withdrawal in parts:
            withdrawal.move_to(WithdrawalState.AWAITING_SECOND_APPROVAL)
            withdrawal.reviewed_by, withdrawal.reviewed_at = actor, timezone.now()
            withdrawal.save(update_fields=["state", "reviewed_by", "reviewed_at", "updated_at"])
            audit_withdrawal(withdrawal, WalletAction.WITHDRAWAL_REVIEWED, actor=actor, reason=reason)
    else:
        for withdrawal in parts:
            withdrawal.approved_by = actor
        release_to_psp(parts, actor=actor, reason=reason)
    return next(part for part in parts if part.pk == withdrawal_id)


def stops_of(withdrawal: Withdrawal, paid_already: Sequence[str] | None = None) -> list[str]:
    """List what stops a withdrawal now though it didn't when requested, as sentences for the client.

    E.g. a restriction, a lost verification, the same money paid out by another route. Funds can't: the money is reserved. A
    refund of a deposit is no withdrawal: only that the money is gone already, or that its payer may be listed, stops it.
    paid_already: this request's entry in `double_payment.refusals`, from a caller that asks for many.
    """
    if paid_already is None:
        paid_already = double_payment.refusals(parts_of(withdrawal)).get(withdrawal.request_reference, [])
        returned = withdrawal.source_deposit if withdrawal.purpose == Purpose.REFUND else None
        if returned is not None and is_payer_held(returned):
            return [*paid_already, str(PAYER_HELD)]
    if paid_already or withdrawal.purpose == Purpose.REFUND:
        return list(paid_already)
    request = Request(
        client=withdrawal.client,
        wallet=withdrawal.wallet,
        amount_minor=0,
        currency=withdrawal.currency,
        known=withdrawal,
    )
    return [
        finding.reason
        for finding in run_checks(request, only_stopping=True).values()
        if finding.outcome == CheckResult.STOP
    ]


def release_to_psp(parts: Sequence[Withdrawal], *, actor: Actor, reason: str) -> None:
    """Approve each part and queue it for the worker that sends it to its PSP."""
    for withdrawal in parts:
        withdrawal.move_to(WithdrawalState.APPROVED)
        withdrawal.approved_at = timezone.now()
        # The sweeper sends it should the worker's task be lost.
        withdrawal.next_look_up_at = withdrawal.approved_at
        withdrawal.save()
        audit_withdrawal(withdrawal, WalletAction.WITHDRAWAL_APPROVED, actor=actor, reason=reason)
        publish(
            WithdrawalApproved(
                client_id=withdrawal.client_id, brand_id=withdrawal.brand_id, withdrawal_id=withdrawal.pk
            ),
            actor=actor,
        )
        enqueue_on_commit("wallet.send_payout", withdrawal.pk)


@transaction.atomic
def reject_withdrawal(*, withdrawal_id: int, actor: Actor, reason: str) -> Withdrawal:
    """Reject the whole request with a reason that the client reads; the money is available again.

    Who: as for approving.
    """
    if not reason.strip():
        raise DomainError(_("Enter a reason. The client will see it."))
    parts = lock_parts(withdrawal_id)
    for withdrawal in parts:
        require(policies.can_reject(actor, withdrawal))
    for withdrawal in parts:
        withdrawal.rejected_by = actor
        give_back(withdrawal, WithdrawalState.REJECTED, reason=reason, actor=actor)
    tell_refused(parts, reason)
    return parts[0]


@transaction.atomic
def cancel_withdrawal(*, withdrawal_id: int, actor: Actor) -> Withdrawal:
    """Cancel the whole request for its client, as long as nobody has released it; the money is available again.

    Raises: NotAllowed.
    """
    parts = lock_parts(withdrawal_id)
    for withdrawal in parts:
        require(policies.can_cancel(actor, withdrawal))
    for withdrawal in parts:
        give_back(withdrawal, WithdrawalState.CANCELLED, reason="", actor=actor)
    tell_refused(parts, "")
    return parts[0]
