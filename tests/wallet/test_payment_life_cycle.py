"""The whole life of payments, driven at random over the real sandbox, against a slow and obvious model.

Hypothesis starts, pays, declines, charges back, delivers webhooks late, twice or never, asks for withdrawals, decides,
sends, loses answers, lets time pass. After every step the wallet is what the model says, to the minor unit; in the end the
PSP's own books say the same, nothing is stuck, and the ledger proves itself.
"""

import datetime as dt
import itertools
import json
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from crm import events
from tests.cast import make_client
from tests.sandbox.psp.running import wait_until
from tests.wallet.deposits.test_deposit import pay, start
from tests.wallet.withdrawals.test_withdrawal import IBAN
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import WithdrawalState
from wallet.deposits.verbs import look_up_deposit
from wallet.ledger import posting
from wallet.ledger.posting import InsufficientFunds
from wallet.ledger.verification import verify
from wallet.models import Balance, Deposit, Withdrawal
from wallet.withdrawals import sending
from wallet.withdrawals.verbs import (
    WithdrawalNotPossible,
    WithdrawalRequest,
    approve_withdrawal,
    cancel_withdrawal,
    reject_withdrawal,
    request_withdrawal,
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
NUMBER = itertools.count(1)


@dataclass
class Payment:
    """A deposit as the model knows it. `at_psp` is what the outside world did, the rest what we must have booked."""

    deposit: Deposit
    minor: int
    at_psp: str = "open"  # open, paid, declined, charged_back, reversed
    is_settled: bool = False
    taken_minor: int | None = None
    is_reversed: bool = False


@dataclass
class Part:
    """One part of a withdrawal: held until it is paid, or back in the wallet."""

    pk: int
    reference: str
    minor: int
    refund_of: int | None = None  # the deposit that it gives back; else a payout
    state: str = "asked"  # asked, approved, sent, paid, back

    @property
    def kind(self) -> str:
        return "refund" if self.refund_of else "payout"


@dataclass
class Model:
    """What the wallet must hold, added up from scratch each time."""

    payments: list[Payment] = field(default_factory=list)
    requests: list[list[Part]] = field(default_factory=list)

    @property
    def parts(self) -> list[Part]:
        return [part for parts in self.requests for part in parts]

    @property
    def posted(self) -> int:
        came = sum(one.minor for one in self.payments if one.is_settled)
        back = sum(one.taken_minor for one in self.payments if one.taken_minor is not None and not one.is_reversed)
        return came - back - sum(part.minor for part in self.parts if part.state == "paid")

    @property
    def held(self) -> int:
        return sum(part.minor for part in self.parts if part.state in ("asked", "approved", "sent"))

    @property
    def available(self) -> int:
        return self.posted - self.held


class PaymentLife(RuleBasedStateMachine):
    """One client, one PSP, everything that can happen between them."""

    cast = outside = None

    def __init__(self) -> None:
        super().__init__()
        number = next(NUMBER)
        self.client = make_client(
            brand=self.cast.brand,
            book=self.cast.client.book,
            email=f"life{number}@example.com",
            first_name="Clara",
            last_name="Weber",
            kyc_level=2,
            country="DE",
        )
        self.wallet = posting.wallet_of(self.client, "EUR")
        self.model = Model()
        self.told: list[tuple[dict, bytes]] = []  # webhooks of this client, in the order in which they were sent
        self.taken_in = 0

    # ── the outside world ────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, reference: str, *types: str) -> None:
        """Wait until the PSP has sent these; they are delivered when a rule says so.

        In the order of `types`, however they came: what Hypothesis draws must not hang on the network's haste.
        """

        def found() -> list:
            fresh = {
                json.loads(body)["type"]: (headers, body)
                for headers, body in list(self.outside.catcher.received)
                if json.loads(body)["data"]["reference"] == reference and (headers, body) not in self.told
            }
            return [fresh[one] for one in types] if fresh.keys() >= set(types) else []

        self.told += wait_until(found)

    @rule(minor=st.integers(1_000, 90_000))
    def start(self, minor: int) -> None:
        amount = str(Decimal(minor) / 100)
        deposit = start(self.cast, self.outside, amount, key=f"k{next(NUMBER)}", client=self.client)
        self.model.payments.append(Payment(deposit, minor))

    def some(self, at_psp: str) -> list[Payment]:
        return [one for one in self.model.payments if one.at_psp == at_psp]

    @precondition(lambda self: self.some("open"))
    @rule(data=st.data())
    def pay(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.some("open")))
        pay(one.deposit)
        one.at_psp = "paid"
        self.hear(one.deposit.reference, "payment.authorised", "payment.captured")

    @precondition(lambda self: self.some("open"))
    @rule(data=st.data())
    def decline(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.some("open")))
        self.outside.running.play("northpay", one.deposit.reference, "decline")
        one.at_psp = "declined"
        self.hear(one.deposit.reference, "payment.failed")

    @precondition(lambda self: any(one.is_settled for one in self.some("paid")))
    @rule(data=st.data())
    def charge_back(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from([one for one in self.some("paid") if one.is_settled]))
        self.outside.running.play("northpay", one.deposit.reference, "chargeback")
        one.at_psp = "charged_back"
        self.hear(one.deposit.reference, "payment.chargeback")

    @precondition(lambda self: any(one.taken_minor is not None for one in self.some("charged_back")))
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from([one for one in self.some("charged_back") if one.taken_minor is not None]))
        self.outside.running.play("northpay", one.deposit.reference, "chargeback-reversal")
        one.at_psp = "reversed"
        self.hear(one.deposit.reference, "payment.chargeback_reversed")

    # ── what reaches us ──────────────────────────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: self.taken_in < len(self.told))
    @rule()
    def next_webhook(self) -> None:
        self.deliver(self.taken_in)
        self.taken_in += 1

    @precondition(lambda self: self.taken_in)
    @rule(data=st.data())
    def a_webhook_again(self, data: st.DataObject) -> None:
        self.deliver(data.draw(st.integers(0, self.taken_in - 1)))

    def deliver(self, place: int) -> None:
        headers, body = self.told[place]
        assert self.outside.post(headers, body) == 200
        self.outside.process()
        message = json.loads(body)
        self.apply(message["type"], message["data"]["reference"])

    def apply(self, kind: str, reference: str) -> None:
        """What the model makes of a message; one that it has seen before changes nothing."""
        for part in self.model.parts:
            if part.reference == reference and part.state == "sent":
                part.state = "paid" if kind.endswith(".paid") else "back"
        for one in self.model.payments:
            if one.deposit.reference != reference:
                continue
            if kind == "payment.captured":
                one.is_settled = True
            elif kind == "payment.chargeback" and one.taken_minor is None:
                one.taken_minor = min(max(self.model.available, 0), one.minor)
            elif kind == "payment.chargeback_reversed":
                one.is_reversed = True

    @precondition(lambda self: self.some("paid"))
    @rule(data=st.data())
    def look_up(self, data: st.DataObject) -> None:
        """The client comes back before the webhook does."""
        one = data.draw(st.sampled_from(self.some("paid")))
        look_up_deposit(one.deposit.pk)
        one.is_settled = True

    # ── money out ────────────────────────────────────────────────────────────────────────────────────────────────────

    @rule(minor=st.integers(1_000, 60_000))
    def ask(self, minor: int) -> None:
        key = f"w{next(NUMBER)}"
        wanted = WithdrawalRequest(
            psp_id=self.outside.psp.pk, amount=Decimal(minor) / 100, currency="EUR", destination=IBAN
        )
        call = {"client_id": self.client.pk, "request": wanted, "request_key": key, "actor": self.client.user}
        try:
            first = request_withdrawal(**call)
        except (WithdrawalNotPossible, InsufficientFunds):
            assert minor > self.model.available
            return
        assert minor <= self.model.available
        assert request_withdrawal(**call).pk == first.pk  # the same click twice
        parts = Withdrawal.objects.filter(client=self.client, request_key=key).order_by("part")
        self.model.requests.append(
            [Part(part.pk, part.reference, part.amount_minor, part.source_deposit_id) for part in parts]
        )
        assert sum(part.minor for part in self.model.requests[-1]) == minor

    def asked(self) -> list[list[Part]]:
        return [parts for parts in self.model.requests if parts[0].state == "asked"]

    @precondition(lambda self: self.asked())
    @rule(data=st.data(), verdict=st.sampled_from(["approve", "approve", "approve", "reject", "cancel"]))
    def decide(self, data: st.DataObject, verdict: str) -> None:
        parts = data.draw(st.sampled_from(self.asked()))
        if verdict == "approve":
            for finance in (self.cast.finance, self.cast.second_finance):
                withdrawal = Withdrawal.objects.get(pk=parts[0].pk)
                if withdrawal.state in (WithdrawalState.REQUESTED, WithdrawalState.AWAITING_SECOND_APPROVAL):
                    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=finance)
        elif verdict == "reject":
            reject_withdrawal(withdrawal_id=parts[0].pk, actor=self.cast.finance, reason="No")
        else:
            cancel_withdrawal(withdrawal_id=parts[0].pk, actor=self.client.user)
        for part in parts:
            part.state = "approved" if verdict == "approve" else "back"

    @precondition(lambda self: any(part.state == "approved" for part in self.model.parts))
    @rule(data=st.data(), fault=st.sampled_from(["", "", "payout_fail", "lose_answer", "reset"]))
    def send(self, data: st.DataObject, fault: str) -> None:
        part = data.draw(st.sampled_from([part for part in self.model.parts if part.state == "approved"]))
        if any(one.deposit.pk == part.refund_of for one in self.some("charged_back")):
            sending.send_payout(part.pk)  # the payer's bank was faster: there is nothing left to refund
            part.state = "back"
            return
        if part.refund_of and fault == "payout_fail":
            fault = ""
        if fault:
            self.outside.running.fault(fault, True if fault != "payout_fail" else "account_closed", times=1)
        sending.send_payout(part.pk)
        sending.send_payout(part.pk)  # a second worker
        self.outside.running.control("faults", {"clear": True})
        if fault == "reset":
            # Cut before anything was booked: nobody can know, so it is looked up until that is certain.
            self.time_passes()
            part.state = "back"
            return
        part.state = "sent"
        wait_until(
            lambda: any(
                row["status"] != "pending"
                for row in self.outside.running.store.rows(
                    "SELECT status FROM transfers WHERE reference = ?", part.reference
                )
            )
        )
        self.hear(part.reference, "payout.failed" if fault == "payout_fail" else f"{part.kind}.paid")

    @precondition(lambda self: any(part.state == "sent" for part in self.model.parts))
    @rule()
    def time_passes(self) -> None:
        """Nobody told us: what is due is looked up at the PSP."""
        past = timezone.now() - dt.timedelta(minutes=10)
        Withdrawal.objects.filter(client=self.client, next_look_up_at__isnull=False).update(
            next_look_up_at=past, sent_at=past
        )
        for part in self.model.parts:
            if part.state == "sent":
                sending.look_up_payout(part.pk)
                kind = self.outside.running.store.rows(
                    "SELECT status FROM transfers WHERE reference = ?", part.reference
                )[0]["status"]
                part.state = "paid" if kind == "paid" else "back"
            else:
                sending.look_up_payout(part.pk)
        events.drain()

    # ── what must hold ───────────────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def the_wallet_is_what_the_model_says(self) -> None:
        balance = Balance.objects.get(pk=self.wallet.pk)
        assert (balance.posted_minor, balance.reserved_minor) == (self.model.posted, self.model.held)
        assert balance.available_minor >= 0

    def teardown(self) -> None:
        while self.taken_in < len(self.told):
            self.next_webhook()
        self.time_passes()
        self.the_wallet_is_what_the_model_says()
        ends = {"paid": WithdrawalState.SETTLED}
        for part in self.model.parts:
            state = Withdrawal.objects.get(pk=part.pk).state
            assert part.state in ("asked", "approved", "paid", "back")
            assert state == ends.get(part.state, state)
        for one in self.model.payments:
            refunded = sum(
                part.minor for part in self.model.parts if (part.refund_of, part.state) == (one.deposit.pk, "paid")
            )
            kept = DepositState.REFUNDED if refunded == one.minor else DepositState.SETTLED
            expected = {
                "open": {DepositState.CREATED},
                "declined": {DepositState.FAILED},
                "paid": {kept},
                "charged_back": {DepositState.CHARGED_BACK},
                "reversed": {DepositState.CHARGEBACK_REVERSED},
            }
            assert Deposit.objects.get(pk=one.deposit.pk).state in expected[one.at_psp]
        paid_out = self.outside.running.store.rows(
            f"SELECT coalesce(sum(amount_minor), 0) AS minor FROM transfers WHERE status = 'paid' AND reference IN"
            f" ({','.join('?' * len(self.model.parts)) or 'NULL'})",
            *[part.reference for part in self.model.parts],
        )[0]["minor"]
        assert paid_out == sum(part.minor for part in self.model.parts if part.state == "paid")
        assert verify().problems == []


def test_any_life_of_payments_ends_as_the_model_and_the_psp_say(cast, outside):
    PaymentLife.cast, PaymentLife.outside = cast, outside
    outside.psp.methods.update(payout_minimum_minor=1)  # what is left for the last part may be little
    run_state_machine_as_test(
        PaymentLife,
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
