"""A withdrawal goes back to where the money came from: split over deposits, decided as one, paid part by part."""

import dataclasses
import datetime as dt
from decimal import Decimal

import httpx
import pytest
from django.db import IntegrityError, transaction

from crm import events
from crm.conditions import all_of
from crm.errors import DomainError, NotAllowed
from crm.models import Notification
from tests.brand_policies import set_policies
from tests.wallet.factories import at_once, available, fund, make_psp
from tests.wallet.withdrawals.test_withdrawal import IBAN, ask, paid_in, rich, state, wallet
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind
from wallet.choices.withdrawals import WithdrawalRoute, WithdrawalState
from wallet.deposits.verbs import DepositRequest, start_deposit
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, PaymentMethod, PspMovement, Withdrawal
from wallet.withdrawals import sending
from wallet.withdrawals.payout_methods import payout_method
from wallet.withdrawals.payout_results import parts_of
from wallet.withdrawals.return_to_source import PARTS_MAX, TooManyParts, plan_withdrawal
from wallet.withdrawals.verbs import (
    PlanChanged,
    WithdrawalRequest,
    approve_withdrawal,
    cancel_withdrawal,
    preview_withdrawal,
    reject_withdrawal,
)

__all__ = ["rich"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(rich, outside):
    """Another PSP, a bank, that the client never paid in through."""
    return make_psp(rich.brand, "sepalink", base_url=outside.running.url, kind="bank")


def card_deposit(cast, outside, amount: str) -> Deposit:
    """A real deposit by card at the sandbox: it can be refunded there."""
    deposit = start_deposit(
        client_id=cast.client.pk,
        request=DepositRequest(psp_id=outside.psp.pk, amount=Decimal(amount), currency="EUR"),
        request_key=f"card{amount}",
        return_url="https://example.com/{reference}/",
        actor=cast.client_user,
    )
    card = {"payer_name": "Clara Weber", "card_number": "4242424242424242", "expiry": "12/39", "cvc": "123"}
    httpx.post(deposit.redirect_url, data={**card, "action": "pay"}, follow_redirects=False)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert deposit.state == DepositState.SETTLED and deposit.instrument
    return deposit


@pytest.fixture
def mixed(cast, outside):
    """EUR 300 by card, then EUR 150 profit, in the wallet of a verified client."""
    cast.client.kyc_level = 2
    cast.client.save()
    deposit = card_deposit(cast, outside, "300")
    fund(cast.client, 15_000, key="profit")
    return deposit


def shape(withdrawal: Withdrawal) -> list[tuple]:
    return [(part.way, part.psp.code, part.amount_minor, part.return_minor) for part in parts_of(withdrawal)]


def decide(cast, withdrawal: Withdrawal) -> None:
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance)
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.second_finance)


def test_the_deposit_goes_back_to_its_card_and_the_rest_where_the_client_says(mixed, cast, outside):
    bank = make_psp(cast.brand, "sepalink", base_url=outside.running.url, kind="bank")
    withdrawal = ask(cast, outside, "400", psp=bank)
    assert shape(withdrawal) == [("refund", "northpay", 30_000, 30_000), ("payout", "sepalink", 10_000, 0)]
    first, second = parts_of(withdrawal)
    assert (first.source_deposit, first.destination_label) == (mixed, mixed.instrument)
    assert (second.reference, second.request_reference) == (f"{first.reference}-2", first.reference)
    assert (first.needs_second, second.needs_second, second.request_minor) == (True, True, 40_000)
    assert available(wallet(cast)) == 5_000
    decide(cast, withdrawal)
    assert {sending.send_payout(part.pk) for part in (first, second)} <= {"sent", "settled"}
    rows = outside.running.store.rows("SELECT kind, amount_minor FROM transfers ORDER BY kind")
    assert [(row["kind"], row["amount_minor"]) for row in rows] == [("payout", 10_000), ("refund", 30_000)]
    # The sandbox's webhooks of the second PSP go to its own address; the look-up brings the same.
    outside.deliver(wait_for=2)
    for part in (first, second):
        sending.look_up_payout(part.pk)
    mixed.refresh_from_db()
    assert (state(first), state(second)) == (WithdrawalState.SETTLED, WithdrawalState.SETTLED)
    assert (mixed.state, mixed.refunded_minor) == (DepositState.REFUNDED, 30_000)
    assert PspMovement.objects.get(kind="refund").amount_minor == -30_000
    assert posting.balance(wallet(cast)) == 5_000
    events.drain()
    cast.client.refresh_from_db()
    assert cast.client.net_deposits == Decimal(-100), "300 came, 400 went"
    assert verify().holds


def test_oldest_deposits_go_back_first_and_only_what_is_left_of_them(rich, outside, bank):
    paid_in(rich.client, bank, 20_000)
    Deposit.objects.filter(psp=bank).update(settled_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=3))
    withdrawal = ask(rich, outside, "150", psp=bank)
    assert shape(withdrawal) == [("payout", "sepalink", 15_000, 15_000)]
    again = ask(rich, outside, "100", key="k2", psp=bank)
    part = again.checks.get(name="return_to_source")
    assert shape(again) == [("payout", "sepalink", 10_000, 5_000)], (
        "the bank brought 50 more; Northpay is not refundable"
    )
    assert "Northpay €1,000.00" in part.reason


def test_a_refund_on_its_way_is_not_planned_twice(mixed, cast, outside):
    ask(cast, outside, "200")
    again = ask(cast, outside, "150", key="k2")
    assert shape(again) == [("refund", "northpay", 10_000, 10_000), ("payout", "northpay", 5_000, 0)]


def test_a_cancelled_request_frees_all_its_parts_and_their_sources(mixed, cast, outside):
    first = ask(cast, outside, "400")
    assert len(parts_of(first)) == 2
    cancel_withdrawal(withdrawal_id=parts_of(first)[1].pk, actor=cast.client_user)
    assert [part.state for part in parts_of(first)] == ["cancelled", "cancelled"]
    assert available(wallet(cast)) == 45_000
    assert shape(ask(cast, outside, "400", key="k2"))[0] == ("refund", "northpay", 30_000, 30_000)


def test_a_rejection_is_one_word_about_the_whole_request(mixed, cast, outside):
    withdrawal = ask(cast, outside, "400")
    reject_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance, reason="Not your card")
    events.drain()
    told = Notification.objects.get(user=cast.client_user, kind="portal.withdrawal")
    assert "€400.00" in told.title and told.body == "Not your card"
    assert available(wallet(cast)) == 45_000


def test_limits_look_at_the_whole_request_not_at_its_parts(mixed, cast, outside):
    set_policies(cast.brand, withdrawal_four_eyes_minor=35_000, withdrawal_auto_approve_minor=35_000)
    withdrawal = ask(cast, outside, "360")
    assert all(part.needs_second and part.state == "requested" for part in parts_of(withdrawal))


def test_small_and_clean_all_parts_go_alone(mixed, cast, outside):
    set_policies(cast.brand, withdrawal_four_eyes_minor=50_000, withdrawal_auto_approve_minor=50_000)
    cast.client.restrictions = []
    withdrawal = ask(cast, outside, "300")
    found = {check.name: check.outcome for check in withdrawal.checks.all()}
    expected = "approved" if set(found.values()) == {"pass"} else "requested"
    assert withdrawal.state == expected, found


def test_a_lost_refund_is_looked_up_and_never_repeated(mixed, cast, outside):
    withdrawal = ask(cast, outside, "300")
    decide(cast, withdrawal)
    outside.running.fault("lose_answer", times=1)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert sending.look_up_payout(withdrawal.pk) in (WithdrawalState.SENT, WithdrawalState.SETTLED)
    outside.deliver(wait_for=1)
    assert state(withdrawal) == WithdrawalState.SETTLED
    assert len(outside.running.store.rows("SELECT 1 FROM transfers")) == 1


def test_one_part_that_fails_gives_back_its_own_money_only(mixed, cast, outside):
    withdrawal = ask(cast, outside, "400")
    first, second = parts_of(withdrawal)
    decide(cast, withdrawal)
    outside.running.fault("payout_fail", "account closed", times=1)
    for part in (second, first):
        sending.send_payout(part.pk)
    outside.deliver(wait_for=2)
    assert (state(first), state(second)) == (WithdrawalState.SETTLED, WithdrawalState.FAILED)
    assert posting.balance(wallet(cast)) == available(wallet(cast)) == 15_000
    assert verify().holds


# The plan is what is carried out


def preview(cast, outside, amount="400", **more):
    call = {
        "client_id": cast.client.pk,
        "request": WithdrawalRequest(psp_id=outside.psp.pk, amount=Decimal(amount), currency="EUR", destination=IBAN),
        "request_key": "k1",
        "actor": cast.client_user,
        **more,
    }
    return preview_withdrawal(**call), call


def test_a_plan_that_has_changed_is_shown_again_not_carried_out(mixed, cast, outside):
    from wallet.withdrawals.verbs import request_withdrawal

    plan, call = preview(cast, outside)
    Deposit.objects.update(refunded_minor=5_000)
    with pytest.raises(PlanChanged):
        request_withdrawal(**call, shown_plan=plan.mark)
    assert not Withdrawal.objects.exists()
    plan, call = preview(cast, outside)
    assert request_withdrawal(**call, shown_plan=plan.mark).amount_minor == 25_000


def test_a_preview_writes_nothing_and_needs_the_right_person(mixed, cast, outside):
    preview(cast, outside)
    assert not Withdrawal.objects.exists() and available(wallet(cast)) == 45_000
    with pytest.raises(NotAllowed):
        preview(cast, outside, actor=cast.other_client_user)


def test_more_payments_than_anyone_can_follow_are_refused(mixed, cast, outside):
    for number in range(PARTS_MAX + 1):
        deposit = paid_in(cast.client, outside.psp, 100 + number)
        Deposit.objects.filter(pk=deposit.pk).update(
            psp_reference=f"pay_{number}", settled_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=9)
        )
    with pytest.raises(TooManyParts, match="smaller amount"):
        ask(cast, outside, "400")


def test_what_arrived_in_another_currency_counts_as_what_the_wallet_got(mixed, cast, outside):
    Deposit.objects.update(arrived_currency="USD", credited_minor=27_000)
    assert shape(ask(cast, outside, "300")) == [("payout", "northpay", 30_000, 27_000)]


def test_an_old_card_payment_can_not_be_refunded_any_more(mixed, cast, outside):
    Deposit.objects.update(settled_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=400))
    assert shape(ask(cast, outside, "300")) == [("payout", "northpay", 30_000, 30_000)]


# Fees and limits of a method


def offer(psp, **fields) -> None:
    PaymentMethod.objects.filter(psp=psp).update(label="Northpay cards", **fields)


def test_the_fee_comes_out_of_the_amount_and_is_booked_with_it(rich, outside):
    offer(outside.psp, payout_fee_basis_points=100, payout_fee_fixed_minor=50)
    withdrawal = ask(rich, outside, "200")
    assert (withdrawal.fee_minor, withdrawal.payout_minor) == (250, 19_750)
    decide(rich, withdrawal)
    sending.send_payout(withdrawal.pk)
    outside.deliver(wait_for=1)
    assert state(withdrawal) == WithdrawalState.SETTLED
    assert outside.running.store.rows("SELECT amount_minor FROM transfers")[0]["amount_minor"] == 19_750
    assert posting.balance(wallet(rich)) == 80_000
    assert posting.balance(posting.house(AccountKind.FEES, brand_id=rich.brand.pk, currency="EUR")) == 250
    assert PspMovement.objects.get().amount_minor == -19_750
    assert verify().holds
    Withdrawal.objects.update(fee_minor=200)
    assert any("what the PSP paid" in problem for problem in verify().problems)


@pytest.mark.parametrize(
    ("fields", "amount", "words"),
    [
        ({"payout_minimum_minor": 5_000}, "49.99", "pays out €50.00"),
        ({"payout_maximum_minor": 20_000}, "200.01", "to €200.00"),
        ({"payout_fee_fixed_minor": 1_000}, "10", "fee for Northpay cards"),
        ({"pays_out": False}, "100", "doesn't pay out"),
        ({"is_enabled": False}, "100", "doesn't pay out"),
        ({"condition": all_of({"field": "kyc_level", "is": "ge", "value": 3})}, "100", "doesn't pay out"),
    ],
)
def test_a_method_says_what_it_does_not_do(rich, outside, fields, amount, words):
    offer(outside.psp, **fields)
    with pytest.raises(DomainError, match=words):
        ask(rich, outside, amount)


def test_a_fee_in_the_brands_currency_is_converted(rich, outside):
    offer(outside.psp, payout_fee_fixed_minor=100)
    method = payout_method(rich.client, outside.psp.pk, "", "USD")
    assert method.fee_minor(10_000, "USD") not in (0, 100)


# In the database too


def test_the_database_holds_the_parts_together(mixed, cast, outside):
    withdrawal = ask(cast, outside, "400")
    first, second = parts_of(withdrawal)
    for row, wrong in (
        (second, {"part": 1}),
        (first, {"way": WithdrawalRoute.PAYOUT}),
        (second, {"way": WithdrawalRoute.REFUND}),
        (first, {"fee_minor": 1}),
        (second, {"fee_minor": 10_000}),
        (first, {"return_minor": 30_001}),
        (first, {"request_minor": 100}),
        (first, {"request_reference": ""}),
        (first, {"from_suspense": True}),
        (first, {"state": "approved", "approved_by": cast.finance}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Withdrawal.objects.filter(pk=row.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Deposit.objects.filter(pk=mixed.pk).update(refunded_minor=30_001)


def test_plans_have_a_mark_of_their_own(mixed, cast, outside):
    chosen = payout_method(cast.client, outside.psp.pk, "", "EUR")
    plan = plan_withdrawal(cast.client, amount_minor=40_000, currency="EUR", chosen=chosen, destination=IBAN)
    other = plan_withdrawal(cast.client, amount_minor=40_000, currency="EUR", chosen=chosen, destination={"iban": "x"})
    less = dataclasses.replace(plan, parts=plan.parts[:1])
    assert len({plan.mark, other.mark, less.mark}) == 3
    assert plan.profit_minor == 10_000


# Many at once


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_exactly_the_affordable_ones_pass(rich, outside):
    set_policies(rich.brand, withdrawal_requests_per_day=100)

    def one(number: int) -> str:
        return ask(rich, outside, "70", key=f"k{number}").state

    results = at_once(one, 50, threads=10)
    assert sum(result == "requested" for result in results) == 14, "14 × 70 fit into 1,000"
    assert available(wallet(rich)) == 2_000
    assert Withdrawal.objects.count() == 14 and verify().holds


@pytest.mark.django_db(transaction=True)
def test_two_approvers_at_once_release_it_once(mixed, cast, outside):
    withdrawal = ask(cast, outside, "400")
    people = [cast.finance, cast.second_finance]

    def one(number: int) -> str:
        return approve_withdrawal(withdrawal_id=withdrawal.pk, actor=people[number]).state

    assert sorted(at_once(one, 2)) == ["approved", "awaiting_second_approval"]
    assert {part.state for part in parts_of(withdrawal)} == {"approved"}
    first = parts_of(withdrawal)[0]
    assert {first.reviewed_by_id, first.approved_by_id} == {person.pk for person in people}


@pytest.mark.django_db(transaction=True)
def test_a_cancellation_against_an_approval_has_one_winner(mixed, cast, outside):
    withdrawal = ask(cast, outside, "90")

    def one(number: int) -> str:
        if number:
            return approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance).state
        return cancel_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.client_user).state

    results = at_once(one, 2)
    assert sum(isinstance(result, NotAllowed) for result in results) == 1
    assert state(withdrawal) in ("approved", "cancelled")
    assert verify().holds
