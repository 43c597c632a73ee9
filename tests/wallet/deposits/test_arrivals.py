"""Money that is not as it was meant: booked within the tolerance, held with its reason, or converted by policy."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from crm import events
from crm.errors import DomainError, WrongState
from crm.models import Notification, OutboxEvent
from tests.brand_policies import set_policies
from tests.wallet.conftest import load_rates
from tests.wallet.factories import at_once, make_psp
from tests.wallet.intents import captured, make_intent
from wallet.choices.deposits import DepositState, HoldReason
from wallet.choices.ledger import AccountKind
from wallet.core.fees import fee_of
from wallet.deposits.payer_match import is_payer
from wallet.deposits.verbs import _valid_until, apply_payment, release_held_deposit
from wallet.disputes.refunds import start_refund
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Journal, PspMovement

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(cast):
    load_rates()
    return make_psp(cast.brand, "rhinebank", kind="bank")


def tell(deposit: Deposit, *args, **fields) -> Deposit:
    apply_payment(psp_id=deposit.psp_id, view=captured(deposit, *args, **fields))
    deposit.refresh_from_db()
    return deposit


def balance(cast, currency="EUR") -> int:
    return posting.balance(posting.wallet_of(cast.client, currency))


def house(cast, kind, currency="EUR") -> int:
    return posting.balance(posting.house(kind, brand_id=cast.brand.pk, currency=currency))


def set_policy(cast, **values) -> None:
    set_policies(cast.brand, **values)


# ── fees ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_fee_stays_with_the_house_in_the_same_journal(cast, bank):
    deposit = tell(make_intent(cast.client, bank, fee_basis_points=150, fee_fixed_minor=25))
    assert (deposit.fee_minor, deposit.credited_minor, balance(cast)) == (775, 49_225, 49_225)
    assert house(cast, AccountKind.FEES) == 775
    assert Journal.objects.count() == 1 and verify().holds


def test_what_the_fee_would_eat_up_is_held(cast, bank):
    deposit = tell(make_intent(cast.client, bank, 100, fee_fixed_minor=100))
    assert (deposit.state, deposit.hold_reasons) == (DepositState.HELD, [HoldReason.AMOUNT])
    with pytest.raises(WrongState):
        release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="Fine")


@given(amount=st.integers(0, 10**15), points=st.integers(0, 2_000), fixed=st.integers(0, 10**9))
def test_a_fee_is_whole_and_never_more_than_the_amount(amount, points, fixed):
    fee = fee_of(amount, points, fixed)
    assert isinstance(fee, int) and 0 <= fee <= amount
    exact = Decimal(amount * points) / 10_000 + fixed
    assert fee == amount or abs(Decimal(fee) - exact) <= Decimal("0.5")


# ── amounts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("received", "is_booked"), [(49_500, True), (49_499, False), (50_500, True), (50_501, False), (1, False)]
)
def test_a_wire_may_be_off_by_one_per_cent(cast, bank, received, is_booked):
    deposit = tell(make_intent(cast.client, bank), received)
    assert deposit.state == (DepositState.SETTLED if is_booked else DepositState.HELD)
    assert balance(cast) == (received if is_booked else 0)
    assert verify().holds


@pytest.mark.parametrize(("received", "is_booked"), [(1_500, True), (1_499, False), (2_501, False)])
def test_or_by_five_euros_where_that_is_more(cast, bank, received, is_booked):
    deposit = tell(make_intent(cast.client, bank, 2_000), received)
    assert (deposit.state == DepositState.SETTLED) is is_booked


def test_a_card_has_no_tolerance(cast):
    load_rates()
    deposit = tell(make_intent(cast.client, make_psp(cast.brand)), 49_999)
    assert deposit.hold_reasons == [HoldReason.AMOUNT]


@pytest.mark.parametrize(("currency", "meant", "off"), [("JPY", 150_000, 1_500), ("USD", 60_000, 600)])
def test_the_tolerance_knows_each_currency_s_own_units(cast, bank, currency, meant, off):
    assert tell(make_intent(cast.client, bank, meant, currency), meant - off).state == DepositState.SETTLED
    assert tell(make_intent(cast.client, bank, meant, currency), meant - off - 1).state == DepositState.HELD
    assert verify().holds


def test_a_brand_may_allow_nothing(cast, bank):
    set_policy(cast, deposit_tolerance_basis_points=0, deposit_tolerance_minor=0)
    assert tell(make_intent(cast.client, bank), 49_999).state == DepositState.HELD


def test_a_currency_without_a_rate_is_held_not_lost(cast, bank):
    deposit = tell(make_intent(cast.client, bank, 1_000_000, "BTC"))
    assert (deposit.state, deposit.hold_reasons) == (DepositState.HELD, [HoldReason.RATE])
    assert house(cast, AccountKind.SUSPENSE, "BTC") == 1_000_000 and verify().holds


# ── further payments ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_payment_completes_what_was_short(cast, bank):
    deposit = tell(make_intent(cast.client, bank), 20_000)
    assert deposit.state == DepositState.HELD
    tell(deposit, 50_000)
    assert (deposit.state, deposit.received_minor, balance(cast)) == (DepositState.SETTLED, 50_000, 50_000)
    assert sorted(PspMovement.objects.values_list("amount_minor", flat=True)) == [20_000, 30_000]
    assert house(cast, AccountKind.SUSPENSE) == 0 and verify().holds


def test_what_is_being_given_back_is_not_completed_too(cast, bank):
    """The first part goes back to the payer; the second must not carry it into the wallet as well."""
    deposit = tell(make_intent(cast.client, bank), 20_000)
    start_refund(deposit_id=deposit.pk, amount=Decimal(200), reason="Wrong amount", request_key="r", actor=cast.finance)
    tell(deposit, 50_000)
    further = Deposit.objects.exclude(pk=deposit.pk).get()
    assert (deposit.state, further.state, further.received_minor) == (DepositState.HELD, DepositState.HELD, 30_000)
    assert (balance(cast), house(cast, AccountKind.SUSPENSE)) == (0, 50_000)
    with pytest.raises(DomainError, match="being refunded"):
        release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="It is fine")
    assert verify().holds


def test_a_further_payment_after_the_booking_is_a_deposit_of_its_own_and_held(cast, bank):
    deposit = tell(make_intent(cast.client, bank))
    for _again in range(2):
        tell(deposit, 70_000)
    further = Deposit.objects.exclude(pk=deposit.pk).get()
    assert (further.reference, further.received_minor) == (f"{deposit.reference}-2", 20_000)
    assert (further.state, further.hold_reasons) == (DepositState.HELD, [HoldReason.FURTHER])
    release_held_deposit(deposit_id=further.pk, actor=cast.finance, reason="The client wired twice")
    assert balance(cast) == 70_000 and verify().holds


# ── another currency ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_money_in_another_currency_goes_into_that_wallet(cast, bank):
    deposit = tell(make_intent(cast.client, bank), 55_000, "USD")
    assert (deposit.state, deposit.arrived_currency, deposit.wallet.currency) == ("settled", "USD", "USD")
    assert (balance(cast), balance(cast, "USD")) == (0, 55_000)
    assert verify().holds


def test_a_currency_that_the_brand_does_not_take_is_held(cast, bank):
    deposit = tell(make_intent(cast.client, bank), 500_000, "SEK")
    assert deposit.hold_reasons == [HoldReason.CURRENCY]
    assert house(cast, AccountKind.SUSPENSE, "SEK") == 500_000
    with pytest.raises(WrongState):
        release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="Fine")


def test_or_it_is_converted_at_the_day_s_rate_which_the_journal_names(cast, bank):
    set_policy(cast, deposit_converts_other_currency=True, fx_markup_basis_points=50)
    deposit = tell(make_intent(cast.client, bank, fee_basis_points=100), 500_000, "SEK")
    assert (deposit.state, deposit.fee_minor, deposit.wallet.currency) == (DepositState.SETTLED, 5_000, "EUR")
    journal = deposit.journal
    assert journal.fx_rate and journal.fx_rate_on <= timezone.now().date()
    assert deposit.credited_minor == int(495_000 * journal.fx_rate) == balance(cast)
    assert house(cast, AccountKind.FX_POSITION, "SEK") == 495_000
    assert verify().holds


# ── payers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("first", "last", "payer", "is_client"),
    [
        ("Clara", "Weber", "Clara Weber", True),
        ("Clara", "Weber", "WEBER, CLARA", True),
        ("Clara", "Weber", "C. Weber", True),
        ("Clara", "Weber", "Clara Maria Weber", True),
        ("Clara", "Weber", "Max Weber", False),
        ("Clara", "Weber", "Clara Huber", False),
        ("Clara", "Weber", "Weber GmbH", False),
        ("Clara", "Weber", "", True),
        ("Jürgen", "Müller", "Juergen Mueller", True),
        ("Jürgen", "Müller", "JURGEN MULLER", True),
        ("Óscar", "Núñez", "NUNEZ OSCAR", True),
        ("Clara", "Weber", "Max und Clara Weber", True),
        ("Anna Lena", "von der Heide", "Lena vonderHeide", True),
        ("Clara", "Weber", "M. Weber", False),
        ("Clara", "Weber", "Clara Webber", True),  # a letter off: 91 of a hundred alike
        ("Clara", "Weber", "Clara Weer", True),  # 89
        ("Clara", "Weber", "Klara Weber", False),  # 80
        ("Ann", "Weber", "Anna Weber", True),  # 86
        ("Li", "Wu", "Li Wu", True),
        ("Li", "Wu", "Lu Wu", False),
        ("", "Nordwind Handels GmbH", "NORDWIND HANDELS GMBH", True),
        ("", "Nordwind Handels GmbH", "Clara Nordwind", False),
    ],
)
def test_a_payer_s_name_is_compared_as_banks_print_it(first, last, payer, is_client):
    assert is_payer(first, last, payer) is is_client


def test_someone_else_s_money_is_held_until_finance_says_why_it_is_fine(cast, bank):
    deposit = tell(make_intent(cast.client, bank), payer_name="Heinz Schmidt")
    events.drain()
    assert (deposit.state, deposit.hold_reasons) == (DepositState.HELD, [HoldReason.PAYER])
    assert "Heinz Schmidt" in deposit.failure and balance(cast) == 0
    assert Notification.objects.filter(user=cast.finance, kind="wallet.deposit_held").count() == 1
    with pytest.raises(DomainError):
        release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="")
    release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="Her husband, joint account on file")
    assert balance(cast) == 50_000 and verify().holds


def test_a_brand_may_take_money_of_others(cast, bank):
    set_policy(cast, deposit_third_party="accept")
    assert tell(make_intent(cast.client, bank), payer_name="Heinz Schmidt").state == DepositState.SETTLED


def test_several_things_may_be_wrong_at_once(cast, bank):
    deposit = make_intent(cast.client, bank)
    Deposit.objects.update(expires_at=timezone.now() - dt.timedelta(days=40))
    tell(deposit, 10_000, payer_name="Heinz Schmidt")
    assert deposit.hold_reasons == [HoldReason.AMOUNT, HoldReason.PAYER, HoldReason.LATE]


# ── the first deposit ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_held_one_is_the_first_only_when_it_is_released_first(cast, bank):
    held = tell(make_intent(cast.client, bank), payer_name="Heinz Schmidt")
    settled = tell(make_intent(cast.client, bank))
    release_held_deposit(deposit_id=held.pk, actor=cast.finance, reason="Her husband")
    held.refresh_from_db(), settled.refresh_from_db()
    assert (held.is_first, settled.is_first) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_the_first_and_one_event_says_so(cast):
    load_rates()
    bank = make_psp(cast.brand, "rhinebank", kind="bank")
    intents = [make_intent(cast.client, bank, 10_000) for _number in range(6)]
    views = [captured(one) for one in intents] * 2  # each told twice
    results = at_once(lambda number: apply_payment(psp_id=bank.pk, view=views[number]), len(views))
    assert not [one for one in results if isinstance(one, Exception)]
    assert Deposit.objects.filter(is_first=True).count() == 1
    told = [event.payload["is_first"] for event in OutboxEvent.objects.filter(name="wallet.deposit_settled")]
    assert sorted(told) == [False] * 5 + [True]
    assert balance(cast) == 60_000 and verify().holds


# ── how long there is to pay ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("pay_by", "told", "hours"),
    [("redirect", {}, 24), ("bank_reference", {"iban": "DE1"}, 240), ("crypto_address", {"expires": "soon"}, 24)],
)
def test_a_wire_has_days_and_everything_else_a_day(cast, bank, pay_by, told, hours):
    deposit = make_intent(cast.client, bank)
    view = replace(captured(deposit), instructions=told)
    assert _valid_until(deposit, view, pay_by) - deposit.created_at == dt.timedelta(hours=hours)


def test_the_psp_s_own_time_to_pay_counts(cast, bank):
    deposit = make_intent(cast.client, bank)
    view = replace(captured(deposit), instructions={"expires": "2026-12-01T10:00:00+00:00"})
    assert _valid_until(deposit, view, "crypto_address") == dt.datetime(2026, 12, 1, 10, tzinfo=dt.UTC)
