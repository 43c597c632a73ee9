"""A difference between two currencies: posted through the FX position at a named rate, by two, and taken back whole."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from crm import approvals
from crm.errors import DomainError, NotAllowed
from crm.models import FxRate
from tests.wallet import recon
from tests.wallet.factories import make_psp
from wallet.choices.ledger import AccountKind
from wallet.choices.reconciliation import BreakKind, BreakState, PostingWay
from wallet.ledger import posting as ledger
from wallet.ledger.verification import verify
from wallet.models import Break, BreakPosting, Journal, Match, MatchGroup
from wallet.reconciliation import deciding, postings

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 9, 30)


@pytest.fixture
def psp(cast):
    return make_psp(cast.brand, "northpay")


@pytest.fixture
def ecb(db):
    """100 USD are 80 EUR on the 4th of September; on the 5th nothing was published."""
    FxRate.objects.create(on=dt.date(2026, 9, 4), currency="USD", rate=Decimal("1.25"))


def euro_row_of_a_dollar_payment(cast, psp, minor=9_400, **more):
    recon.movement(psp, cast.client, "D-1", 10_000, currency="USD")
    recon.report(psp, [recon.row("D-1", minor, **more)])
    return Break.objects.get()


def held(psp, currency):
    return -ledger.balance(ledger.psp_clearing(psp, currency))


def house(psp, kind, currency="EUR"):
    return ledger.balance(ledger.house(kind, brand_id=psp.brand_id, currency=currency))


def propose(one, actor, way=PostingWay.FX):
    return postings.propose(break_id=one.pk, way=way, business_on=DAY, reason="Settled in euro", actor=actor)


def test_at_the_psp_s_rate_the_rest_is_what_two_people_say_it_is_and_undo_takes_all_of_it_back(cast, psp):
    one = euro_row_of_a_dollar_payment(
        cast, psp, fee=100, paid_currency="USD", paid_minor=10_000, rate=Decimal("0.9312")
    )
    assert one.kind == BreakKind.CURRENCY
    posting = propose(one, cast.finance, PostingWay.FEE)
    assert (posting.amount_minor, posting.currency, posting.rate, posting.is_psp_rate) == (
        88,
        "EUR",
        Decimal("0.9312"),
        True,
    )
    with pytest.raises(NotAllowed):
        approvals.approve(BreakPosting, posting.pk, actor=cast.finance)
    assert (held(psp, "USD"), held(psp, "EUR")) == (10_000, 0)
    approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    one.refresh_from_db()
    group = MatchGroup.objects.get()
    assert one.state == BreakState.RESOLVED
    assert (group.rows_minor, group.currency, group.books_minor, group.books_currency) == (9_400, "EUR", 10_000, "USD")
    assert (group.converted_minor, group.adjustment_minor) == (9_312, 88)
    assert (held(psp, "USD"), held(psp, "EUR")) == (0, 9_300)  # the row's fee was booked with the match
    assert (house(psp, AccountKind.FX_POSITION, "USD"), house(psp, AccountKind.FX_POSITION)) == (-10_000, 9_312)
    assert house(psp, AccountKind.FEES) == 88 - 100
    journal = Journal.objects.get(pk=group.adjustment_id)
    assert (journal.kind, journal.fx_rate, journal.fx_rate_on) == ("fx", Decimal("0.9312"), dt.date(2026, 9, 5))

    deciding.undo(match_id=group.lines.first().pk, actor=cast.finance, reason="It was another payment")
    assert (held(psp, "USD"), held(psp, "EUR"), Match.objects.count()) == (10_000, 0, 0)
    for kind in (AccountKind.FX_POSITION, AccountKind.FEES):
        assert (house(psp, kind), house(psp, kind, "USD")) == (0, 0)
    assert Break.objects.get(state="open").kind == BreakKind.CURRENCY
    assert verify().holds


def test_without_a_rate_of_the_psp_the_ecb_s_last_one_counts_and_stays_what_was_proposed(cast, psp, ecb):
    one = euro_row_of_a_dollar_payment(cast, psp, 8_100)
    posting = propose(one, cast.finance)
    assert (posting.rate, posting.rate_on, posting.amount_minor) == (Decimal("0.8"), dt.date(2026, 9, 4), 100)
    FxRate.objects.create(on=dt.date(2026, 9, 5), currency="USD", rate=Decimal("1.6"))
    approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    assert (held(psp, "USD"), held(psp, "EUR")) == (0, 8_100)
    assert house(psp, AccountKind.FX_POSITION) == 8_100  # what is left of rates stays in the position


def test_a_rate_of_another_currency_than_ours_is_not_used(cast, psp, ecb):
    one = euro_row_of_a_dollar_payment(cast, psp, 8_000, paid_currency="GBP", paid_minor=7_000, rate=Decimal("1.14"))
    posting = propose(one, cast.finance)
    assert (posting.is_psp_rate, posting.rate, posting.amount_minor) == (False, Decimal("0.8"), 0)
    approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    assert held(psp, "EUR") == 8_000


def test_no_rate_at_all_is_said_and_nothing_is_proposed(cast, psp, browse):
    one = euro_row_of_a_dollar_payment(cast, psp)
    with pytest.raises(DomainError, match="There is no rate for USD"):
        propose(one, cast.finance)
    assert not BreakPosting.objects.exists()
    assert (
        "There is no rate for USD" in browse(cast.finance).get(reverse("wallet:break", args=[one.pk])).content.decode()
    )


def test_a_row_that_names_another_client_is_no_difference_of_money(cast, psp, ecb):
    recon.movement(psp, cast.client, "D-1", 10_000, currency="USD")
    recon.movement(psp, cast.other_client, "D-2", 500)
    recon.report(psp, [recon.row("D-2", 9_400, psp_reference="p-D-1")])
    one = Break.objects.get(kind=BreakKind.CURRENCY)
    with pytest.raises(DomainError, match="names a different client"):
        propose(one, cast.finance)


def test_more_than_rounding_is_not_rounding(cast, psp, ecb):
    one = euro_row_of_a_dollar_payment(cast, psp, 8_101)
    with pytest.raises(DomainError, match="too large for a rounding"):
        propose(one, cast.finance, PostingWay.ROUNDING)


def test_the_database_refuses_a_group_whose_journal_says_otherwise(cast, psp, ecb):
    one = euro_row_of_a_dollar_payment(cast, psp, 8_100)
    approvals.approve(BreakPosting, propose(one, cast.finance).pk, actor=cast.second_finance)
    for change in (
        {"converted_minor": 8_001},
        {"converted_minor": None},
        {"rows_minor": 8_200, "converted_minor": 8_100},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            MatchGroup.objects.update(**change)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    other = Journal.objects.exclude(pk=MatchGroup.objects.get().adjustment_id).first()
    with pytest.raises(IntegrityError, match="posted as something else"), transaction.atomic():
        MatchGroup.objects.update(adjustment=other)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_page_shows_rate_and_rest_and_the_second_person_sees_the_same(cast, psp, ecb, browse):
    one = euro_row_of_a_dollar_payment(cast, psp, 8_100)
    page = reverse("wallet:break", args=[one.pk])
    shown = browse(cast.finance).get(page).content.decode()
    assert (
        "100.00" in shown
        and "80.00" in shown
        and "at 0.8" in shown
        and "ECB rate" in shown
        and "+€1.00" in shown.replace("\xa0", "")
    )
    answer = browse(cast.finance).post(
        reverse("wallet:break_propose", args=[one.pk]),
        {"posting-way": "fx", "posting-business_on": "2026-09-30", "posting-reason": "Settled in euro"},
    )
    assert answer.status_code == 302
    assert "at 0.8" in browse(cast.second_finance).get(page).content.decode()
