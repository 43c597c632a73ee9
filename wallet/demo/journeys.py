"""What each client did with money, told forwards in time so that no wallet is ever overdrawn."""

from __future__ import annotations

import datetime as dt
import heapq
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

from clients.choices import Stage
from clients.models import Client
from crm.demo import Demo
from crm.money.amounts import to_minor
from trading.demo import Transfer as Moved
from trading.models import TradingAccount
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import JournalKind, Phase
from wallet.choices.psp import PspKind
from wallet.choices.transfers import Direction
from wallet.choices.withdrawals import WithdrawalState
from wallet.core.references import ALPHABET, LENGTH
from wallet.demo.psps import OFFER
from wallet.models import Deposit, PaymentMethod, Psp, Transfer, Withdrawal

FUNDED = (Stage.FUNDED, Stage.ACTIVE, Stage.DORMANT)
QUEUE_SIZE = 14  # withdrawals that wait for finance, in the full demo
MINUTE = dt.timedelta(minutes=1)
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
JOURNAL_KINDS: dict[type, JournalKind] = {
    Deposit: JournalKind.DEPOSIT,
    Withdrawal: JournalKind.WITHDRAWAL,
    Transfer: JournalKind.TRANSFER,
}
NICE = (5_000, 10_000, 20_000, 25_000, 50_000)
Accounts: TypeAlias = dict[int, TradingAccount]
Event: TypeAlias = tuple[dt.datetime, str, Any]  # when, which of the Teller's methods, and what it is about


@dataclass
class Step:
    """One journal to be: the wallet's side, signed, against a clearing account."""

    client: Client
    currency: str
    at: dt.datetime
    key: str
    kind: JournalKind
    phase: Phase
    minor: int
    other: tuple[str, int]  # ("psp", id) or ("server", id)
    about: Deposit | Withdrawal | Transfer
    journal_id: int = 0
    resolves: Step | None = None


@dataclass
class Plans:
    """Everything that is to be written."""

    steps: list[Step] = field(default_factory=list)
    deposits: list[Deposit] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)


@dataclass
class Purse:
    """One wallet while it is told: what is free, and when it last moved."""

    free: int = 0
    last: dt.datetime = LONG_AGO

    def stamp(self, wanted: dt.datetime) -> dt.datetime:
        """A time not before the last posting."""
        self.last = max(wanted, self.last + dt.timedelta(seconds=1))
        return self.last


def tell(demo: Demo, psps: list[Psp]) -> Plans:
    """Everybody's history, client by client."""
    plans = Plans()
    moved = defaultdict(list)
    for transfer in demo.extra.get("trading_transfers", []):
        moved[transfer.client_id].append(transfer)
    accounts = TradingAccount.objects.in_bulk([row.account_id for rows in moved.values() for row in rows])
    methods = {method.psp_id: method for method in PaymentMethod.objects.filter(psp__in=psps)}
    clients = Client.objects.filter(stage__in=FUNDED).select_related("brand").defer("search_text").order_by("pk")
    for client in clients:
        Teller(demo, psps, methods, client, plans).tell(moved.get(client.pk, []), accounts)
    _queue(demo, methods, plans)
    return plans


class Teller:
    """Tells one client's money."""

    def __init__(
        self, demo: Demo, psps: list[Psp], methods: dict[int, PaymentMethod], client: Client, plans: Plans
    ) -> None:
        self.demo, self.rng, self.client, self.plans = demo, demo.rng, client, plans
        self.psps = [psp for psp in psps if psp.brand_id == client.brand_id]
        self.methods = methods
        self.purses: dict[str, Purse] = defaultdict(Purse)
        self.favourite: dict[str, Psp] = {}

    def tell(self, moved: list[Moved], accounts: Accounts) -> None:
        order = count()
        events: list[tuple[dt.datetime, int, str, Any]] = [(row.at, next(order), "transfer", row) for row in moved]
        if not moved:
            registered = self.client.registered_at or self.client.created_at
            at = min(registered + dt.timedelta(days=self.rng.uniform(1, 6)), self.demo.now - dt.timedelta(hours=2))
            events.append((at, next(order), "deposit", self.rng.choice(NICE) * self.rng.choice([1, 2, 4])))
        heapq.heapify(events)
        while events:
            at, _order, what, thing = heapq.heappop(events)
            follow = getattr(self, f"_{what}")(at, thing, accounts)
            for later, name, more in follow:
                heapq.heappush(events, (later, next(order), name, more))

    # ── money in ──

    def _deposit(self, at: dt.datetime, minor: int, _accounts: Accounts) -> Iterator[Event]:
        currency = self.client.brand.base_currency
        self.pay_in(currency, minor, at)
        return iter(())

    def pay_in(self, currency: str, minor: int, at: dt.datetime) -> Deposit:
        purse, psp = self.purses[currency], self._psp(currency)
        settled = purse.stamp(at)
        created = settled - dt.timedelta(seconds=self.rng.uniform(50, 400))
        if self.rng.random() < 0.12:
            self._try_in_vain(psp, currency, minor, created - dt.timedelta(minutes=self.rng.uniform(2, 30)))
        deposit = self._intent(psp, currency, minor, created)
        deposit.state, deposit.settled_at = DepositState.SETTLED, settled
        deposit.received_minor = deposit.credited_minor = minor
        purse.free += minor
        self._step(deposit, settled, "settle", Phase.POSTED, minor, ("psp", psp.pk))
        return deposit

    def _try_in_vain(self, psp: Psp, currency: str, minor: int, at: dt.datetime) -> None:
        deposit = self._intent(psp, currency, minor, at)
        if self.rng.random() < 0.7:
            deposit.state = DepositState.FAILED
            deposit.failure = self.rng.choice(["declined_by_issuer", "insufficient_funds", "cancelled_by_client"])
        else:
            deposit.state = DepositState.EXPIRED

    def _intent(self, psp: Psp, currency: str, minor: int, at: dt.datetime) -> Deposit:
        reference = new_reference(self.rng, "D")
        method, instrument = _instrument(self.rng, psp)
        deposit = Deposit(
            client=self.client,
            brand_id=self.client.brand_id,
            psp=psp,
            reference=reference,
            request_key=reference,
            payment_method=self.methods[psp.pk],
            amount_minor=minor,
            currency=currency,
            created_at=at,
            psp_reference=f"pay_{self.rng.randbytes(12).hex()}",
            expires_at=at + dt.timedelta(hours=24),
            method=method,
            instrument=instrument,
            card_country=self._card_country() if psp.kind == PspKind.CARD else "",
            payer_name=self.client.full_name,
        )
        self.plans.deposits.append(deposit)
        return deposit

    def _card_country(self) -> str:
        """Most pay with a card of where they live; a few cards are from elsewhere."""
        return self.client.country if self.client.pk % 40 else "GB"

    def _psp(self, currency: str) -> Psp:
        """People stay with their way of paying."""
        if currency not in self.favourite or self.rng.random() < 0.15:
            offered = [psp for psp in self.psps if currency in OFFER[psp.code].currencies]
            weights = [OFFER[psp.code].weight for psp in offered]
            self.favourite[currency] = self.rng.choices(offered, weights)[0]
        return self.favourite[currency]

    # ── between wallet and platform ──

    def _transfer(self, at: dt.datetime, row: Moved, accounts: Accounts) -> Iterator[Event]:
        account, currency = accounts[row.account_id], row.currency
        minor, purse = to_minor(abs(row.amount), currency), self.purses[row.currency]
        inward = row.amount > 0
        if inward and purse.free < minor:
            extra = self.rng.choice(NICE) if self.rng.random() < 0.08 else 0
            self.pay_in(currency, minor - purse.free + extra, at - MINUTE * self.rng.uniform(2, 50))
        transfer = Transfer(
            client=self.client,
            brand_id=self.client.brand_id,
            trading_account_id=account.pk,
            trading_account_label=str(account)[:80],
            operation_id=row.operation_id,
            amount_minor=minor,
            currency=currency,
            direction=Direction.TO_TRADING if inward else Direction.TO_WALLET,
            reference=new_reference(self.rng, "T"),
            state="settled",
            requested_by_id=self.client.user_id,
        )
        transfer.request_key = transfer.reference
        transfer.created_at = purse.stamp(at - dt.timedelta(seconds=2))
        transfer.finished_at = purse.stamp(at)
        self.plans.transfers.append(transfer)
        server = ("server", account.server_id)
        if inward:
            purse.free -= minor
            held = self._step(transfer, transfer.created_at, "reserve", Phase.PENDING, -minor, server)
            self._step(transfer, transfer.finished_at, "settle", Phase.POST, 0, server, held)
            later = at + dt.timedelta(days=self.rng.uniform(1, 20))
            if self.rng.random() < 0.3 and later < self.demo.now:
                yield later, "change_of_mind", (currency, self.rng.choice(NICE) * self.rng.choice([1, 2, 4]))
            return
        purse.free += minor
        self._step(transfer, transfer.finished_at, "settle", Phase.POSTED, minor, server)
        if self.rng.random() < 0.8:
            asked = at + dt.timedelta(hours=self.rng.uniform(0.2, 30))
            if asked < self.demo.now:
                yield asked, "withdraw", (currency, minor)

    def _change_of_mind(self, at: dt.datetime, wish: tuple[str, int], _accounts: Accounts) -> Iterator[Event]:
        """Paid in and never traded with: asked back some days later."""
        currency, minor = wish
        self.pay_in(currency, minor, at)
        asked = at + dt.timedelta(days=self.rng.uniform(0.3, 12))
        if asked < self.demo.now:
            yield asked, "withdraw", (currency, minor)

    # ── money out ──

    def _withdraw(self, at: dt.datetime, wish: tuple[str, int], _accounts: Accounts) -> Iterator[Event]:
        currency, minor = wish
        withdrawal, held = self.ask(currency, minor, at)
        if withdrawal is None:
            return
        ends = withdrawal.requested_at + dt.timedelta(hours=self.rng.expovariate(1 / 9) + 0.3)
        if ends < self.demo.now - dt.timedelta(minutes=5):
            yield ends, "end", (withdrawal, held)

    def ask(self, currency: str, minor: int, at: dt.datetime) -> tuple[Withdrawal | None, Step | None]:
        purse = self.purses[currency]
        minor = min(minor, purse.free)
        if minor < 1_000:
            return None, None
        psp = self._psp(currency)
        reference = new_reference(self.rng, "W")
        withdrawal = Withdrawal(
            client=self.client,
            brand_id=self.client.brand_id,
            psp=psp,
            reference=reference,
            request_key=reference,
            amount_minor=minor,
            currency=currency,
            requested_at=purse.stamp(at),
            requested_by_id=self.client.user_id,
            request_reference=reference,
            request_minor=minor,
            return_minor=minor,
        )
        purse.free -= minor
        self.plans.withdrawals.append(withdrawal)
        held = self._step(withdrawal, withdrawal.requested_at, "reserve", Phase.PENDING, -minor, ("psp", psp.pk))
        return withdrawal, held

    def _end(self, at: dt.datetime, thing: tuple[Withdrawal, Step], _accounts: Accounts) -> Iterator[Event]:
        withdrawal, held = thing
        purse = self.purses[withdrawal.currency]
        chance = self.rng.random()
        withdrawal.finished_at = purse.stamp(at)
        if chance < 0.9:
            withdrawal.state, withdrawal.psp_reference = WithdrawalState.SETTLED, f"po_{self.rng.randbytes(12).hex()}"
            name, phase = "settle", Phase.POST
        else:
            withdrawal.state, withdrawal.reason = self.rng.choice(
                [
                    (WithdrawalState.REJECTED, "The account is not in your name"),
                    (WithdrawalState.CANCELLED, ""),
                    (WithdrawalState.FAILED, "account_closed"),
                ]
            )
            name, phase = "release", Phase.VOID
            purse.free += withdrawal.amount_minor
        self._step(withdrawal, withdrawal.finished_at, name, phase, 0, ("psp", withdrawal.psp_id), held)
        return iter(())

    def _step(
        self,
        about: Deposit | Withdrawal | Transfer,
        at: dt.datetime,
        name: str,
        phase: Phase,
        minor: int,
        other: tuple[str, int],
        resolves: Step | None = None,
    ) -> Step:
        key = f"{about._meta.model_name}:{about.reference}:{name}"
        kind = JOURNAL_KINDS[type(about)]
        step = Step(self.client, about.currency, at, key, kind, phase, minor, other, about, resolves=resolves)
        self.plans.steps.append(step)
        return step


def _queue(demo: Demo, methods: dict[int, PaymentMethod], plans: Plans) -> None:
    """Some clients ask for a part of what they just paid in: finance's queue is never empty in the morning."""
    recent = [
        deposit
        for deposit in plans.deposits
        if deposit.state == DepositState.SETTLED and deposit.settled_at and deposit.amount_minor >= 10_000
    ]
    psps = list({deposit.psp_id: deposit.psp for deposit in recent}.values())
    for deposit in demo.rng.sample(recent, min(demo.count(QUEUE_SIZE), len(recent))):
        teller = Teller(demo, psps, methods, deposit.client, plans)
        teller.favourite[deposit.currency] = deposit.psp
        last = max(step.at for step in plans.steps if step.client.pk == deposit.client_id)
        purse = teller.purses[deposit.currency]
        purse.last = last
        at = max(demo.now - dt.timedelta(hours=demo.rng.uniform(1, 40)), last + MINUTE)
        if at + dt.timedelta(minutes=4) < demo.now:
            again = teller.pay_in(deposit.currency, deposit.amount_minor, at)
            wanted = again.amount_minor * demo.rng.choice([25, 40, 50, 80]) // 100
            teller.ask(deposit.currency, wanted, at + dt.timedelta(minutes=2))


def new_reference(rng: random.Random, letter: str) -> str:
    return f"{letter}-" + "".join(rng.choices(ALPHABET, k=LENGTH))


def _instrument(rng: random.Random, psp: Psp) -> tuple[str, str]:
    if psp.kind == PspKind.CARD:
        return rng.choice(["visa", "mastercard"]), f"•••• {rng.randrange(10_000):04d}"
    if psp.kind == PspKind.BANK:
        return "sepa_instant", f"IBAN •••• {rng.randrange(10_000):04d}"
    if psp.kind == PspKind.CRYPTO:
        return "usdt", f"bc1q…{rng.randbytes(2).hex()}"
    return ("quickpurse", "") if psp.kind == PspKind.WALLET else (rng.choice(["blik", "przelewy24"]), "")
