"""Deposits: from the client's click to the wallet, booked once however often the PSP reports them.

created ──► pending ──► authorised ──► settled ──► charged back ──► reversed
   │           │             │            ▲ └────► refunded
   └───────────┴─────────────┴─► failed / expired / held (another amount arrived than was meant)

A state only moves to a higher rank (`DEPOSIT_RANK`), so late, repeated and shuffled messages change nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError, IdempotencyConflict
from crm.events import DepositFailed, publish
from crm.geo.cards import country_of_card
from crm.models import Actor
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.deposits import DEPOSIT_ARRIVED, DEPOSIT_RANK, DepositState
from wallet.choices.psp import InboxState
from wallet.core.amounts import minor_of
from wallet.core.references import new_reference
from wallet.deposits import capture, method_offers, policies, settlement, unverified
from wallet.deposits.settlement import Applied, agrees, audit_deposit, lock_deposit, note_movement, release_held_deposit
from wallet.ledger import posting
from wallet.models import Deposit, PaymentMethod
from wallet.psp import adapter_of
from wallet.psp.base import PspAdapter
from wallet.psp.calls import about
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.values import DepositIntent, Method, PayBy, PaymentStatus, PaymentView

__all__ = [
    "Applied",
    "DepositRequest",
    "agrees",
    "apply_payment",
    "audit_deposit",
    "due_deposits",
    "lock_deposit",
    "look_up_deposit",
    "note_movement",
    "release_held_deposit",
    "start_deposit",
]
VALID_FOR = dt.timedelta(hours=24)
WIRE_VALID_FOR = dt.timedelta(days=10)
LOOK_UP_WAITS_SECONDS = (60, 120, 300, 900, 3600)  # after the last webhook should have come; the last one repeats
OPEN_STATES = (DepositState.CREATED, DepositState.PENDING, DepositState.AUTHORISED)


# ── start ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DepositRequest:
    """How much a client wants to pay in, and by which of a PSP's payment methods (its code)."""

    psp_id: int
    amount: Decimal
    currency: str
    method: str = ""


def start_deposit(
    *, client_id: int, request: DepositRequest, request_key: str, return_url: str, actor: Actor, locale: str = "en"
) -> Deposit:
    """Start a deposit for a client: store it, then create the payment at the PSP.

    `redirect_url` or `instructions` of the deposit tell the client how to pay. Not in a transaction: the deposit is committed
    before the PSP is asked, so that its webhook always finds it. The same request_key with the same request is the same
    deposit, and asks the PSP again only when it had not answered. `{reference}` in return_url is filled in.
    Who: the client. Raises: NotAllowed, DomainError (amount, method, the PSP is away), IdempotencyConflict.
    """
    chosen = PaymentMethod.objects.select_related("psp").filter(psp_id=request.psp_id, code=request.method).first()
    if chosen is None:
        raise DomainError(_("This payment method is no longer available. Choose another method."))
    deposit = _intend(client_id=client_id, method=chosen, request=request, request_key=request_key, actor=actor)
    if deposit.redirect_url or deposit.instructions or deposit.state != DepositState.CREATED:
        return deposit
    client, adapter = deposit.client, adapter_of(deposit.psp)
    way = _way(adapter, chosen.code)
    intent = DepositIntent(
        reference=deposit.reference,
        amount_minor=deposit.amount_minor,
        currency=deposit.currency,
        return_url=return_url.replace("{reference}", deposit.reference),
        merchant_name=deposit.brand.name,
        locale=locale,
        method=way.code if way else chosen.code,
        client_reference=f"client-{client.pk}",
        payer_name=client.full_name,
        payer_email=client.email,
        country=client.country,
        expires_at=deposit.expires_at,
    )
    try:
        with about(deposit.reference):
            view = adapter.start_deposit(intent)
    except (PspRefused, PspUnreachable, PspUnknown) as error:
        raise DomainError(
            _("%(psp)s isn't responding right now. Nothing was charged. Try again or choose another method.")
            % {"psp": deposit.psp},
            code=error.code,
        ) from error
    pay_by = way.pay_by if way else deposit.pay_by
    return _remember_session(deposit_id=deposit.pk, view=view, pay_by=pay_by)


def _way(adapter: PspAdapter, code: str) -> Method | None:
    """Find the adapter's method; where its fields on our page aren't set up, its own page for the same kind of payment."""
    way = next((method for method in adapter.methods if method.code == code), None)
    if way is None or way.pay_by != PayBy.HOSTED_FIELDS or adapter.hosted_fields() is not None:
        return way
    redirects = (method for method in adapter.methods if method.kind == way.kind and method.pay_by == PayBy.REDIRECT)
    return next(redirects, way)


@transaction.atomic
def _intend(
    *, client_id: int, method: PaymentMethod, request: DepositRequest, request_key: str, actor: Actor
) -> Deposit:
    client = lock(Client, client_id, "brand")
    amount, currency = request.amount, request.currency
    amount_minor = minor_of(amount, currency)
    known = (
        Deposit.objects.select_related("psp", "brand", "client").filter(client=client, request_key=request_key).first()
    )
    if known is not None:
        stored = (known.psp_id, known.payment_method_id, known.amount_minor, known.currency)
        if stored != (method.psp_id, method.pk, amount_minor, currency):
            raise IdempotencyConflict(
                _("This form was already submitted with a different amount or method. Start again.")
            )
        return known
    require(policies.can_deposit(actor, client))
    require(policies.can_deposit_amount(client, amount, currency))
    offer = method_offers.require_offer(method, client, currency, amount)
    if offer.fee.of(amount_minor) >= amount_minor:
        raise DomainError(_("The amount must be higher than the method's fee."))
    unverified.check_intent(client, method, amount, currency)
    now = timezone.now()
    deposit = Deposit.objects.create(
        client=client,
        brand=client.brand,
        psp=method.psp,
        payment_method=method,
        wallet=posting.wallet_of(client, currency),
        reference=new_reference("D"),
        request_key=request_key,
        amount_minor=amount_minor,
        currency=currency,
        fee_basis_points=offer.fee.basis_points,
        fee_fixed_minor=offer.fee.fixed_minor,
        fee_minor=offer.fee.of(amount_minor),
        created_at=now,
        expires_at=now + max(VALID_FOR, 5 * dt.timedelta(minutes=method.minutes)),
        next_look_up_at=now + dt.timedelta(seconds=LOOK_UP_WAITS_SECONDS[0]),
    )
    audit_deposit(
        deposit,
        WalletAction.DEPOSIT_STARTED,
        actor=actor,
        after={"amount": str(deposit.money), "psp": method.psp.code, "method": method.code, "fee": str(deposit.fee)},
    )
    return deposit


@transaction.atomic
def _remember_session(*, deposit_id: int, view: PaymentView, pay_by: str) -> Deposit:
    deposit = lock_deposit(pk=deposit_id)
    deposit.psp_reference = deposit.psp_reference or view.psp_reference
    deposit.session_reference = deposit.session_reference or view.session_reference
    deposit.redirect_url, deposit.instructions = view.redirect_url, dict(view.instructions)
    deposit.pay_by = pay_by
    deposit.expires_at = _valid_until(deposit, view, pay_by)
    deposit.save(
        update_fields=[
            "psp_reference",
            "session_reference",
            "redirect_url",
            "instructions",
            "pay_by",
            "expires_at",
            "updated_at",
        ]
    )
    return deposit


def _valid_until(deposit: Deposit, view: PaymentView, pay_by: str) -> dt.datetime | None:
    """Return when the payment expires: as the PSP reports, else a wire after ten days, others as first intended."""
    try:
        expires_at = dt.datetime.fromisoformat(str(view.instructions.get("expires", "")))
    except ValueError:
        return deposit.created_at + WIRE_VALID_FOR if pay_by == PayBy.BANK_REFERENCE else deposit.expires_at
    return expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=dt.UTC)


# ── what the PSP reports ────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def apply_payment(*, psp_id: int, view: PaymentView) -> Applied:
    """Move a deposit on by what its PSP reports; a state that is not further along changes nothing."""
    deposit = Deposit.objects.filter(psp_id=psp_id, reference=view.reference).first()
    if deposit is None:
        return Applied(InboxState.UNMATCHED, f"No deposit {view.reference} at this PSP")
    deposit = lock_deposit(pk=deposit.pk)
    if deposit.psp_reference and view.psp_reference not in ("", deposit.psp_reference):
        return Applied(InboxState.UNMATCHED, f"{view.psp_reference} is not the payment of {deposit.reference}")
    deposit.psp_reference = deposit.psp_reference or view.psp_reference
    if view.status in (PaymentStatus.CAPTURED, PaymentStatus.REFUNDED, PaymentStatus.CHARGED_BACK):
        if DEPOSIT_RANK[deposit.state] >= DEPOSIT_RANK[DepositState.HELD]:
            return settlement.add_further_payment(deposit, view)
        _describe(deposit, view)
        return settlement.settle_or_hold(deposit, view)
    target = {
        PaymentStatus.PENDING: DepositState.PENDING,
        PaymentStatus.AUTHORISED: DepositState.AUTHORISED,
        PaymentStatus.FAILED: DepositState.FAILED,
    }.get(view.status)
    if target is None or DEPOSIT_RANK[deposit.state] >= DEPOSIT_RANK[target]:
        return Applied(InboxState.IGNORED, f"{deposit.reference} is {deposit.state} already")
    _describe(deposit, view)
    deposit.move_to(target)
    if target == DepositState.FAILED:
        deposit.next_look_up_at = None
    deposit.save()
    audit_deposit(deposit, WalletAction.of("deposit", target.value), reason=view.failure)
    if target == DepositState.FAILED:
        _publish_failure(deposit)
    return Applied(InboxState.DONE, f"{deposit.reference} is {deposit.state}")


def _publish_failure(deposit: Deposit) -> None:
    publish(
        DepositFailed(
            client_id=deposit.client_id,
            brand_id=deposit.brand_id,
            deposit_id=deposit.pk,
            amount=deposit.amount,
            currency=deposit.currency,
            psp=deposit.psp.code,
            reason=deposit.failure,
        )
    )


def _describe(deposit: Deposit, view: PaymentView) -> None:
    deposit.method = view.method or deposit.method
    deposit.instrument = view.instrument or deposit.instrument
    deposit.card_country = view.card_country or country_of_card(view.instrument) or deposit.card_country
    deposit.payer_name = view.payer_name or deposit.payer_name
    deposit.failure = view.failure


# ── look-up ────────────────────────────────────────────────────────────────────────────────────────────────────


def look_up_deposit(deposit_id: int) -> Deposit:
    """Ask the PSP for a deposit's state, e.g. when the client returns or no webhook came. Not in a transaction."""
    deposit = Deposit.objects.select_related("psp").get(pk=deposit_id)
    if deposit.state in DEPOSIT_ARRIVED or deposit.state == DepositState.HELD:
        return deposit
    try:
        adapter = adapter_of(deposit.psp)
        known_as = deposit.psp_reference or deposit.session_reference
        with about(deposit.reference):
            view = adapter.find_payment(
                deposit.reference, psp_reference=known_as, session_reference=deposit.session_reference
            )
            if view is not None:
                view = capture.captured(deposit.psp, adapter, view)
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
        deposit.move_to(DepositState.EXPIRED)
        deposit.next_look_up_at = None
        audit_deposit(deposit, WalletAction.DEPOSIT_EXPIRED)
    else:
        wait = LOOK_UP_WAITS_SECONDS[min(deposit.look_ups, len(LOOK_UP_WAITS_SECONDS) - 1)]
        deposit.look_ups += 1
        deposit.next_look_up_at = now + dt.timedelta(seconds=wait)
    deposit.save(update_fields=["state", "look_ups", "next_look_up_at", "updated_at"])


def due_deposits(*, limit: int = 100) -> list[int]:
    """List the open deposits whose next look-up at the PSP is due, the longest overdue first."""
    return list(
        Deposit.objects.filter(next_look_up_at__lte=timezone.now())
        .order_by("next_look_up_at")
        .values_list("pk", flat=True)[:limit]
    )
