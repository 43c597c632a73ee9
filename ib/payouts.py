"""Partners take what was credited to them: into their own trading wallet, and from there on to a trading account or a bank.

All three go through the wallet of the client record that staff linked to the partner, so every check of a transfer or a
withdrawal holds for commissions as for any other money.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from compliance.queries import may
from crm import approvals
from crm.db.locking import lock
from crm.errors import DomainError, IdempotencyConflict, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, localize, phrase
from crm.models import Actor, User
from crm.money import amounts
from crm.security import audit, crypto, policies
from ib.abuse import holds
from ib.audit_codes import IbAction
from ib.choices import PartnerRight, PayoutTo
from ib.models import Partner, Payout, PayoutRequest
from ib.settlement import balances_of
from ib.settlements.disputes import is_frozen
from ib.settlements.terms import terms_of
from ib.team.rights import can_act_for
from trading.choices import AccountState
from trading.models import TradingAccount
from wallet.choices.ledger import JournalKind
from wallet.choices.transfers import Direction, TransferState
from wallet.choices.withdrawals import WithdrawalState
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Transfer, Withdrawal
from wallet.transfers.verbs import start_transfer
from wallet.withdrawals.destinations import seal
from wallet.withdrawals.payout_methods import PayoutMethod, payout_method, payout_methods
from wallet.withdrawals.verbs import WithdrawalRequest, request_withdrawal

BANK_FIELDS: Final = frozenset({"iban", "holder"})
BY_THE_PARTNER: Final = phrase("Requested by the partner")


@dataclass(frozen=True)
class Destination:
    """Where a payout goes. `target`: the trading account's id, or the bank method's key (`PayoutMethod.key`)."""

    to: PayoutTo = PayoutTo.WALLET
    target: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.to}:{self.target}" if self.target else str(self.to)


@dataclass(frozen=True)
class Offer:
    """A destination as the form shows it; `currency` is empty where it takes any that is payable."""

    destination: Destination
    label: str
    currency: str = ""


def offers(partner: Partner, currencies: list[str]) -> list[Offer]:
    """List where this partner can have money of these currencies paid. Nothing without a linked client record."""
    client = partner.client
    if client is None:
        return []
    places = [Offer(Destination(), _("My wallet"))]
    if client.user_id is None:
        return places
    accounts = TradingAccount.objects.select_related("server").filter(
        client=client, state=AccountState.OPEN, is_demo=False, currency__in=currencies, missing_since__isnull=True
    )
    places += [
        Offer(
            Destination(PayoutTo.ACCOUNT, str(account.pk)),
            _("Trading account %(login)s (%(currency)s)") % {"login": account.login, "currency": account.currency},
            account.currency,
        )
        for account in accounts.order_by("pk")[:20]
    ]
    for currency in currencies:
        places += [
            Offer(
                Destination(PayoutTo.BANK, method.key),
                _("Bank account, %(method)s (%(currency)s)") % {"method": method.label, "currency": currency},
                currency,
            )
            for method in bank_methods(client, currency)
        ]
    return places


def bank_methods(client: Client, currency: str) -> list[PayoutMethod]:
    """List the payout methods that need nothing but an IBAN and the account holder."""
    return [
        method
        for method in payout_methods(client, currency)
        if "iban" in method.fields and set(method.fields) <= BANK_FIELDS
    ]


@transaction.atomic
def pay_out(
    *,
    partner_id: int,
    amount: Decimal,
    currency: str,
    request_key: str,
    actor: Actor,
    destination: Destination = Destination(),
    reason: LocalizedText = BY_THE_PARTNER,
) -> Payout | PayoutRequest:
    """Move credited commissions into the partner's own trading wallet, and on from there where they asked for it.

    Above the limit of the partner's terms a second person releases it first (`PayoutRequest`, with the reason). Who: the
    partner's team with `PartnerRight.PAY_OUT`, or the system by their terms. The same
    request_key with the same request is paid once; what a transfer or a withdrawal refuses leaves the balance as it was.
    Raises: NotAllowed, WrongState, IdempotencyConflict, WithdrawalNotPossible; DomainError without a trading wallet, or when the
    balance is smaller.
    """
    partner = lock(Partner, partner_id, "client__user")
    if actor is not None:
        policies.require(can_act_for(actor, partner, PartnerRight.PAY_OUT))
    known = _known(partner, request_key)
    if known is not None:
        if (known.amount, known.currency, known.destination) != (amount, currency, destination.key):
            raise IdempotencyConflict(_("This form was already submitted with a different amount. Start again."))
        return known
    client = _payee(partner)
    _check_amount(partner, amount, currency)
    if _needs_approval(partner, amount, currency):
        item = _request(partner, client, amount, currency, request_key, destination, reason)
        return approvals.propose(item, actor=actor or partner.user)
    return _pay(partner, client, amount, currency, request_key, actor, destination)


def _known(partner: Partner, request_key: str) -> Payout | PayoutRequest | None:
    """Find what the same form led to before: the payout, or the request that a second person decides."""
    return (
        Payout.objects.filter(partner=partner, request_key=request_key).first()
        or PayoutRequest.objects.filter(partner=partner, request_key=request_key).first()
    )


def _needs_approval(partner: Partner, amount: Decimal, currency: str) -> bool:
    """Whether a second person releases it, by the partner's terms. Payouts of 24 hours count together, or many small ones would
    get past the limit; one in another currency than the partner's always waits."""
    limit = terms_of(partner).approval_above
    if limit is None:
        return False
    day = Payout.objects.filter(partner=partner, currency=currency, paid_at__gt=timezone.now() - dt.timedelta(days=1))
    paid = day.aggregate(total=Sum("amount"))["total"] or Decimal(0)
    return currency != partner.currency or amount + paid > limit


def _request(
    partner: Partner,
    client: Client,
    amount: Decimal,
    currency: str,
    request_key: str,
    destination: Destination,
    reason: LocalizedText,
) -> PayoutRequest:
    """Make the request that a second person decides; a destination that can't be used is refused now rather than then."""
    check_destination(client, destination, currency)
    return PayoutRequest(
        partner=partner,
        request_key=request_key,
        amount=amount,
        currency=currency,
        destination=destination.key,
        sealed_details=seal(client.pk, destination.details) if destination.details else None,
        reason=localize(reason),
    )


def pay_request(item: PayoutRequest, actor: User) -> Payout:
    """Pay what a second person has approved: a part of the approval, which holds the partner's lock.

    Raises: WrongState, DomainError where the balance is smaller by now, or what a transfer or a withdrawal refuses.
    """
    client = _payee(item.partner)
    _check_amount(item.partner, item.amount, item.currency)
    destination = read_destination(client, item.destination, item.sealed_details)
    return _pay(item.partner, client, item.amount, item.currency, item.request_key, actor, destination)


def read_destination(client: Client, key: str, sealed: bytes | memoryview | None) -> Destination:
    """Open a destination as it is stored: its key, and its details sealed for the client."""
    to, _colon, target = key.partition(":")
    details: dict[str, str] = {}
    if sealed is not None:
        details = json.loads(crypto.decrypt_for_client(client.pk, bytes(sealed)))
    return Destination(PayoutTo(to), target, details)


def _pay(
    partner: Partner,
    client: Client,
    amount: Decimal,
    currency: str,
    request_key: str,
    actor: Actor,
    destination: Destination,
) -> Payout:
    minor = amounts.to_minor(amount, currency)
    owed = posting.partner_payable(brand_id=partner.brand_id, partner_id=partner.pk, currency=currency)
    posted = posting.post(
        Entry(
            key=f"ib-payout:{partner.pk}:{request_key}",
            kind=JournalKind.COMMISSION_PAYOUT,
            brand_id=partner.brand_id,
            lines=(Line(owed, -minor), Line(posting.wallet_of(client, currency), minor)),
            description=f"Commissions of {partner.code}",
        ),
        actor=actor,
    )
    reference = _send_on(
        client, destination, amount, currency, request_key=f"ib-payout:{partner.pk}:{request_key}"[:80]
    )
    payout = Payout.objects.create(
        partner=partner,
        request_key=request_key,
        amount=amount,
        currency=currency,
        journal_id=posted.journal_id,
        paid_at=timezone.now(),
        paid_by=actor,
        destination=destination.key,
        reference=reference,
    )
    audit.record(
        actor=actor,
        action=IbAction.COMMISSION_PAID_OUT,
        target=payout,
        brand_id=partner.brand_id,
        client_id=client.pk,
        after={"amount": str(amount), "currency": currency, "to": destination.key, "reference": reference},
    )
    return payout


def _payee(partner: Partner) -> Client:
    """Lock the linked client record before its wallet: the order of every transfer and withdrawal."""
    if partner.state != "active":
        raise WrongState(_("Your payouts are suspended. Contact your partner manager."))
    if is_frozen(partner.pk) or holds.is_held(partner):
        raise WrongState(_("Your payouts are on hold. Contact your partner manager."))
    if partner.client_id is None:
        raise DomainError(_("You don't have a wallet for payouts yet. Ask your partner manager to link one."))
    client = lock(Client, partner.client_id, "brand", "user")
    if not may(client, "withdrawal"):
        # Also while a match of the business name is under review.
        raise WrongState(_("Your payouts are on hold. Contact your partner manager."))
    return client


def _check_amount(partner: Partner, amount: Decimal, currency: str) -> None:
    if amount <= 0 or amounts.quantize(amount, currency) != amount:
        raise DomainError(
            _("Enter an amount above zero with no more decimal places than %(currency)s allows.")
            % {"currency": currency}
        )
    held = balances_of(partner).get(currency, Decimal(0))
    if amount > held:
        raise DomainError(
            _("Your balance is %(held)s; you requested %(amount)s.")
            % {"held": formats.money(held, currency), "amount": formats.money(amount, currency)}
        )


def check_destination(client: Client, destination: Destination, currency: str) -> None:
    """Refuse an account or a payout method that the client can't use in a currency. Raises: DomainError."""
    if destination.to == PayoutTo.ACCOUNT:
        _account_of(client, destination, currency)
    elif destination.to == PayoutTo.BANK:
        psp, _colon, code = destination.target.partition(":")
        payout_method(client, int(psp), code, currency)


def _account_of(client: Client, destination: Destination, currency: str) -> TradingAccount:
    account = TradingAccount.objects.filter(pk=int(destination.target), client=client, currency=currency).first()
    if account is None:
        raise DomainError(_("Choose a trading account in %(currency)s.") % {"currency": currency})
    return account


def _send_on(client: Client, destination: Destination, amount: Decimal, currency: str, *, request_key: str) -> str:
    """Move a payout from the wallet to its destination, as the person's own login would; return that movement's reference."""
    if destination.to == PayoutTo.WALLET:
        return ""
    if client.user is None:
        raise DomainError(_("Your client account has no login yet. Choose your wallet, or contact support."))
    if destination.to == PayoutTo.ACCOUNT:
        account = _account_of(client, destination, currency)
        return start_transfer(
            client_id=client.pk,
            trading_account_id=account.pk,
            direction=Direction.TO_TRADING,
            amount=amount,
            request_key=request_key,
            actor=client.user,
        ).reference
    psp, _colon, code = destination.target.partition(":")
    method = payout_method(client, int(psp), code, currency)
    return request_withdrawal(
        client_id=client.pk,
        request=WithdrawalRequest(
            psp_id=method.psp.pk, method=method.code, amount=amount, currency=currency, destination=destination.details
        ),
        request_key=request_key,
        actor=client.user,
    ).reference


def states_of(payouts: list[Payout]) -> dict[int, TransferState | WithdrawalState]:
    """Read the states of the payouts' transfers and withdrawals, in two statements."""
    references = {payout.reference: payout.pk for payout in payouts if payout.reference}
    if not references:
        return {}
    states: dict[int, TransferState | WithdrawalState] = {}
    for reference, state in Transfer.objects.filter(reference__in=references).values_list("reference", "state"):
        states[references[reference]] = TransferState(state)
    for reference, state in Withdrawal.objects.filter(reference__in=references).values_list("reference", "state"):
        states[references[reference]] = WithdrawalState(state)
    return states
