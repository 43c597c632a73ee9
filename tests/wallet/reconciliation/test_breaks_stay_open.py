"""A break closes when it is explained and at no other time; what is taken back opens again, whole."""

import datetime as dt
import threading

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from crm import approvals
from tests.wallet import recon
from tests.wallet.factories import make_psp
from tests.wallet.reconciliation.test_breaks import amount_break, bank_entry, held, kinds, payout, psp
from wallet.bank import payout_matching
from wallet.choices.reconciliation import BreakKind, BreakState, PostingWay
from wallet.models import BankEntry, Break, BreakPosting, Match, NotTheSame, Suggestion
from wallet.reconciliation import breaks, deciding, postings

__all__ = ["amount_break", "psp"]
pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 9, 30)


@pytest.mark.parametrize("kind", ["adjustment", "conversion"])
def test_money_that_a_psp_moved_by_itself_is_in_no_book_of_ours_until_somebody_says_what_it_is(cast, psp, kind):
    recon.report(psp, [recon.row("", -5_000, psp_reference="c-1", type=kind)], last=15)
    one = Break.objects.get()
    assert (one.kind, one.difference_minor, one.state) == (BreakKind.MISSING_HERE, -5_000, BreakState.OPEN)
    recon.report(psp, [], first=16)
    assert kinds() == ["missing_here"]
    posting = postings.propose(
        break_id=one.pk, way=PostingWay.SUSPENSE, business_on=DAY, reason="Asked them", actor=cast.finance
    )
    approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    assert held(psp) == -5_000
    assert kinds() == []


def test_a_suggestion_that_is_taken_leaves_the_other_row_of_the_movement_open(cast, psp):
    """One row has the PSP's reference with another amount, another one ours with the same: whoever takes the second, the
    first one is still unexplained."""
    recon.movement(psp, cast.client, "D-1", 10_000)
    recon.report(psp, [recon.row("", 9_900, psp_reference="p-D-1"), recon.row("D-1", 10_000, psp_reference="x-1")])
    assert kinds() == ["amount", "missing_here"]
    one = Suggestion.objects.get(rule="same_reference")
    deciding.accept(suggestion_id=one.pk, actor=cast.finance)
    left = Break.objects.get(state="open")
    assert (left.row.psp_reference, left.kind, left.difference_minor) == ("p-D-1", "missing_here", 9_900)


def test_a_match_of_long_ago_that_is_taken_back_opens_both_of_its_sides(cast, psp):
    """They share no reference, so that nothing but the undoing leads from the one to the other."""
    recon.movement(psp, cast.client, "D-1", 10_000, psp_reference="")
    recon.report(psp, [recon.row("", 10_000, psp_reference="x-1")])
    deciding.accept(suggestion_id=Suggestion.objects.get(rule="near_time").pk, actor=cast.finance)
    assert kinds() == []
    deciding.undo(match_id=Match.objects.get().pk, actor=cast.finance, reason="Another payment of that day")
    assert kinds() == ["missing_here", "missing_there"]


def test_who_posted_a_difference_stays_known_when_the_match_is_taken_back(cast, psp, amount_break):
    posting = postings.propose(
        break_id=amount_break.pk, way=PostingWay.FEE, business_on=DAY, reason="Fee", actor=cast.finance
    )
    approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    deciding.undo(match_id=Match.objects.first().pk, actor=cast.finance, reason="Another payment")
    amount_break.refresh_from_db()
    assert (amount_break.resolved_by, amount_break.how_resolved) == (cast.second_finance, "Posted: PSP fee")
    assert kinds() == ["amount"]


def test_a_payout_whose_match_with_the_bank_is_taken_back_is_missing_at_the_bank_again(cast, psp):
    bank = make_psp(cast.brand, "bank", kind="bank", adapter="bank_wire")
    bank_entry(cast, bank, 1, "something else")
    recon.report(psp, [payout("NP-77", 9_000)])
    assert Break.objects.get().leg == "bank"
    bank_entry(cast, bank, 9_000, "NORTHPAY PAYOUT NP-77", number=2)
    payout_matching.match_payouts(cast.brand.pk)
    one = Break.objects.get()
    assert (one.state, one.how_resolved) == ("resolved", "Received at the bank")
    deciding.undo(match_id=Match.objects.get().pk, actor=cast.finance, reason="Another company's")
    assert Break.objects.get(state="open").row.psp_reference == "NP-77"
    assert not Match.objects.exists()


def test_what_a_person_said_of_a_payout_that_did_not_arrive_stays_said(cast, psp):
    bank = make_psp(cast.brand, "bank", kind="bank", adapter="bank_wire")
    bank_entry(cast, bank, 1, "something else")
    recon.report(psp, [payout("NP-77", 9_000)])
    breaks.resolve_break(break_id=Break.objects.get().pk, actor=cast.finance, resolution="They pay it again in October")
    payout_matching.match_payouts(cast.brand.pk)
    assert not Break.objects.filter(state="open").exists()


def test_taking_back_a_batch_asks_a_bounded_number_of_questions(cast, psp):
    bank = make_psp(cast.brand, "bank", kind="bank", adapter="bank_wire")
    entry = bank_entry(cast, bank, 6_000, "Settlement B-2026-36")
    recon.report(psp, [recon.row(f"D-{number}", 100, batch="B-2026-36") for number in range(60)])
    with CaptureQueriesContext(connection) as asked:
        deciding.undo(match_id=entry.matches.get().pk, actor=cast.finance, reason="Another batch")
    assert len(asked) < 60, len(asked)
    assert NotTheSame.objects.count() == 60


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_somebody_is_deciding_about_is_not_taken_for_a_payout(cast):
    psp, bank = make_psp(cast.brand, "northpay"), make_psp(cast.brand, "bank", kind="bank", adapter="bank_wire")
    recon.report(psp, [payout("NP-77", 9_000)])
    entry = bank_entry(cast, bank, 9_000, "NORTHPAY PAYOUT NP-77")
    locked, go = threading.Event(), threading.Event()

    def decide(_number=0):
        with transaction.atomic():
            one = BankEntry.objects.select_for_update().get(pk=entry.pk)
            locked.set()
            go.wait(10)
            one.state, one.assigned_by, one.reason = "other", cast.finance, "Our own transfer"
            one.save()
        connections.close_all()

    def match():
        payout_matching.match_payouts(cast.brand.pk)
        connections.close_all()

    person, run = threading.Thread(target=decide), threading.Thread(target=match)
    person.start()
    assert locked.wait(10)
    run.start()
    run.join(2)
    go.set()
    person.join(10)
    run.join(10)
    entry.refresh_from_db()
    assert (entry.state, Match.objects.count()) == ("other", 0)
