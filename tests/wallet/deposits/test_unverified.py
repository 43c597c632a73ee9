"""Unverified limits: the circular's limits as dated rules, at the click and when the money arrives, and the fifteen days."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from clients.models import Client, Task
from crm import events
from crm.choices import Role
from crm.errors import DomainError, NotAllowed
from crm.events import ClientVerified, publish
from crm.models import AuditEvent, Notification
from tests.brand_policies import set_policies
from tests.cast import make_staff
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, make_intent
from wallet.choices.deposits import DepositState, HoldReason, TermState
from wallet.deposits import method_offers, unverified
from wallet.deposits.policies import can_deposit
from wallet.deposits.unverified import C721, check_intent, rule_on, write_rule
from wallet.deposits.verbs import apply_payment
from wallet.models import Deposit, UnverifiedRule, UnverifiedTerm
from wallet.transfers.policies import can_transfer

pytestmark = pytest.mark.django_db
PROFILE = {
    "date_of_birth": dt.date(1990, 1, 1),
    "address_line": "Hauptstraße 1",
    "city": "Berlin",
    "risk_rating": "low",
}


@pytest.fixture
def client(cast) -> Client:
    load_rates()
    Client.objects.filter(pk=cast.client.pk).update(**PROFILE)
    cast.client.refresh_from_db()
    return cast.client


@pytest.fixture
def rule(cast) -> UnverifiedRule:
    return write_rule(brand=cast.brand, actor=cast.mlro, **C721)


@pytest.fixture
def bank(cast):
    return make_psp(cast.brand, "rhinebank", kind="bank")


def arrive(client, psp, minor, **fields) -> Deposit:
    deposit = make_intent(client, psp, minor)
    apply_payment(psp_id=psp.pk, view=captured(deposit, **fields))
    deposit.refresh_from_db()
    return deposit


def test_the_rule_of_the_day_counts_and_the_past_stays(cast, rule):
    write_rule(
        brand=cast.brand, actor=cast.mlro, **{**C721, "valid_from": dt.date(2027, 1, 1), "maximum_minor": 100_000}
    )
    days = {
        dt.date(2025, 7, 8): None,
        dt.date(2025, 7, 9): 200_000,
        dt.date(2026, 12, 31): 200_000,
        dt.date(2027, 1, 1): 100_000,
    }
    for day, most in days.items():
        found = rule_on(cast.brand.pk, day)
        assert (found.maximum_minor if found else None) == most
    assert rule_on(cast.other_brand.pk, dt.date(2026, 1, 1)) is None
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        UnverifiedRule.objects.update(maximum_minor=1)


def test_only_compliance_writes_rules_and_names_the_source(cast):
    with pytest.raises(NotAllowed):
        write_rule(brand=cast.brand, actor=cast.finance, **C721)
    with pytest.raises(DomainError):
        write_rule(brand=cast.brand, actor=cast.mlro, **{**C721, "source": " "})


@pytest.mark.parametrize(("amount", "is_allowed"), [("2000", True), ("2000.01", False)])
def test_all_deposits_together_stay_within_the_limit(cast, client, rule, bank, amount, is_allowed):
    method = bank.methods.get()
    if is_allowed:
        check_intent(client, method, Decimal(amount), "EUR")
        return
    with pytest.raises(DomainError, match="more than the limit"):
        check_intent(client, method, Decimal(amount), "EUR")


def test_what_came_before_counts_held_money_too(cast, client, rule, bank):
    arrive(client, bank, 120_000)
    arrive(client, bank, 50_000, payer_name="Heinz Schmidt")
    check_intent(client, bank.methods.get(), Decimal(300), "EUR")
    with pytest.raises(DomainError):
        check_intent(client, bank.methods.get(), Decimal("300.01"), "EUR")


@pytest.mark.parametrize(
    ("change", "words"), [({"risk_rating": "medium"}, "verify your identity"), ({"city": ""}, "personal details")]
)
def test_only_low_risk_and_identified_clients(cast, client, rule, bank, change, words):
    for name, value in change.items():
        setattr(client, name, value)
    with pytest.raises(DomainError, match=words):
        check_intent(client, bank.methods.get(), Decimal(10), "EUR")
    client.kyc_level = 1
    check_intent(client, bank.methods.get(), Decimal(10), "EUR")


def test_only_bank_wires_are_offered_until_then(cast, client, rule, bank):
    make_psp(cast.brand, "northpay", kind="card")
    assert [one.method.kind for one in method_offers.offered(client, "EUR")] == ["bank"]
    assert "C721" in next(one.refusal for one in method_offers.judge(client, "EUR") if one.method.kind == "card")
    client.kyc_level = 1
    assert len(method_offers.offered(client, "EUR")) == 2


def test_what_arrives_above_the_limit_is_held(cast, client, rule, bank):
    assert arrive(client, bank, 150_000).state == DepositState.SETTLED
    deposit = arrive(client, bank, 60_000)
    assert (deposit.state, deposit.hold_reasons) == (DepositState.HELD, [HoldReason.LIMIT])


def test_an_account_that_names_nobody_is_not_the_client_s_own(cast, client, rule, bank):
    deposit = arrive(client, bank, 10_000, payer_name="")
    assert deposit.hold_reasons == [HoldReason.PAYER]


def test_without_a_rule_the_brand_s_own_limit_holds(cast, client, bank):
    set_policies(cast.brand, deposit_unverified_max_minor=50_000)
    client.refresh_from_db()
    assert arrive(client, bank, 60_000).hold_reasons == [HoldReason.LIMIT]
    assert not UnverifiedTerm.objects.exists()


# ── fifteen days ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_money_starts_the_days_once(cast, client, rule, bank):
    arrive(client, bank, 10_000, payer_name="Heinz Schmidt")  # held: it counts
    arrive(client, bank, 10_000)
    term = UnverifiedTerm.objects.get()
    assert term.ends_at - term.started_at == dt.timedelta(days=15)
    assert unverified.due_terms() == []


def test_after_them_no_money_goes_in_or_to_the_platform_and_compliance_gets_the_list(cast, client, rule, bank):
    make_staff("second.mlro@example.com", Role.MLRO, brand=cast.brand)
    deposit = arrive(client, bank, 10_000)
    UnverifiedTerm.objects.update(
        started_at=timezone.now() - dt.timedelta(days=16), ends_at=timezone.now() - dt.timedelta(days=1)
    )
    (pk,) = unverified.due_terms()
    assert [unverified.end_term(pk), unverified.end_term(pk)] == [TermState.ENDED, TermState.ENDED]
    assert not can_deposit(client.user, client) and not can_transfer(client.user, client)
    assert can_transfer(client.user, client, to_trading=False), "the money may come back from the platform"
    told = Notification.objects.get(user=cast.mlro, kind="wallet.unverified_term_ended")
    assert deposit.reference in told.body
    assert [task.assignee for task in Task.objects.filter(client=client)] == [cast.mlro], "one officer does it"
    (line,) = unverified.refund_list(client)
    assert (line.deposit, str(line.money)) == (deposit, "100.00 EUR")
    assert AuditEvent.objects.filter(action="wallet.unverified_term_ended").count() == 1


def test_who_is_verified_in_time_hears_nothing(cast, client, rule, bank):
    arrive(client, bank, 10_000)
    Client.objects.filter(pk=client.pk).update(kyc_level=1)
    publish(ClientVerified(level=1, client_id=client.pk, brand_id=client.brand_id))
    events.drain()
    term = UnverifiedTerm.objects.get()
    assert (term.state, unverified.end_term(term.pk)) == (TermState.VERIFIED, TermState.VERIFIED)
    client.refresh_from_db()
    assert can_deposit(client.user, client)
