"""Plans a withdrawal: back to the sources first, oldest deposit first, then the rest to where the client chooses.

Nothing is written here: the page shows a plan, and the request carries out the same one.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.errors import DomainError
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText
from crm.money.amounts import Money
from crm.security import crypto
from wallet.choices.ledger import AccountKind
from wallet.choices.psp import PspKind
from wallet.choices.withdrawals import Purpose, WithdrawalRoute, WithdrawalState
from wallet.models import Balance, Deposit, Psp, Withdrawal
from wallet.withdrawals.destinations import destination_label, hash_destination, hash_of
from wallet.withdrawals.payout_methods import PayoutMethod, methods_of
from wallet.withdrawals.plan_amounts import nearest
from wallet.withdrawals.refundable_deposits import Source, sources_of

PARTS_MAX = 20
REFUND_MINUTES = 3 * 24 * 60  # until a card's bank shows it
KNOWN_FOR_DAYS = 365  # a destination that was paid once is good for returns to its PSP so long


class TooManyParts(DomainError):
    code = "too_many_parts"


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One payment of a plan. The client gets `amount_minor` less `fee_minor`; `return_minor` of it goes back to a source."""

    psp: Psp
    way: WithdrawalRoute
    amount_minor: int
    currency: str
    label: str
    minutes: int
    return_minor: int = 0
    fee_minor: int = 0
    deposit: Deposit | None = None
    method: PayoutMethod | None = None
    destination: Mapping[str, str] = field(default_factory=dict)

    @property
    def money(self) -> Money:
        return Money.of_minor(self.amount_minor, self.currency)

    @property
    def method_name(self) -> LocalizedText:
        """How it is paid, for the client; never the provider's name."""
        return self.method.label if self.method else self.psp.client_name(self.currency)

    @property
    def fee(self) -> Money:
        return Money.of_minor(self.fee_minor, self.currency)

    @property
    def net(self) -> Money:
        """What arrives."""
        return Money.of_minor(self.amount_minor - self.fee_minor, self.currency)

    @property
    def mark(self) -> str:
        return hash_destination(self.destination)

    @property
    def place(self) -> tuple[int, str, str]:
        """Parts of the same place are one payment; a refund is a payment of its own."""
        return (
            self.psp.pk,
            self.method.code if self.method else "",
            f"D{self.deposit.pk}" if self.deposit else self.mark,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts in order; `unreturned` has what should go back to a source first but can't automatically."""

    parts: tuple[PlannedPart, ...]
    unreturned: tuple[tuple[str, Money], ...] = ()
    profit_minor: int = 0

    @property
    def fee_minor(self) -> int:
        return sum(part.fee_minor for part in self.parts)

    @property
    def fee(self) -> Money:
        return Money.of_minor(self.fee_minor, self.parts[0].currency)

    @property
    def net(self) -> Money:
        total = sum(part.amount_minor - part.fee_minor for part in self.parts)
        return Money.of_minor(total, self.parts[0].currency)

    @property
    def needs_destination(self) -> bool:
        """Whether something goes to a destination that the client hasn't entered yet."""
        return any(part.way == WithdrawalRoute.PAYOUT and not part.destination for part in self.parts)

    @property
    def mark(self) -> str:
        """A hash of the plan: the one that is carried out must be the one that was shown."""
        return hash_of(*((part.psp.pk, part.way, part.amount_minor, part.fee_minor, part.place) for part in self.parts))


class AmountDoesNotGo(DomainError):
    """A part would be outside its method's limits, or eaten up by its fee."""

    code = "amount_does_not_go"


def plan_withdrawal(
    client: Client, *, amount_minor: int, currency: str, chosen: PayoutMethod | None, destination: Mapping[str, str]
) -> Plan:
    """Split an amount over the sources, then pay the rest by the chosen method.

    Raises TooManyParts, AmountDoesNotGo (with the nearest amounts that do), DomainError (no method).
    """
    planner = _Planner(client, currency, chosen, destination)
    try:
        return planner.plan(amount_minor)
    except PartOutsideLimits as error:
        raise AmountDoesNotGo(planner.explain(error, amount_minor)) from error


class _Planner:
    """Plans for one client and request, for any amount: the database is read once."""

    def __init__(
        self, client: Client, currency: str, chosen: PayoutMethod | None, destination: Mapping[str, str]
    ) -> None:
        self.client, self.currency, self.chosen, self.destination = client, currency, chosen, destination
        self.sources = sources_of(client, currency)
        self._known: dict[int, tuple[PayoutMethod, dict[str, str]] | None] = {}

    def plan(self, amount_minor: int) -> Plan:
        parts, unreturned, rest = self._spread(amount_minor)
        if rest:
            if self.chosen is None:
                raise DomainError(_("Choose how you want to receive the money."))
            parts.append(_payout(self.chosen, rest, self.currency, self.destination))
        merged = _merged(parts)
        if len(merged) > PARTS_MAX:
            raise TooManyParts(
                _("This would take more than %(most)s payments. Request a smaller amount.") % {"most": PARTS_MAX}
            )
        return Plan(
            tuple(_with_fee(part) for part in merged),
            tuple((label, Money.of_minor(minor, self.currency)) for label, minor in unreturned.items()) if rest else (),
            profit_minor=max(rest - sum(unreturned.values()), 0),
        )

    def _spread(self, amount_minor: int) -> tuple[list[PlannedPart], dict[str, int], int]:
        """Return the parts that go back to sources, what should but can't (per source), and the rest."""
        parts: list[PlannedPart] = []
        unreturned: dict[str, int] = {}
        rest = amount_minor
        for source in self.sources:
            if rest == 0:
                break
            part = self._back_to(source, min(source.left_minor, rest))
            if part is None:
                unreturned[source.label] = unreturned.get(source.label, 0) + source.left_minor
                continue
            parts.append(part)
            rest -= part.amount_minor
        return parts, unreturned, rest

    def _back_to(self, source: Source, minor: int) -> PlannedPart | None:
        """Plan the return to one source, or None where none is possible automatically.

        Card money goes by refund; other money by payout where its destination is known, else by refund.
        """
        deposit = source.deposit
        if source.is_refundable and source.kind == PspKind.CARD:
            return _refund(source, minor)
        if self.chosen is not None and self.chosen.psp.pk == deposit.psp_id:
            return replace(_payout(self.chosen, minor, self.currency, self.destination), return_minor=minor)
        if source.is_refundable:
            return _refund(source, minor)
        if deposit.psp_id not in self._known:
            self._known[deposit.psp_id] = _known_destination(self.client, deposit.psp)
        known = self._known[deposit.psp_id]
        if known is None:
            return None
        method, where = known
        return replace(_payout(method, minor, self.currency, where), return_minor=minor)

    def explain(self, error: PartOutsideLimits, amount_minor: int) -> str:
        """Explain why a part can't be paid, and which amounts can: with its share where other parts go elsewhere."""
        whole, part = formats.money(Money.of_minor(amount_minor, self.currency)), error.part
        if part.amount_minor == amount_minor:
            return error.message
        words = {"whole": whole, "part": formats.money(part.money), "to": part.label, "limit": error.message}
        text = _("Of %(whole)s, only %(part)s would go to %(to)s; the rest goes back to where it came from. %(limit)s")
        if error.is_above:
            text = _("Of %(whole)s, %(part)s would go to %(to)s in one payment. %(limit)s")
        return f"{text % words} {self._advice(amount_minor)}"

    def _advice(self, amount_minor: int) -> str:
        less, more = nearest(self._judge, self._steps(), amount_minor)
        amounts = {
            name: formats.money(Money.of_minor(minor, self.currency))
            for name, minor in (("less", less), ("more", more))
            if minor
        }
        if less and more:
            return _("Request %(less)s or %(more)s instead.") % amounts
        if less or more:
            return _("Request %(amount)s instead.") % {"amount": next(iter(amounts.values()))}
        return _("Choose another method.")

    def _judge(self, amount_minor: int) -> int:
        try:
            self.plan(amount_minor)
        except PartOutsideLimits as error:
            return 1 if error.is_above else -1
        except DomainError:
            return 1
        return 0

    def _steps(self) -> list[int]:
        """List the amounts at which the next source begins; then everything available."""
        parts, _unreturned, _rest = self._spread(sum(source.left_minor for source in self.sources))
        filled = list(accumulate(part.amount_minor for part in parts))
        balance = Balance.objects.filter(
            account__client=self.client, account__kind=AccountKind.CLIENT_WALLET, account__currency=self.currency
        ).first()
        most = balance.available_minor if balance else 0
        return [*(step for step in filled if step < most), most]


def _refund(source: Source, minor: int) -> PlannedPart:
    deposit = source.deposit
    return PlannedPart(
        psp=deposit.psp,
        way=WithdrawalRoute.REFUND,
        amount_minor=minor,
        currency=deposit.currency,
        label=source.client_label,
        minutes=REFUND_MINUTES,
        return_minor=minor,
        deposit=deposit,
        destination={"payment": deposit.reference},
    )


def _payout(method: PayoutMethod, minor: int, currency: str, destination: Mapping[str, str]) -> PlannedPart:
    label = destination_label(destination) if destination else method.label
    return PlannedPart(
        psp=method.psp,
        way=WithdrawalRoute.PAYOUT,
        amount_minor=minor,
        currency=currency,
        label=label,
        minutes=method.minutes,
        method=method,
        destination=destination,
    )


def _known_destination(client: Client, psp: Psp) -> tuple[PayoutMethod, dict[str, str]] | None:
    """Return where this PSP last paid the client, recently: it is theirs, and the PSP accepts it."""
    methods = methods_of(psp) if psp.is_enabled else []
    since = timezone.now() - dt.timedelta(days=KNOWN_FOR_DAYS)
    last = (
        Withdrawal.objects.filter(
            client=client, psp=psp, way=WithdrawalRoute.PAYOUT, state=WithdrawalState.SETTLED, finished_at__gte=since
        )
        .select_related("method")
        .order_by("-id")
        .first()
    )
    if last is None or last.purpose != Purpose.WITHDRAWAL or not methods:
        return None
    code = last.method.code if last.method else methods[0].code
    method = next((method for method in methods if method.code == code), None)
    if method is None:
        return None
    return method, json.loads(crypto.decrypt_for_client(client.pk, bytes(last.sealed_destination)))


def _merged(parts: list[PlannedPart]) -> list[PlannedPart]:
    """Merge parts that go to the same place into one payment, in the order of its first part."""
    merged: dict[tuple[int, str, str], PlannedPart] = {}
    for part in parts:
        before = merged.get(part.place)
        merged[part.place] = (
            part
            if before is None
            else replace(
                before,
                amount_minor=before.amount_minor + part.amount_minor,
                return_minor=before.return_minor + part.return_minor,
            )
        )
    return list(merged.values())


class PartOutsideLimits(DomainError):
    """One part is too small or too large for its method; the message is the method's."""

    def __init__(self, part: PlannedPart, message: str, *, is_above: bool = False) -> None:
        super().__init__(message)
        self.part, self.is_above = part, is_above


def _with_fee(part: PlannedPart) -> PlannedPart:
    """Apply limits and fee of a payout to everything that goes by that method."""
    if part.method is None:
        return part
    side, words = part.method.judge_amount(part.amount_minor, part.currency)
    if side:
        raise PartOutsideLimits(part, words, is_above=side > 0)
    fee = part.method.fee_minor(part.amount_minor, part.currency)
    if fee >= part.amount_minor:
        raise PartOutsideLimits(
            part,
            _(
                "The fee for %(method)s, %(fee)s, is higher than the amount it would pay out. Request "
                "more or choose another method."
            )
            % {"method": part.method.label, "fee": formats.money(Money.of_minor(fee, part.currency))},
        )
    return replace(part, fee_minor=fee)
