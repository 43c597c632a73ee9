"""Settles money that arrived: booked into the wallet, or held in suspense until a person has decided.

What a PSP reports is never trusted over the intent. Another amount within the brand's tolerance (bank wires, crypto) is
booked as received; any other difference is held with its reason, and so is money of another payer, or far too late.

    settled    clearing −R    wallet +(R − fee)    fees +fee        (through the FX position when the currencies differ)
    held       clearing −R    suspense +R          then, when released, the same out of suspense

R is what the PSP received, in the currency that arrived.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import Gate
from clients.country_rules.gates import may
from clients.models import Client
from crm.audit_codes import AuditCode
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import DepositHeld, DepositSettled, publish
from crm.i18n import formats
from crm.models import Actor, Brand
from crm.money.amounts import Money, from_minor
from crm.rates import fx
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.deposits import DepositState, HoldReason
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.psp import InboxState, PspKind
from wallet.choices.reconciliation import MovementKind
from wallet.core import limits
from wallet.core.fees import fee_of
from wallet.core.limits import DEPOSIT_CONVERTS, DEPOSIT_THIRD_PARTY, in_base
from wallet.deposits import policies, unverified
from wallet.deposits.payer_match import is_payer
from wallet.deposits.screened_payers import require_clear_payer
from wallet.ledger import fx_position, posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Account, Deposit, Journal, PaymentMethod, PspMovement
from wallet.psp.values import PaymentView

# Only here may the amount differ a little from the intent: banks and networks take fees on the way.
ROUGH_KINDS = (PspKind.BANK, PspKind.CRYPTO)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a message from a PSP did, for the inbox."""

    state: InboxState
    words: str


def agrees(deposit: Deposit, view: PaymentView) -> bool:
    """Tell whether the PSP reports the amount and currency that the client intended."""
    received = view.amount_minor if view.received_minor is None else view.received_minor
    return (view.currency, view.amount_minor, received) == (
        deposit.currency,
        deposit.amount_minor,
        deposit.amount_minor,
    )


def settle_or_hold(deposit: Deposit, view: PaymentView) -> Applied:
    """Book a locked deposit whose money the PSP has: into the wallet, or into suspense where a person must decide."""
    deposit.received_minor = view.amount_minor if view.received_minor is None else view.received_minor
    deposit.arrived_currency = view.currency if view.currency != deposit.currency else ""
    deposit.next_look_up_at = None
    client = lock(Client, deposit.client_id, "brand")
    reasons = why_held(deposit, client, agrees(deposit, view))
    unverified.start_term(client)
    if reasons:
        return _hold(deposit, reasons, at=view.happened_at)
    settle(deposit, client, told_at=view.happened_at)
    return Applied(InboxState.DONE, f"{deposit.reference} settled")


def why_held(deposit: Deposit, client: Client, is_as_meant: bool) -> list[HoldReason]:
    """List every reason to hold the money, the weightiest first; empty when it may be booked."""
    brand, received = client.brand, deposit.received_minor or 0
    reasons = []
    if deposit.arrived_currency:
        if received <= 0 or _target(deposit, client) is None:
            reasons.append(HoldReason.CURRENCY)
    elif not is_as_meant and not is_within_tolerance(deposit, brand):
        reasons.append(HoldReason.AMOUNT)
    if not reasons and received <= _fee(deposit):
        reasons.append(HoldReason.AMOUNT)
    if DEPOSIT_THIRD_PARTY.of(brand) == "hold" and not is_payer(
        client.first_name, client.last_name, deposit.payer_name
    ):
        reasons.append(HoldReason.PAYER)
    if deposit.expires_at and timezone.now() > deposit.expires_at + dt.timedelta(
        days=limits.limit(brand, "deposit_late_days")
    ):
        reasons.append(HoldReason.LATE)
    if not may(client, Gate.DEPOSIT):
        reasons.append(HoldReason.COUNTRY)
    if not _has_rate(deposit, client):
        return reasons or [HoldReason.RATE]
    issues = unverified.judge_arrival(deposit, client)
    if issues.payer_not_named and HoldReason.PAYER not in reasons:
        reasons.append(HoldReason.PAYER)
    if issues.over_limit:
        reasons.append(HoldReason.LIMIT)
    return reasons


def is_within_tolerance(deposit: Deposit, brand: Brand) -> bool:
    """Tell whether the difference is within the brand's tolerance; bank wires and crypto only.

    The tolerance is a share of the amount or a small sum, whichever is more.
    """
    kind = deposit.payment_method.kind if deposit.payment_method else deposit.psp.kind
    received, meant = deposit.received_minor or 0, deposit.amount_minor
    if kind not in ROUGH_KINDS or received <= 0:
        return False
    off = abs(received - meant)
    if off * 10_000 <= meant * limits.limit(brand, "deposit_tolerance_basis_points"):
        return True
    try:
        worth = in_base(brand, from_minor(off, deposit.currency), deposit.currency)
    except fx.NoRate:
        return False
    return not limits.exceeds(brand, worth, "deposit_tolerance_minor")


def _has_rate(deposit: Deposit, client: Client) -> bool:
    """Tell whether the amount has a rate into the brand's base currency, which limits and reports need."""
    try:
        in_base(
            client.brand, from_minor(deposit.received_minor or 0, deposit.received_currency), deposit.received_currency
        )
        target = _target(deposit, client)
        if target is not None and target.currency != deposit.received_currency:
            fx_position.convert_now(client.brand, 1, deposit.received_currency, target.currency)
    except fx.NoRate:
        return False
    return True


def _target(deposit: Deposit, client: Client) -> Account | None:
    """Find the wallet that the money goes to.

    The wallet of its own currency where the brand takes that, else the deposit's by conversion where the brand allows
    it; None where there is none.
    """
    currency = deposit.received_currency
    if currency == deposit.wallet.currency:
        return deposit.wallet
    known = Account.objects.filter(client=client, kind=AccountKind.CLIENT_WALLET, currency=currency).exists()
    if (
        known
        or PaymentMethod.objects.filter(
            Q(is_enabled=True, currencies__contains=[currency]), psp__brand_id=client.brand_id
        ).exists()
    ):
        return posting.wallet_of(client, currency)
    return deposit.wallet if DEPOSIT_CONVERTS.of(client.brand) else None


def _fee(deposit: Deposit) -> int:
    """Compute the fee by the terms that the client saw; none where another currency arrived than they were shown in."""
    if deposit.arrived_currency:
        return fee_of(deposit.received_minor or 0, deposit.fee_basis_points, 0)
    return fee_of(deposit.received_minor or 0, deposit.fee_basis_points, deposit.fee_fixed_minor)


# ── held ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _hold(deposit: Deposit, reasons: Sequence[HoldReason], *, at: dt.datetime | None) -> Applied:
    """Book the received money into suspense until a person decides."""
    received = deposit.received_minor or 0
    if received > 0:
        journal_id = _into_suspense(deposit, received, key=f"deposit:{deposit.reference}:hold")
        note_movement(deposit, MovementKind.PAYMENT, received, journal_id, at=at)
    mark_held(deposit, reasons)
    return Applied(InboxState.DONE, f"{deposit.reference} held: {deposit.failure}")


def _into_suspense(deposit: Deposit, minor: int, *, key: str) -> int:
    currency = deposit.received_currency
    clearing = posting.psp_clearing(deposit.psp, currency)
    suspense = posting.house(AccountKind.SUSPENSE, brand_id=deposit.brand_id, currency=currency)
    posted = posting.post(
        Entry(
            key=key,
            kind=JournalKind.DEPOSIT_HELD,
            brand_id=deposit.brand_id,
            lines=(Line(clearing, -minor), Line(suspense, minor)),
            description=f"Held: {deposit.reference}",
        )
    )
    return posted.journal_id


def mark_held(deposit: Deposit, reasons: Sequence[HoldReason]) -> None:
    """Mark a deposit as held for these reasons; the money is booked by the caller."""
    deposit.move_to(DepositState.HELD)
    deposit.hold_reasons = [reason.value for reason in reasons]
    deposit.held_at = deposit.held_at or timezone.now()
    deposit.failure = _what_is_wrong(deposit, reasons)[:200]
    deposit.save()
    audit_deposit(deposit, WalletAction.DEPOSIT_HELD, reason=deposit.failure, after={"reasons": deposit.hold_reasons})
    publish(
        DepositHeld(
            client_id=deposit.client_id,
            brand_id=deposit.brand_id,
            deposit_id=deposit.pk,
            amount=from_minor(deposit.received_minor or 0, deposit.received_currency),
            currency=deposit.received_currency,
            reasons=tuple(deposit.hold_reasons),
        )
    )


def _what_is_wrong(deposit: Deposit, reasons: Sequence[HoldReason]) -> str:
    words = []
    for reason in reasons:
        if reason in (HoldReason.AMOUNT, HoldReason.CURRENCY):
            received = Money.of_minor(deposit.received_minor or 0, deposit.received_currency)
            values = {"received": formats.money(received), "meant": formats.money(deposit.money)}
            words.append(_("%(received)s arrived instead of %(meant)s") % values)
        elif reason == HoldReason.PAYER:
            words.append(_("paid by “%(name)s”") % {"name": deposit.payer_name})
        else:
            words.append(str(reason.label))
    return "; ".join(words)


def add_further_payment(deposit: Deposit, view: PaymentView) -> Applied:
    """Book a further payment to the same address or reference: the PSP now has more than we have booked.

    Before anything was booked it may complete what was short; afterwards, or while the first payment is being
    returned, it is a deposit of its own, held.
    """
    arrived = view.received_minor or 0
    family = Deposit.objects.filter(psp=deposit.psp, reference__startswith=f"{deposit.reference}-")
    known = (deposit.received_minor or 0) + sum(row.received_minor or 0 for row in family)
    if deposit.state not in (DepositState.HELD, DepositState.SETTLED) or view.currency != deposit.received_currency:
        return Applied(InboxState.IGNORED, f"{deposit.reference} is {deposit.state} already")
    if arrived <= known:
        return Applied(InboxState.IGNORED, f"{deposit.reference} is {deposit.state} already")
    more = arrived - known
    client = lock(Client, deposit.client_id, "brand")
    if (
        deposit.state == DepositState.HELD
        and deposit.hold_reasons == [HoldReason.AMOUNT]
        and not policies.is_being_returned(deposit)
    ):
        journal_id = _into_suspense(deposit, more, key=f"deposit:{deposit.reference}:hold:{arrived}")
        deposit.received_minor = arrived
        note_movement(
            deposit,
            MovementKind.PAYMENT,
            more,
            journal_id,
            at=view.happened_at,
            psp_reference=f"{deposit.psp_reference}+{arrived}",
        )
        if why_held(deposit, client, agrees(deposit, view)):
            mark_held(deposit, [HoldReason.AMOUNT])
            return Applied(InboxState.DONE, f"{deposit.reference} still held: {deposit.failure}")
        settle(deposit, client, out_of_suspense=True)
        return Applied(InboxState.DONE, f"{deposit.reference} is complete and settled")
    child = _further(deposit, more, arrived, number=family.count() + 2)
    return _hold(child, [HoldReason.FURTHER], at=view.happened_at)


def _further(deposit: Deposit, minor: int, arrived: int, *, number: int) -> Deposit:
    """Create the deposit of a further payment: its own reference, the first one's client, method and terms."""
    now = timezone.now()
    return Deposit.objects.create(
        client=deposit.client,
        brand=deposit.brand,
        psp=deposit.psp,
        wallet=deposit.wallet,
        payment_method=deposit.payment_method,
        pay_by=deposit.pay_by,
        method=deposit.method,
        instrument=deposit.instrument,
        payer_name=deposit.payer_name,
        reference=f"{deposit.reference}-{number}",
        request_key=f"further:{deposit.reference}:{arrived}",
        psp_reference=f"{deposit.psp_reference}+{arrived}",
        amount_minor=minor,
        currency=deposit.received_currency,
        received_minor=minor,
        fee_basis_points=deposit.fee_basis_points,
        created_at=now,
    )


# ── booked ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def settle(
    deposit: Deposit,
    client: Client,
    *,
    told_at: dt.datetime | None = None,
    out_of_suspense: bool = False,
    actor: Actor = None,
) -> None:
    """Book what was received into the wallet, once, and find out whether it is the client's first. Both are locked."""
    received, arrived = deposit.received_minor or 0, deposit.received_currency
    target = _target(deposit, client) or deposit.wallet
    if out_of_suspense:
        source = posting.house(AccountKind.SUSPENSE, brand_id=deposit.brand_id, currency=arrived)
    else:
        source = posting.psp_clearing(deposit.psp, arrived)
    deposit.fee_minor, deposit.wallet = _fee(deposit), target
    entry = _entry(deposit, source, target)
    deposit.credited_minor = sum(line.amount_minor for line in entry.lines if line.account.pk == target.pk)
    posted = posting.post(entry, actor=actor)
    journal = Journal.objects.get(pk=posted.journal_id)
    deposit.move_to(DepositState.SETTLED)
    deposit.journal, deposit.settled_at = journal, journal.posted_at
    deposit.base_amount = in_base(client.brand, from_minor(received, arrived), arrived, on=journal.business_on)
    deposit.is_first = not Deposit.objects.filter(client=client, settled_at__isnull=False).exists()
    deposit.failure = ""
    deposit.save()
    if not out_of_suspense:
        note_movement(deposit, MovementKind.PAYMENT, received, journal.pk, at=told_at)
    amount = from_minor(received, arrived)
    audit_deposit(
        deposit,
        WalletAction.DEPOSIT_SETTLED,
        actor=actor,
        after={
            "amount": str(amount),
            "currency": arrived,
            "fee": str(deposit.fee),
            "credited": str(deposit.credited),
            "journal": journal.pk,
            "first": deposit.is_first,
        },
    )
    publish(
        DepositSettled(
            client_id=client.pk,
            brand_id=deposit.brand_id,
            deposit_id=deposit.pk,
            amount=amount,
            currency=arrived,
            psp=deposit.psp.code,
            is_first=deposit.is_first,
            settled_at=deposit.settled_at,
        ),
        actor=actor,
    )


def _entry(deposit: Deposit, source: Account, target: Account) -> Entry:
    """Build the journal: received less the fee into the wallet, at the day's rate where the currencies differ."""
    received, fee, brand = deposit.received_minor or 0, deposit.fee_minor, deposit.brand
    conversion, lines = None, []
    if source.currency == target.currency:
        lines = [Line(source, -received), Line(target, received - fee)]
    else:
        conversion = fx_position.convert_now(brand, received - fee, source.currency, target.currency)
        _given, *others = fx_position.lines_of(conversion, source=source, target=target)
        lines = [Line(source, -received), *others]
    if fee:
        fees = posting.house(AccountKind.FEES, brand_id=deposit.brand_id, currency=source.currency)
        lines.append(Line(fees, fee))
    return Entry(
        key=f"deposit:{deposit.reference}:settle",
        kind=JournalKind.DEPOSIT,
        brand_id=deposit.brand_id,
        lines=tuple(lines),
        description=f"{deposit.reference} {deposit.psp}",
        rate=conversion.rate if conversion else None,
        rate_on=conversion.rate_on if conversion else None,
    )


@transaction.atomic
def release_held_deposit(*, deposit_id: int, actor: Actor, reason: str) -> Deposit:
    """Book a held deposit into the wallet with the amount that really arrived.

    Who: `wallet.release_deposit` in reach. Raises: NotAllowed, WrongState, DomainError without a reason or a rate.
    """
    deposit = lock_deposit(pk=deposit_id)
    require(policies.can_release_deposit(actor, deposit))
    if not reason.strip():
        raise DomainError(_("Enter a reason for accepting this payment."))
    client = lock(Client, deposit.client_id, "brand")
    if not deposit.received_minor or deposit.received_minor <= _fee(deposit):
        raise WrongState(_("No amount was received that could be credited. Contact the PSP."))
    if _target(deposit, client) is None:
        raise WrongState(
            _("The client can't hold a wallet in %(currency)s and the brand doesn't convert. Refund the deposit.")
            % {"currency": deposit.received_currency}
        )
    require_clear_payer(deposit)
    settle(deposit, client, out_of_suspense=True, actor=actor)
    audit_deposit(deposit, WalletAction.DEPOSIT_RELEASED, actor=actor, reason=reason)
    return deposit


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def lock_deposit(*, pk: int) -> Deposit:
    """Lock a deposit with what its verbs read along. Lock order: the deposit before its client."""
    return lock(Deposit, pk, "psp", "payment_method", "wallet", "brand", "client", "reversal")


def note_movement(
    deposit: Deposit,
    kind: MovementKind,
    amount_minor: int,
    journal_id: int,
    *,
    at: dt.datetime | None,
    psp_reference: str = "",
) -> None:
    """Store what the PSP did, at the PSP's own time: its settlement report will have the same."""
    PspMovement.objects.create(
        psp=deposit.psp,
        kind=kind,
        reference=deposit.reference,
        psp_reference=psp_reference or deposit.psp_reference,
        client_id=deposit.client_id,
        journal_id=journal_id,
        amount_minor=amount_minor,
        currency=deposit.received_currency,
        occurred_at=at or timezone.now(),
    )


def audit_deposit(
    deposit: Deposit, action: AuditCode, *, actor: Actor = None, reason: str = "", after: dict[str, Any] | None = None
) -> None:
    """Record an audit entry about a deposit, with its reference and state."""
    audit.record(
        actor=actor,
        action=action,
        target=deposit,
        client_id=deposit.client_id,
        brand_id=deposit.brand_id,
        after={"reference": deposit.reference, "state": deposit.state, **(after or {})},
        reason=reason,
    )
