"""A PSP pays out to our own bank by itself: what its report calls a payout is held against the bank's booking, by two people."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from crm import approvals
from crm.choices import ApprovalState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent
from crm.money.amounts import Money
from crm.rates.fx import load_bundled_rates, rate
from tests.wallet import recon
from tests.wallet.factories import house, make_psp
from tests.wallet.reconciliation.test_breaks import bank_entry, held
from wallet.bank import payout_matching
from wallet.bank.positions import bank_positions
from wallet.choices.bank import EntryState
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.reconciliation import BreakState, PostingWay
from wallet.closing.month_checks import UNPOSTED_FEES
from wallet.ledger import posting as ledger
from wallet.ledger.verification import verify
from wallet.models import BankEntry, Break, BreakPosting, Journal
from wallet.reconciliation import own_bank, postings, rematch

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 9, 7)


@pytest.fixture
def psp(cast):
    return make_psp(cast.brand, "northpay")


@pytest.fixture
def bank(cast):
    return make_psp(cast.brand, "bank", kind="bank", adapter="bank_wire")


def swept(cast, psp, minor=100_000, *, reference="3JY1SWEEP", currency="EUR", fee=0) -> Break:
    """The PSP had the money, and its report says that it paid it out; nobody here did."""
    recon.movement(psp, cast.client, "D-1", minor + fee, currency=currency)
    recon.report(
        psp,
        [
            recon.row("D-1", minor + fee, currency=currency),
            recon.row("", -minor, psp_reference=reference, type="payout", day=6, currency=currency, fee=fee),
        ],
    )
    return Break.objects.get(state="open", row__psp_reference=reference)


def at_the_bank(cast, kind=AccountKind.CLIENT_MONEY_BANK, currency="EUR") -> int:
    return -ledger.balance(house(cast.brand, kind, currency))


def propose(one, entry, actor, **more) -> BreakPosting:
    values = {"way": PostingWay.OWN_BANK, "business_on": DAY, "reason": "Sweep", "entry_id": entry.pk} | more
    return postings.propose(break_id=one.pk, actor=actor, **values)


def posted(cast, one, entry) -> BreakPosting:
    return approvals.approve(BreakPosting, propose(one, entry, cast.finance).pk, actor=cast.second_finance)


# In one currency


def test_what_came_in_at_our_bank_is_offered_proposed_by_one_and_posted_by_another(cast, psp, bank, browse):
    one, before = swept(cast, psp), AuditEvent.objects.count()
    entry = bank_entry(cast, bank, 100_000, "SWEEP 3JY1SWEEP")
    (hit,) = own_bank.arrivals(one)
    assert (hit.entry, hit.is_named, hit.kept, hit.rate) == (entry, True, None, None)
    address = reverse("wallet:break", args=[one.pk])
    page = browse(cast.finance).get(address).content.decode()
    assert "Received in our own bank account" in page and "SWEEP 3JY1SWEEP" in page
    form = {"bank-entry": entry.pk, "bank-business_on": DAY, "bank-reason": "The weekly sweep"}
    assert browse(cast.finance).post(reverse("wallet:break_to_bank", args=[one.pk]), form).status_code == 302
    posting = BreakPosting.objects.get()
    assert (posting.way, posting.entry, posting.journal) == (PostingWay.OWN_BANK, entry, None)
    with pytest.raises(NotAllowed):
        approvals.approve(BreakPosting, posting.pk, actor=cast.finance)
    assert (held(psp), at_the_bank(cast)) == (100_000, 0), "nothing moved yet"
    page = browse(cast.second_finance).get(address).content.decode()
    assert "Awaiting second approval" in page and reverse("wallet:bank_entry", args=[entry.pk]) in page
    approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    assert (held(psp), at_the_bank(cast)) == (0, 100_000)
    entry.refresh_from_db()
    one.refresh_from_db()
    assert (entry.state, one.state) == (EntryState.SETTLEMENT, BreakState.RESOLVED) and "3JY1SWEEP" in entry.outcome
    journal = Journal.objects.latest("pk")
    assert (journal.kind, journal.business_on, journal.fx_rate) == (JournalKind.PSP_SETTLEMENT, DAY, None)
    assert AuditEvent.objects.filter(action="wallet.break_posted").count() == 1 and AuditEvent.objects.count() > before
    rematch(psp.pk)
    payout_matching.match_payouts(cast.brand.pk)
    assert not Break.objects.filter(state="open").exists(), "and it stays so"
    assert verify().holds


def test_what_banks_kept_on_the_way_is_a_fee(cast, psp, bank):
    one = swept(cast, psp)
    entry = bank_entry(cast, bank, 99_500, "NORTHPAY WEEKLY")
    (hit,) = own_bank.arrivals(one)
    assert hit.kept == Money(Decimal("5.00"), "EUR")
    posted(cast, one, entry)
    assert (held(psp), at_the_bank(cast), at_the_bank(cast, AccountKind.FEES)) == (0, 99_500, 500)
    assert verify().holds


def test_a_fee_that_the_psp_takes_for_the_payout_is_booked_with_it_and_no_fee_is_left_unposted(cast, psp, bank):
    one = swept(cast, psp, fee=250)
    entry = bank_entry(cast, bank, 99_900, "3JY1SWEEP")
    posted(cast, one, entry)
    assert (held(psp), at_the_bank(cast), at_the_bank(cast, AccountKind.FEES)) == (0, 99_900, 350)
    values = {
        "brand": cast.brand.pk,
        "first": recon.FIRST,
        "last": dt.date(2026, 9, 30),
        "since": recon.at(1, 0),
        "until": recon.at(31, 0),
    }
    with connection.cursor() as cursor:
        cursor.execute(UNPOSTED_FEES, values)
        assert cursor.fetchall() == []
    assert verify().holds


# In two currencies


def test_between_two_currencies_it_passes_through_the_fx_position_at_the_rate_of_the_bank(cast, psp, bank):
    load_bundled_rates(since=dt.date(2026, 8, 25))
    euros = int(100_000 * rate("USD", "EUR", on=DAY).rate * Decimal("0.99"))
    one = swept(cast, psp, currency="USD")
    entry = bank_entry(cast, bank, euros, "3JY1SWEEP USD 1000.00")
    (hit,) = own_bank.arrivals(one)
    assert (hit.kept, hit.rate) == (None, (Decimal(euros) / 100_000).quantize(Decimal("1e-12")))
    posted(cast, one, entry)
    assert (held(psp, "USD"), at_the_bank(cast), at_the_bank(cast, currency="USD")) == (0, euros, 0)
    assert at_the_bank(cast, AccountKind.FX_POSITION, "USD") == 100_000
    assert at_the_bank(cast, AccountKind.FX_POSITION) == -euros
    journal = Journal.objects.latest("pk")
    assert (journal.fx_rate, journal.fx_rate_on) == (hit.rate, entry.booked_on)
    assert verify().holds


def test_a_rate_far_from_the_day_s_is_not_this_money(cast, psp, bank):
    load_bundled_rates(since=dt.date(2026, 8, 25))
    one = swept(cast, psp, currency="USD")
    entry = bank_entry(cast, bank, int(100_000 * rate("USD", "EUR", on=DAY).rate * Decimal("0.9")), "3JY1SWEEP")
    assert own_bank.arrivals(one) == []
    with pytest.raises(DomainError, match="don't match"):
        propose(one, entry, cast.finance)


# Type of difference not


@pytest.mark.parametrize(
    ("minor", "text", "day", "is_offered"),
    [
        (100_000, "no name at all", 7, True),
        (100_000, "3JY1SWEEP", 25, False),
        (100_000, "3JY1SWEEP", 4, False),
        (99_500, "no name at all", 7, False),
        (94_000, "3JY1SWEEP", 7, False),
        (100_001, "3JY1SWEEP", 7, False),
        (-100_000, "3JY1SWEEP", 7, False),
    ],
    ids=["by amount alone", "too late", "before", "less and unnamed", "far less", "more", "went out"],
)
def test_only_a_credit_of_its_amount_near_its_day_or_a_named_one_a_little_below_is_offered(
    cast, psp, bank, minor, text, day, is_offered
):
    one = swept(cast, psp)
    bank_entry(cast, bank, minor, text, day=day)
    hits = own_bank.arrivals(one)
    assert bool(hits) == is_offered and not any(hit.is_named for hit in hits)


def test_entries_of_clients_of_other_brands_and_spoken_for_are_not_offered(cast, psp, bank):
    one = swept(cast, psp)
    stranger = make_psp(cast.other_brand, "otherbank", kind="bank", adapter="bank_wire")
    foreign = bank_entry(cast, stranger, 100_000, "3JY1SWEEP")
    aside = bank_entry(cast, bank, 100_000, "3JY1SWEEP aside")
    BankEntry.objects.filter(pk=aside.pk).update(assigned_by=cast.finance, state="other")
    taken = bank_entry(cast, bank, 100_000, "3JY1SWEEP taken")
    BankEntry.objects.filter(pk=taken.pk).update(state="settlement")
    assert own_bank.arrivals(one) == []
    for entry in (foreign, aside, taken):
        with pytest.raises(WrongState, match="something else"):
            propose(one, entry, cast.finance)
    with pytest.raises(DomainError, match="Choose the matching bank entry"):
        propose(one, foreign, cast.finance, entry_id=None)


def test_one_booking_at_the_bank_is_one_payout(cast, psp, bank):
    one = swept(cast, psp)
    recon.report(psp, [recon.row("", -100_000, psp_reference="SWEEP2", type="payout", day=6)], name="more")
    other = Break.objects.get(state="open", row__psp_reference="SWEEP2")
    entry = bank_entry(cast, bank, 100_000, "3JY1SWEEP")
    first = propose(one, entry, cast.finance)
    assert own_bank.arrivals(other) == []
    with pytest.raises(WrongState, match="something else"):
        propose(other, entry, cast.finance)
    with pytest.raises(IntegrityError, match="a_bank_entry_is_one_payout_to_our_bank"), transaction.atomic():
        BreakPosting.objects.create(
            one=other,
            way=PostingWay.OWN_BANK,
            currency="EUR",
            amount_minor=-1,
            business_on=DAY,
            reason="x",
            entry=entry,
            requested_by=cast.finance,
            requested_at=first.requested_at,
        )
    with pytest.raises(IntegrityError, match="only_what_reached_our_bank_names_its_entry"), transaction.atomic():
        BreakPosting.objects.filter(pk=first.pk).update(entry=None)
    approvals.withdraw(BreakPosting, first.pk, actor=cast.finance)
    assert [hit.entry for hit in own_bank.arrivals(other)] == [entry], "free again"


def test_a_booking_that_became_something_else_meanwhile_is_not_posted(cast, psp, bank):
    one = swept(cast, psp)
    entry = bank_entry(cast, bank, 100_000, "3JY1SWEEP")
    posting = propose(one, entry, cast.finance)
    BankEntry.objects.filter(pk=entry.pk).update(state="settlement")
    with pytest.raises(WrongState, match="something else"):
        approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    posting.refresh_from_db()
    assert (posting.state, held(psp), at_the_bank(cast)) == (ApprovalState.PENDING, 100_000, 0)


def test_a_payout_of_ours_and_a_payment_are_never_offered_as_paid_to_our_bank(cast, psp, bank):
    recon.report(psp, [recon.row("X", 100_000, psp_reference="3JY1SWEEP", type="payment", day=6)])
    one = Break.objects.get()
    bank_entry(cast, bank, 100_000, "3JY1SWEEP")
    assert own_bank.arrivals(one) == []


def test_the_bank_s_balance_agrees_before_and_after_it_is_posted(cast, psp, bank):
    one = swept(cast, psp)
    entry = bank_entry(cast, bank, 100_000, "3JY1SWEEP")
    assert bank_positions(cast.brand.pk, DAY)["EUR"].books_minor == 100_000
    posted(cast, one, entry)
    assert bank_positions(cast.brand.pk, DAY)["EUR"].books_minor == 100_000, "of that day, as it was known later"
    assert bank_positions(cast.brand.pk, dt.date(2027, 1, 1))["EUR"].books_minor == 100_000
