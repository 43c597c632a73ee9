"""Money in: from the client's click to the wallet, booked once however often the PSP tells.

created ──► pending ──► authorised ──► settled ──► charged back ──► reversed
   │           │             │            ▲ └────► refunded
   └───────────┴─────────────┴─► failed / expired / held (another amount arrived than was meant)

A state only moves to a higher rank (`DEPOSIT_RANK`), so late, repeated and shuffled messages change nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm import audit
from crm.errors import DomainError, IdempotencyConflict, WrongState
from crm.events import DepositSettled, publish
from crm.money import Money, from_minor, to_minor
from crm.policies import require
from wallet import completion, ledger, policies
from wallet.amounts import minor_of
from wallet.choices import (
    DEPOSIT_ARRIVED,
    DEPOSIT_RANK,
    AccountKind,
    DepositState,
    InboxState,
    JournalKind,
    MovementKind,
)
from wallet.ledger import Entry, Line
from wallet.limits import exceeds, in_base
from wallet.models import Deposit, Journal, Psp, PspMovement
from wallet.psp import adapter_of
from wallet.psp.base import DepositIntent, PaymentStatus, PaymentView, PspRefused, PspUnknown, PspUnreachable
from wallet.references import new_reference

VALID_FOR = dt.timedelta(hours=24)
LOOK_UP_WAITS_SECONDS = (60, 120, 300, 900, 3600)  # after the last webhook should have come; the last one repeats
OPEN_STATES = (DepositState.CREATED, DepositState.PENDING, DepositState.AUTHORISED)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a message from a PSP did, for the inbox."""

    state: InboxState
    words: str


# ── start ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def start_deposit(
    *,
    client_id: int,
    psp_id: int,
    amount: Decimal,
    currency: str,
    request_key: str,
    return_url: str,
    actor: Any,
    locale: str = "en",
) -> Deposit:
    """The client wants to pay in: an intent here, then a payment page at the PSP (`deposit.redirect_url`).

    Not in a transaction: the intent is committed before the PSP is asked. The same request_key with the same wish is the
    same deposit, and asks the PSP again only when it had not answered. `{reference}` in return_url is filled in.
    Raises: NotAllowed, DomainError (amount, method), IdempotencyConflict, OutsideWorldError (the PSP is away).
    """
    deposit = _intend(
        client_id=client_id, psp_id=psp_id, amount=amount, currency=currency, request_key=request_key, actor=actor
    )
    if deposit.redirect_url or deposit.state != DepositState.CREATED:
        return deposit
    intent = DepositIntent(
        reference=deposit.reference,
        amount_minor=deposit.amount_minor,
        currency=deposit.currency,
        return_url=return_url.replace("{reference}", deposit.reference),
        merchant_name=deposit.brand.name,
        locale=locale,
    )
    try:
        view = adapter_of(deposit.psp).start_deposit(intent)
    except (PspRefused, PspUnreachable, PspUnknown) as error:
        raise DomainError(
            _("%(psp)s does not answer right now. Nothing was charged. Try again, or choose another method.")
            % {"psp": deposit.psp},
            code=error.code,
        ) from error
    return _remember_session(deposit_id=deposit.pk, view=view)


@transaction.atomic
def _intend(*, client_id: int, psp_id: int, amount: Decimal, currency: str, request_key: str, actor: Any) -> Deposit:
    client = Client.objects.select_for_update(of=["self"]).select_related("brand").get(pk=client_id)
    psp = Psp.objects.get(pk=psp_id, brand_id=client.brand_id)
    amount_minor = minor_of(amount, currency)
    known = Deposit.objects.select_related("psp", "brand").filter(client=client, request_key=request_key).first()
    if known is not None:
        if (known.psp_id, known.amount_minor, known.currency) != (psp.pk, amount_minor, currency):
            raise IdempotencyConflict(_("This form was already sent with another amount or method. Start again."))
        return known
    require(policies.can_deposit(actor, client))
    _check_offer(client, psp, amount, currency)
    now = timezone.now()
    deposit = Deposit.objects.create(
        client=client, brand=client.brand, psp=psp, wallet=ledger.wallet_of(client, currency),
        reference=new_reference("D"), request_key=request_key, amount_minor=amount_minor, currency=currency,
        created_at=now, expires_at=now + VALID_FOR, next_look_up_at=now + dt.timedelta(seconds=LOOK_UP_WAITS_SECONDS[0]),
    )  # fmt: skip
    audit_deposit(deposit, "wallet.deposit_started", actor=actor, after={"amount": str(deposit.money), "psp": psp.code})
    return deposit


def _check_offer(client: Client, psp: Psp, amount: Decimal, currency: str) -> None:
    """Is this method offered to this client for this amount?"""
    if not is_offered(psp, client, currency):
        raise DomainError(_("%(psp)s is not available for you in %(currency)s.") % {"psp": psp, "currency": currency})
    base, in_brand = client.brand.base_currency, in_base(client.brand, amount, currency)
    if to_minor(in_brand, base) < psp.minimum_minor:
        raise DomainError(
            _("The smallest deposit is %(amount)s.") % {"amount": Money.of_minor(psp.minimum_minor, base)}
        )
    if to_minor(in_brand, base) > psp.maximum_minor:
        raise DomainError(_("The largest deposit is %(amount)s.") % {"amount": Money.of_minor(psp.maximum_minor, base)})
    if client.kyc_level == 0:
        so_far = sum(
            Deposit.objects.filter(client=client, settled_at__isnull=False).values_list("base_amount", flat=True),
            Decimal(0),
        )
        if exceeds(client.brand, so_far + in_brand, "deposit_unverified_max_minor"):
            raise DomainError(
                _("Until you are verified you can't pay in more than the limit. Please upload your documents first.")
            )


def is_offered(psp: Psp, client: Client, currency: str) -> bool:
    return (
        psp.is_enabled
        and psp.brand_id == client.brand_id
        and currency in psp.currencies
        and (not psp.countries or client.country in psp.countries)
        and client.kyc_level >= psp.kyc_level_min
    )


@transaction.atomic
def _remember_session(*, deposit_id: int, view: PaymentView) -> Deposit:
    deposit = lock_deposit(pk=deposit_id)
    deposit.psp_reference = deposit.psp_reference or view.psp_reference
    deposit.session_reference = deposit.session_reference or view.session_reference
    deposit.redirect_url = view.redirect_url
    deposit.save(update_fields=["psp_reference", "session_reference", "redirect_url", "updated_at"])
    return deposit


# ── what the PSP says ────────────────────────────────────────────────────────────────────────────────────────────────


def agrees(deposit: Deposit, view: PaymentView) -> bool:
    """Is what the PSP reports the amount and currency that was meant? Never trusted over the intent."""
    received = view.amount_minor if view.received_minor is None else view.received_minor
    return (view.currency, view.amount_minor, received) == (
        deposit.currency,
        deposit.amount_minor,
        deposit.amount_minor,
    )


@transaction.atomic
def apply_payment(*, psp_id: int, view: PaymentView) -> Applied:
    """Move a deposit on by what its PSP said; a state that is not further along changes nothing."""
    deposit = Deposit.objects.filter(psp_id=psp_id, reference=view.reference).first()
    if deposit is None:
        return Applied(InboxState.UNMATCHED, f"No deposit {view.reference} at this PSP")
    deposit = lock_deposit(pk=deposit.pk)
    if deposit.psp_reference and view.psp_reference not in ("", deposit.psp_reference):
        return Applied(InboxState.UNMATCHED, f"{view.psp_reference} is not the payment of {deposit.reference}")
    deposit.psp_reference = deposit.psp_reference or view.psp_reference
    if view.status in (PaymentStatus.CAPTURED, PaymentStatus.REFUNDED, PaymentStatus.CHARGED_BACK):
        return _arrived(deposit, view)
    target = {
        PaymentStatus.PENDING: DepositState.PENDING,
        PaymentStatus.AUTHORISED: DepositState.AUTHORISED,
        PaymentStatus.FAILED: DepositState.FAILED,
    }.get(view.status)
    if target is None or DEPOSIT_RANK[deposit.state] >= DEPOSIT_RANK[target]:
        return Applied(InboxState.IGNORED, f"{deposit.reference} is {deposit.state} already")
    _describe(deposit, view)
    deposit.state = target
    if target == DepositState.FAILED:
        deposit.next_look_up_at = None
    deposit.save()
    audit_deposit(deposit, f"wallet.deposit_{target.value}", reason=view.failure)
    return Applied(InboxState.DONE, f"{deposit.reference} is {deposit.state}")


def _arrived(deposit: Deposit, view: PaymentView) -> Applied:
    if DEPOSIT_RANK[deposit.state] >= DEPOSIT_RANK[DepositState.HELD]:
        return Applied(InboxState.IGNORED, f"{deposit.reference} is {deposit.state} already")
    _describe(deposit, view)
    deposit.received_minor = view.amount_minor if view.received_minor is None else view.received_minor
    deposit.next_look_up_at = None
    if view.currency != deposit.currency or deposit.received_minor <= 0:
        # Money of another kind than was meant: nothing can be booked until a person has looked at it.
        deposit.state = DepositState.HELD
        deposit.failure = f"{deposit.received_minor} {view.currency} arrived"
        deposit.save()
        audit_deposit(deposit, "wallet.deposit_held", reason=deposit.failure)
        return Applied(InboxState.DONE, f"{deposit.reference} held: {deposit.failure}")
    if not agrees(deposit, view):
        return _hold(deposit, view)
    _settle(deposit, debit=ledger.psp_clearing(deposit.psp, deposit.currency), told_by=view)
    return Applied(InboxState.DONE, f"{deposit.reference} settled")


def _describe(deposit: Deposit, view: PaymentView) -> None:
    deposit.method = view.method or deposit.method
    deposit.instrument = view.instrument or deposit.instrument
    deposit.payer_name = view.payer_name or deposit.payer_name
    deposit.failure = view.failure


def _hold(deposit: Deposit, view: PaymentView) -> Applied:
    """More or less arrived than was meant: the PSP has it, so it is booked, but into suspense until someone decides."""
    assert deposit.received_minor is not None
    clearing = ledger.psp_clearing(deposit.psp, deposit.currency)
    suspense = ledger.house(AccountKind.SUSPENSE, brand_id=deposit.brand_id, currency=deposit.currency)
    posted = ledger.post(
        Entry(
            key=f"deposit:{deposit.reference}:hold",
            kind=JournalKind.DEPOSIT_HELD,
            brand_id=deposit.brand_id,
            lines=(Line(clearing, -deposit.received_minor), Line(suspense, deposit.received_minor)),
            description=f"Held: {deposit.reference}",
        )
    )
    note_movement(deposit, MovementKind.PAYMENT, deposit.received_minor, posted.journal_id, at=view.happened_at)
    deposit.state = DepositState.HELD
    deposit.failure = _("%(received)s arrived instead of %(meant)s") % {
        "received": Money.of_minor(deposit.received_minor, deposit.currency),
        "meant": deposit.money,
    }
    deposit.save()
    audit_deposit(deposit, "wallet.deposit_held", reason=deposit.failure)
    return Applied(InboxState.DONE, f"{deposit.reference} held: {deposit.failure}")


def _settle(deposit: Deposit, *, debit: ledger.Account, told_by: PaymentView | None, actor: Any = None) -> None:
    """Book what was received into the wallet, once, and find out whether it is the client's first."""
    client = Client.objects.select_for_update(of=["self"]).select_related("brand").get(pk=deposit.client_id)
    received = deposit.received_minor
    assert received is not None
    posted = ledger.post(
        Entry(
            key=f"deposit:{deposit.reference}:settle",
            kind=JournalKind.DEPOSIT,
            brand_id=deposit.brand_id,
            lines=(Line(debit, -received), Line(deposit.wallet, received)),
            description=f"{deposit.reference} {deposit.psp}",
        ),
        actor=actor,
    )
    journal = Journal.objects.get(pk=posted.journal_id)
    deposit.state, deposit.journal, deposit.settled_at = DepositState.SETTLED, journal, journal.posted_at
    deposit.base_amount = in_base(
        client.brand, from_minor(received, deposit.currency), deposit.currency, on=journal.business_on
    )
    deposit.is_first = not Deposit.objects.filter(client=client, settled_at__isnull=False).exists()
    deposit.failure = ""
    deposit.save()
    if told_by is not None:
        note_movement(deposit, MovementKind.PAYMENT, received, journal.pk, at=told_by.happened_at)
    amount = from_minor(received, deposit.currency)
    audit_deposit(
        deposit, "wallet.deposit_settled", actor=actor,
        after={"amount": str(amount), "currency": deposit.currency, "journal": journal.pk, "first": deposit.is_first},
    )  # fmt: skip
    publish(
        DepositSettled(
            client_id=client.pk, brand_id=deposit.brand_id, deposit_id=deposit.pk, amount=amount,
            currency=deposit.currency, psp=deposit.psp.code, is_first=deposit.is_first, settled_at=deposit.settled_at,
        )
    )  # fmt: skip


def note_movement(
    deposit: Deposit,
    kind: MovementKind,
    amount_minor: int,
    journal_id: int,
    *,
    at: dt.datetime | None,
    psp_reference: str = "",
) -> None:
    """What the PSP did, at the PSP's own time: its settlement report will have the same."""
    PspMovement.objects.create(
        psp=deposit.psp, kind=kind, reference=deposit.reference, psp_reference=psp_reference or deposit.psp_reference,
        client_id=deposit.client_id, journal_id=journal_id, amount_minor=amount_minor, currency=deposit.currency,
        occurred_at=at or timezone.now(),
    )  # fmt: skip


@transaction.atomic
def release_held_deposit(*, deposit_id: int, actor: Any, reason: str) -> Deposit:
    """Finance accepts what really arrived: out of suspense, into the wallet.

    Who: `wallet.release_deposit` in reach. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    deposit = lock_deposit(pk=deposit_id)
    require(policies.can_release_deposit(actor, deposit))
    if not reason.strip():
        raise DomainError(_("Say why this amount is accepted."))
    if not PspMovement.objects.filter(psp=deposit.psp, reference=deposit.reference).exists():
        raise WrongState(_("Another currency arrived than was meant: ask the PSP to refund it."))
    suspense = ledger.house(AccountKind.SUSPENSE, brand_id=deposit.brand_id, currency=deposit.currency)
    _settle(deposit, debit=suspense, told_by=None, actor=actor)
    audit_deposit(deposit, "wallet.deposit_released", actor=actor, reason=reason)
    return deposit


# ── looking it up ────────────────────────────────────────────────────────────────────────────────────────────────────


def look_up_deposit(deposit_id: int) -> Deposit:
    """Ask the PSP how a deposit stands, e.g. when the client returns or a webhook stayed away. Not in a transaction."""
    deposit = Deposit.objects.select_related("psp").get(pk=deposit_id)
    if deposit.state in DEPOSIT_ARRIVED or deposit.state == DepositState.HELD:
        return deposit
    try:
        adapter = adapter_of(deposit.psp)
        known_as = deposit.psp_reference or deposit.session_reference
        view = adapter.find_payment(deposit.reference, psp_reference=known_as)
        if view is not None:
            view = completion.captured(deposit.psp, adapter, view)
    except (PspRefused, PspUnreachable, PspUnknown):
        view = None
        _look_again_later(deposit_id)
    else:
        if view is not None:
            apply_payment(psp_id=deposit.psp_id, view=view)
        _look_again_later(deposit_id, may_expire=True)
    return Deposit.objects.select_related("psp", "client", "brand").get(pk=deposit_id)


@transaction.atomic
def _look_again_later(deposit_id: int, *, may_expire: bool = False) -> None:
    deposit = lock_deposit(pk=deposit_id)
    if deposit.state not in OPEN_STATES:
        if deposit.next_look_up_at is not None:
            deposit.next_look_up_at = None
            deposit.save(update_fields=["next_look_up_at", "updated_at"])
        return
    now = timezone.now()
    if may_expire and deposit.expires_at and deposit.expires_at < now and deposit.state == DepositState.CREATED:
        deposit.state, deposit.next_look_up_at = DepositState.EXPIRED, None
        audit_deposit(deposit, "wallet.deposit_expired")
    else:
        wait = LOOK_UP_WAITS_SECONDS[min(deposit.look_ups, len(LOOK_UP_WAITS_SECONDS) - 1)]
        deposit.look_ups += 1
        deposit.next_look_up_at = now + dt.timedelta(seconds=wait)
    deposit.save(update_fields=["state", "look_ups", "next_look_up_at", "updated_at"])


def due_deposits(*, limit: int = 100) -> list[int]:
    """Open deposits that should have been heard of by now."""
    return list(
        Deposit.objects.filter(next_look_up_at__lte=timezone.now())
        .order_by("next_look_up_at")
        .values_list("pk", flat=True)[:limit]
    )


def lock_deposit(*, pk: int) -> Deposit:
    return (
        Deposit.objects.select_for_update(of=["self"])
        .select_related("psp", "wallet", "brand", "client", "reversal")
        .get(pk=pk)
    )


def audit_deposit(
    deposit: Deposit, action: str, *, actor: Any = None, reason: str = "", after: dict | None = None
) -> None:
    audit.record(
        actor=actor, action=action, target=deposit, client_id=deposit.client_id, brand_id=deposit.brand_id,
        after={"reference": deposit.reference, "state": deposit.state, **(after or {})}, reason=reason,
    )  # fmt: skip
