"""Money out: requested, checked, approved by one or two people, paid by the PSP.

requested ──► second look ──► approved ──► sending ──► sent ──► settled
    │ └──────────────┴──────────►┘            │          └────► failed (money back)
    └─► rejected / cancelled (money back)     └─► unknown ──► sent / settled / failed   (looked up, never sent again)

The money is reserved in the ledger with the request and stays so until the end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm import audit, crypto
from crm.errors import DomainError, IdempotencyConflict, WrongState
from crm.events import WithdrawalApproved, WithdrawalRefused, WithdrawalRequested, WithdrawalSettled, publish
from crm.money import from_minor
from crm.notify import notify, people_with
from crm.policies import require
from crm.wake import wake_on_commit
from wallet import ledger, policies
from wallet.amounts import minor_of
from wallet.checks import Finding, Request, run_checks
from wallet.choices import (
    WITHDRAWAL_TRANSITIONS,
    InboxState,
    JournalKind,
    MovementKind,
    Outcome,
    WithdrawalState,
)
from wallet.deposits import Applied
from wallet.ledger import Entry, Line
from wallet.limits import exceeds, in_base
from wallet.models import Psp, PspMovement, Withdrawal, WithdrawalCheck
from wallet.psp.base import TransferStatus, TransferView
from wallet.references import new_reference

DESTINATION_FIELDS_MAX = 12


class WithdrawalNotPossible(DomainError):
    """A check stopped the request; `reasons` says which, in words for the client."""

    code = "withdrawal_not_possible"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


# ── request ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def request_withdrawal(
    *,
    client_id: int,
    psp_id: int,
    amount: Decimal,
    currency: str,
    destination: Mapping[str, str],
    request_key: str,
    actor: Any,
) -> Withdrawal:
    """The client asks for money: checks run, the amount is reserved, and either it goes at once or a person decides.

    destination: where it goes, e.g. {"iban": …, "holder": …} or {"card": "•••• 4242"}; kept encrypted. The same
    request_key with the same wish is the same withdrawal. Who: the client, or `wallet.request_withdrawal_for_client`.
    Raises: NotAllowed, WithdrawalNotPossible, DomainError (amount, method), InsufficientFunds, IdempotencyConflict.
    """
    client = Client.objects.select_for_update(of=["self"]).select_related("brand").get(pk=client_id)
    require(policies.can_request_withdrawal(actor, client))
    psp = Psp.objects.get(pk=psp_id, brand_id=client.brand_id)
    amount_minor = minor_of(amount, currency)
    mark = destination_mark(destination)
    known = Withdrawal.objects.filter(client=client, request_key=request_key).first()
    if known is not None:
        if (known.psp_id, known.amount_minor, known.currency, known.destination_mark) != (
            psp.pk, amount_minor, currency, mark,
        ):  # fmt: skip
            raise IdempotencyConflict(_("This form was already sent with another wish. Start again."))
        return known
    _check_method(psp, currency, destination)
    wallet = ledger.wallet_of(client, currency)
    findings = run_checks(Request(client, wallet, psp, amount_minor, currency, mark))
    stops = [finding.reason for finding in findings.values() if finding.outcome == Outcome.STOP]
    if stops:
        raise WithdrawalNotPossible(stops)
    withdrawal = _reserved(
        Withdrawal(
            client=client, brand=client.brand, psp=psp, wallet=wallet, reference=new_reference("W"),
            request_key=request_key, amount_minor=amount_minor, currency=currency, destination_mark=mark,
            base_amount=in_base(client.brand, amount, currency), requested_by=actor, requested_at=timezone.now(),
        ),
        destination=destination, findings=findings,
    )  # fmt: skip
    automatic = _may_go_alone(withdrawal, findings)
    publish(
        WithdrawalRequested(
            client_id=client.pk, brand_id=client.brand_id, withdrawal_id=withdrawal.pk, amount=amount, currency=currency,
            needs_review=not automatic,
        )
    )  # fmt: skip
    if automatic:
        withdrawal.approved_automatically = True
        _release_to_psp(withdrawal, actor=None, reason=_("Every check passed and the amount is below the limit"))
    return withdrawal


def _reserved(withdrawal: Withdrawal, *, destination: Mapping[str, str], findings: Mapping[str, Finding]) -> Withdrawal:
    """Set the money aside, and keep the request with where it goes and what the checks said."""
    client, psp, actor = withdrawal.client, withdrawal.psp, withdrawal.requested_by
    clearing = ledger.psp_clearing(psp, withdrawal.currency)
    reservation = ledger.reserve(
        Entry(
            key=f"withdrawal:{withdrawal.reference}:reserve",
            kind=JournalKind.WITHDRAWAL,
            brand_id=client.brand_id,
            lines=(Line(withdrawal.wallet, -withdrawal.amount_minor), Line(clearing, withdrawal.amount_minor)),
            description=f"{withdrawal.reference} {psp}",
        ),
        actor=actor,
    )
    withdrawal.reservation_id = reservation.journal_id
    withdrawal.sealed_destination = crypto.encrypt_for_client(client.pk, json.dumps(dict(destination)).encode())
    withdrawal.destination_label = destination_label(destination)
    withdrawal.needs_second = exceeds(withdrawal.brand, withdrawal.base_amount, "withdrawal_four_eyes_minor")
    withdrawal.save(force_insert=True)
    _keep_findings(withdrawal, findings)
    _audit(
        withdrawal, "wallet.withdrawal_requested", actor=actor,
        after={"amount": str(withdrawal.money), "psp": psp.code, "to": withdrawal.destination_label},
        evidence={name: [finding.outcome.value, finding.reason] for name, finding in findings.items()},
    )  # fmt: skip
    return withdrawal


def _check_method(psp: Psp, currency: str, destination: Mapping[str, str]) -> None:
    if not (psp.is_enabled and psp.pays_out and currency in psp.currencies):
        raise DomainError(_("%(psp)s does not pay out in %(currency)s.") % {"psp": psp, "currency": currency})
    filled = {name: value for name, value in destination.items() if value.strip()}
    if not filled or len(filled) > DESTINATION_FIELDS_MAX:
        raise DomainError(_("Say where the money should go."))


def destination_mark(destination: Mapping[str, str]) -> str:
    """Tells one destination from another without holding it: a keyed hash of its normalised fields."""
    text = json.dumps({name: "".join(value.split()).lower() for name, value in sorted(destination.items())})
    return hashlib.blake2b(text.encode(), key=crypto.derived_key("destination-mark"), digest_size=16).hexdigest()


def destination_label(destination: Mapping[str, str]) -> str:
    """For people: the kind and the last four characters."""
    names = {"iban": "IBAN", "card": _("Card"), "address": _("Wallet address"), "account": _("Account")}
    for field, name in names.items():
        value = "".join(destination.get(field, "").split())
        if value:
            return f"{name} •••• {value[-4:]}"
    value = "".join(next(iter(destination.values())).split())
    return f"•••• {value[-4:]}"


def destination_of(withdrawal: Withdrawal) -> dict[str, str]:
    """Where it goes, in the clear; for the payout and for people who may see it."""
    return json.loads(crypto.decrypt_for_client(withdrawal.client_id, bytes(withdrawal.sealed_destination)))


def _keep_findings(withdrawal: Withdrawal, findings: Mapping[str, Finding]) -> None:
    now = timezone.now()
    WithdrawalCheck.objects.bulk_create(
        [
            WithdrawalCheck(
                withdrawal=withdrawal, name=name, outcome=finding.outcome, reason=finding.reason[:300], checked_at=now
            )
            for name, finding in findings.items()
        ]
    )


def _may_go_alone(withdrawal: Withdrawal, findings: Mapping[str, Finding]) -> bool:
    """Below the brand's automatic limit, below the four-eyes limit, and every check passed."""
    clean = all(finding.outcome == Outcome.PASS for finding in findings.values())
    return (
        clean
        and not withdrawal.needs_second
        and not exceeds(withdrawal.brand, withdrawal.base_amount, "withdrawal_auto_approve_minor")
    )


# ── decide ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def approve_withdrawal(*, withdrawal_id: int, actor: Any, reason: str = "") -> Withdrawal:
    """Release a withdrawal. Above the brand's limit the first approval asks for a second person, the second releases.

    What could stop it (restrictions, identity) is looked at again. Who: `wallet.approve_withdrawal` in reach, not the
    requester, and not the same person twice (also CHECKs). Raises: NotAllowed, WrongState, WithdrawalNotPossible.
    """
    withdrawal = lock_withdrawal(withdrawal_id)
    require(policies.can_approve(actor, withdrawal))
    _look_again(withdrawal)
    if withdrawal.needs_second and withdrawal.state == WithdrawalState.REQUESTED:
        move_to(withdrawal, WithdrawalState.SECOND_LOOK)
        withdrawal.reviewed_by, withdrawal.reviewed_at = actor, timezone.now()
        withdrawal.save(update_fields=["state", "reviewed_by", "reviewed_at", "updated_at"])
        _audit(withdrawal, "wallet.withdrawal_reviewed", actor=actor, reason=reason)
        return withdrawal
    withdrawal.approved_by = actor
    _release_to_psp(withdrawal, actor=actor, reason=reason)
    return withdrawal


def _look_again(withdrawal: Withdrawal) -> None:
    """Restrictions or a lost verification since the request stop it still; the money is reserved, so funds can't."""
    request = Request(
        withdrawal.client, withdrawal.wallet, withdrawal.psp, 0, withdrawal.currency, withdrawal.destination_mark
    )
    stops = [finding.reason for finding in run_checks(request).values() if finding.outcome == Outcome.STOP]
    if stops:
        raise WithdrawalNotPossible(stops)


def _release_to_psp(withdrawal: Withdrawal, *, actor: Any, reason: str) -> None:
    move_to(withdrawal, WithdrawalState.APPROVED)
    withdrawal.approved_at = timezone.now()
    # The sweeper sends it should the worker that is woken now never come.
    withdrawal.next_look_up_at = withdrawal.approved_at
    withdrawal.save()
    _audit(withdrawal, "wallet.withdrawal_approved", actor=actor, reason=reason)
    publish(
        WithdrawalApproved(client_id=withdrawal.client_id, brand_id=withdrawal.brand_id, withdrawal_id=withdrawal.pk)
    )
    wake_on_commit("wallet.send_payout", withdrawal.pk)


@transaction.atomic
def reject_withdrawal(*, withdrawal_id: int, actor: Any, reason: str) -> Withdrawal:
    """Say no, with a reason that the client reads; the money is available again. Who: as for approving."""
    if not reason.strip():
        raise DomainError(_("Say why: the client reads it."))
    withdrawal = lock_withdrawal(withdrawal_id)
    require(policies.can_reject(actor, withdrawal))
    withdrawal.rejected_by = actor
    give_back(withdrawal, WithdrawalState.REJECTED, reason=reason, actor=actor)
    return withdrawal


@transaction.atomic
def cancel_withdrawal(*, withdrawal_id: int, actor: Any) -> Withdrawal:
    """The client changes their mind, as long as nobody has released it."""
    withdrawal = lock_withdrawal(withdrawal_id)
    require(policies.can_cancel(actor, withdrawal))
    give_back(withdrawal, WithdrawalState.CANCELLED, reason="", actor=actor)
    return withdrawal


# ── how it ends ──────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def apply_payout(*, psp_id: int, view: TransferView) -> Applied:
    """Move a withdrawal on by what its PSP said about the payout; late and repeated messages change nothing."""
    found = Withdrawal.objects.filter(psp_id=psp_id, reference=view.reference).first()
    if found is None:
        return Applied(InboxState.UNMATCHED, f"No withdrawal {view.reference} at this PSP")
    withdrawal = lock_withdrawal(found.pk)
    if (view.amount_minor, view.currency) != (withdrawal.amount_minor, withdrawal.currency):
        return Applied(
            InboxState.FAILED, f"The PSP says {view.amount_minor} {view.currency} for {withdrawal.reference}"
        )
    open_states = (WithdrawalState.SENDING, WithdrawalState.SENT, WithdrawalState.UNKNOWN)
    if withdrawal.state not in open_states:
        if (withdrawal.state == WithdrawalState.SETTLED) != (view.status == TransferStatus.PAID) and (
            view.status != TransferStatus.PENDING
        ):
            return _contradicted(withdrawal, view)
        return Applied(InboxState.IGNORED, f"{withdrawal.reference} is {withdrawal.state} already")
    withdrawal.psp_reference = view.psp_reference
    if view.status == TransferStatus.PAID:
        _settle(withdrawal, view)
    elif view.status == TransferStatus.FAILED:
        give_back(withdrawal, WithdrawalState.FAILED, reason=view.failure or _("The PSP could not pay it out"))
    elif withdrawal.state != WithdrawalState.SENT:
        move_to(withdrawal, WithdrawalState.SENT)
        withdrawal.save()
        _audit(withdrawal, "wallet.withdrawal_sent", after={"psp_reference": view.psp_reference})
    return Applied(InboxState.DONE, f"{withdrawal.reference} is {withdrawal.state}")


def _contradicted(withdrawal: Withdrawal, view: TransferView) -> Applied:
    """The PSP tells another end than the one in our books. Nothing is booked by itself: people are told, each time once."""
    was_paid = withdrawal.state == WithdrawalState.SETTLED
    values = {"reference": withdrawal.reference, "psp": withdrawal.psp}

    def title() -> str:
        if was_paid:
            return _("%(reference)s was paid, and now %(psp)s says that it failed") % values
        state = {"state": withdrawal.get_state_display()}
        return _("%(psp)s says that it paid %(reference)s, which is “%(state)s” here") % {**values, **state}

    def body() -> str:
        if was_paid:
            return _("The money may be back at the PSP. Ask there; the client's wallet was not changed.")
        return _("The client may have the money twice. Stop further withdrawals of this client and ask the PSP.")

    _audit(
        withdrawal, "wallet.payout_contradicted", reason=view.failure,
        evidence={"psp_reference": view.psp_reference, "status": view.status.value},
    )  # fmt: skip
    notify(
        people_with("wallet.approve_withdrawal", brand_id=withdrawal.brand_id), kind="wallet.payout_contradicted",
        title=title, body=body, url=f"/money/withdrawals/{withdrawal.pk}/",
        dedupe_key=f"payout-contradicted:{withdrawal.pk}:{view.status.value}",
    )  # fmt: skip
    return Applied(InboxState.FAILED, title())


def _settle(withdrawal: Withdrawal, view: TransferView) -> None:
    posted = ledger.settle(key=f"withdrawal:{withdrawal.reference}:settle", reservation=withdrawal.reservation)
    move_to(withdrawal, WithdrawalState.SETTLED)
    withdrawal.journal_id, withdrawal.finished_at, withdrawal.next_look_up_at = posted.journal_id, timezone.now(), None
    withdrawal.save()
    PspMovement.objects.create(
        psp=withdrawal.psp, kind=MovementKind.PAYOUT, reference=withdrawal.reference,
        psp_reference=withdrawal.psp_reference, client_id=withdrawal.client_id, journal_id=posted.journal_id,
        amount_minor=-withdrawal.amount_minor, currency=withdrawal.currency,
        occurred_at=view.happened_at or timezone.now(),
    )  # fmt: skip
    _audit(withdrawal, "wallet.withdrawal_settled", after={"journal": posted.journal_id})
    publish(
        WithdrawalSettled(
            client_id=withdrawal.client_id, brand_id=withdrawal.brand_id, withdrawal_id=withdrawal.pk,
            amount=withdrawal.amount, currency=withdrawal.currency,
        )
    )  # fmt: skip


def give_back(withdrawal: Withdrawal, state: WithdrawalState, *, reason: str, actor: Any = None) -> None:
    """End a locked withdrawal without paying: the reservation is released, the client is told."""
    posted = ledger.release(
        key=f"withdrawal:{withdrawal.reference}:release", reservation=withdrawal.reservation, actor=actor
    )
    move_to(withdrawal, state)
    withdrawal.reason = reason[:300]
    withdrawal.journal_id, withdrawal.finished_at, withdrawal.next_look_up_at = posted.journal_id, timezone.now(), None
    withdrawal.save()
    _audit(withdrawal, f"wallet.withdrawal_{state.value}", actor=actor, reason=reason)
    publish(
        WithdrawalRefused(
            client_id=withdrawal.client_id, brand_id=withdrawal.brand_id, withdrawal_id=withdrawal.pk,
            amount=from_minor(withdrawal.amount_minor, withdrawal.currency), currency=withdrawal.currency,
            reason=reason[:300],
        )
    )  # fmt: skip


def move_to(withdrawal: Withdrawal, state: WithdrawalState) -> None:
    """One step of the transition table, or WrongState."""
    if state not in WITHDRAWAL_TRANSITIONS[withdrawal.state]:
        raise WrongState(
            _("This withdrawal is “%(state)s”; that is not possible now.") % {"state": withdrawal.get_state_display()}
        )
    withdrawal.state = state


def lock_withdrawal(withdrawal_id: int) -> Withdrawal:
    return (
        Withdrawal.objects.select_for_update(of=["self"])
        .select_related("client__brand", "brand", "psp", "wallet", "reservation")
        .get(pk=withdrawal_id)
    )


def _audit(
    withdrawal: Withdrawal,
    action: str,
    *,
    actor: Any = None,
    reason: str = "",
    after: dict | None = None,
    evidence: dict | None = None,
) -> None:
    audit.record(
        actor=actor, action=action, target=withdrawal, client_id=withdrawal.client_id, brand_id=withdrawal.brand_id,
        after={"reference": withdrawal.reference, "state": withdrawal.state, **(after or {})}, reason=reason,
        evidence=evidence,
    )  # fmt: skip
