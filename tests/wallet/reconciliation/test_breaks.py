"""What people do about breaks: owner, comments, postings by two; suggestions; a match taken back with what it posted."""

import datetime as dt

import pytest
from django.db import connection

from crm import approvals
from crm.choices import ApprovalState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent
from crm.money.amounts import EXPONENTS, exponent
from tests.wallet import recon
from tests.wallet.factories import at_once, make_psp
from wallet.bank import payout_matching
from wallet.choices.ledger import AccountKind
from wallet.choices.reconciliation import BreakKind, BreakState, PostingWay
from wallet.core.attachments import BREAKS, content_of
from wallet.ledger import posting as ledger
from wallet.ledger.verification import verify
from wallet.models import (
    BankEntry,
    BankFile,
    Break,
    BreakPosting,
    Journal,
    Match,
    MatchGroup,
    NotTheSame,
    PspCost,
    Suggestion,
)
from wallet.reconciliation import booking, breaks, deciding, postings, rematch

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 9, 30)


@pytest.fixture
def psp(cast):
    return make_psp(cast.brand, "northpay")


@pytest.fixture
def amount_break(cast, psp):
    recon.movement(psp, cast.client, "D-1", 10_000)
    recon.report(psp, [recon.row("D-1", 9_900)])
    return Break.objects.get()


def held(psp, currency="EUR"):
    return -ledger.balance(ledger.psp_clearing(psp, currency))


def kinds():
    return sorted(Break.objects.filter(state="open").values_list("kind", flat=True))


# Naming


def test_a_row_that_names_another_client_is_never_matched(cast, psp):
    recon.movement(psp, cast.client, "D-1", 10_000)
    recon.movement(psp, cast.other_client, "D-2", 5_000)
    recon.report(
        psp, [recon.row("D-2", 10_000, psp_reference="p-D-1"), recon.row("D-2", 5_000, client_reference="client-1")]
    )
    assert not Match.objects.exists()
    assert kinds() == ["wrong_client", "wrong_client"]


def test_a_refund_and_a_chargeback_that_we_have_not_heard_of_are_named_by_their_status(cast, psp):
    recon.movement(psp, cast.client, "D-1", 10_000)
    recon.report(
        psp,
        [
            recon.row("D-1", 10_000),
            recon.row("", -10_000, psp_reference="re_1", original_reference="p-D-1", type="refund"),
            recon.row("D-1", -10_000, psp_reference="dp_1", type="chargeback"),
        ],
    )
    assert kinds() == ["status", "status"]
    assert {one.client for one in Break.objects.all()} == {cast.client}


def test_a_movement_near_the_cut_off_is_timing_until_the_next_report_lacks_it_too(cast, psp):
    recon.movement(psp, cast.client, "D-1", 10_000, day=10, hour=22)
    recon.movement(psp, cast.client, "D-2", 10_000, day=10, hour=2)
    recon.report(psp, [], first=1, last=10)
    assert kinds() == ["missing_there", "timing"]
    recon.report(psp, [], first=11, last=20)
    assert kinds() == ["missing_there", "missing_there"]
    recon.report(psp, [recon.row("D-1", 10_000, day=21)], first=21, last=30)
    assert kinds() == ["missing_there"]


def test_a_fee_that_is_not_what_was_agreed_is_named_with_its_difference(cast, psp):
    PspCost.objects.create(
        psp=psp, type="payment", currency="EUR", basis_points=200, fixed_minor=25, valid_from=dt.date(2026, 1, 1)
    )
    for number in (1, 2):
        recon.movement(psp, cast.client, f"D-{number}", 10_000)
    recon.report(psp, [recon.row("D-1", 10_000, fee=225), recon.row("D-2", 10_000, fee=400)])
    one = Break.objects.get()
    assert (one.kind, one.difference_minor, Match.objects.count()) == (BreakKind.FEE, 175, 2)
    assert "2.25" in one.explanation


def test_a_payout_paid_in_parts_and_payouts_paid_together_are_groups_that_add_up(cast, psp):
    recon.movement(psp, cast.client, "W-1", -10_000, kind="payout")
    for number, minor in ((2, -4_000), (3, -6_000)):
        recon.movement(psp, cast.client, f"W-{number}", minor, kind="payout", common="W-2")
    recon.report(
        psp,
        [
            recon.row("W-1", -3_000, psp_reference="a", type="payout"),
            recon.row("W-1", -7_000, psp_reference="b", type="payout"),
            recon.row("W-2", -10_000, psp_reference="c", type="payout"),
        ],
    )
    assert sorted(MatchGroup.objects.values_list("rule", "rows_minor")) == [("merged", -10_000), ("split", -10_000)]
    assert not Break.objects.exists()


def test_a_payment_settled_in_another_currency_matches_by_the_psp_s_rate_and_is_booked_at_it(cast, psp):
    recon.movement(psp, cast.client, "D-1", 10_000, currency="USD")
    recon.report(psp, [recon.row("D-1", 9_312, currency="EUR", paid_currency="USD", paid_minor=10_000, rate="0.9312")])
    assert Match.objects.get().rule == "fx"
    assert (held(psp, "USD"), held(psp, "EUR")) == (0, 9_312)
    assert verify().holds


def test_another_rate_is_no_match(cast, psp):
    recon.movement(psp, cast.client, "D-1", 10_000, currency="USD")
    recon.report(psp, [recon.row("D-1", 9_400, paid_currency="USD", paid_minor=10_000, rate="0.9312")])
    assert kinds() == ["currency"]


def test_a_second_payment_under_the_same_reference_is_never_taken_for_the_first(cast, psp):
    recon.movement(psp, cast.client, "D-1", 10_000)
    recon.report(psp, [recon.row("D-1", 10_000, psp_reference="another")])
    assert not Match.objects.exists()
    assert kinds() == ["missing_here", "missing_there"]
    assert Suggestion.objects.get().rule == "same_reference"


def test_a_later_row_makes_a_forced_choice_ambiguous_and_the_match_is_taken_back(cast, psp):
    recon.movement(psp, cast.client, "D-1", 10_000, psp_reference="")
    recon.report(psp, [recon.row("D-1", 10_000, psp_reference="a", fee=10)], last=15)
    assert Match.objects.count() == 1
    booked = held(psp)
    recon.report(psp, [recon.row("D-1", 10_000, psp_reference="b", day=16)], first=16)
    assert not Match.objects.exists()
    assert kinds() == ["missing_here", "missing_here", "missing_there"]
    assert held(psp) == booked + 10  # the fee of the match went back with it


# The database's own word


def test_the_database_counts_every_currency_with_as_many_decimals_as_we_do():
    codes = [*EXPONENTS, "EUR", "USD"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, recon_exponent(code) FROM unnest(%s::text[]) code", [codes])
        assert dict(cursor.fetchall()) == {code: exponent(code) for code in codes}
        cursor.execute("SELECT recon_rate_explains(1000000, 'VND', 3850, 'EUR', 25974.025974)")
        assert cursor.fetchone() == (True,)


def test_the_database_refuses_a_pair_that_does_not_agree(cast, psp):
    from django.db import IntegrityError, transaction

    one = recon.movement(psp, cast.client, "D-1", 10_000)
    report = recon.report(psp, [recon.row("D-9", 9_000)])
    with pytest.raises(IntegrityError, match="a match agrees"), transaction.atomic():
        Match.objects.create(row=report.rows.get(), movement=one, rule="psp_reference")


# People


def test_a_difference_is_posted_by_two_and_its_match_can_be_taken_back_with_the_posting(cast, psp, amount_break):
    with pytest.raises(NotAllowed):
        postings.propose(break_id=amount_break.pk, way=PostingWay.FEE, business_on=DAY, reason="x", actor=cast.auditor)
    posting = postings.propose(
        break_id=amount_break.pk,
        way=PostingWay.FEE,
        business_on=DAY,
        reason="Fee for a refused card",
        actor=cast.finance,
    )
    with pytest.raises(NotAllowed):
        approvals.approve(BreakPosting, posting.pk, actor=cast.finance)
    with pytest.raises(WrongState):
        breaks.resolve_break(break_id=amount_break.pk, actor=cast.finance, resolution="no")
    assert held(psp) == 10_000
    approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    amount_break.refresh_from_db()
    group = MatchGroup.objects.get()
    assert (held(psp), amount_break.state, group.adjustment_minor) == (9_900, BreakState.RESOLVED, -100)
    fees = ledger.house(AccountKind.FEES, brand_id=cast.brand.pk, currency="EUR")
    assert ledger.balance(fees) == -100
    with pytest.raises(WrongState):
        approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)

    deciding.undo(match_id=group.lines.first().pk, actor=cast.finance, reason="It was another payment")
    assert (held(psp), ledger.balance(fees), Match.objects.count()) == (10_000, 0, 0)
    assert kinds() == ["amount"]
    assert AuditEvent.objects.filter(action="wallet.match_undone").count() == 1
    assert verify().holds


def test_a_posting_whose_break_has_changed_since_is_not_posted(cast, psp):
    """A later movement takes the other one's place: what was proposed for the first is not posted for the second."""
    recon.movement(psp, cast.client, "D-1", 10_000, psp_reference="")
    recon.report(psp, [recon.row("D-1", 9_900, psp_reference="x1")])
    one = Break.objects.get()
    posting = postings.propose(break_id=one.pk, way=PostingWay.FEE, business_on=DAY, reason="Fee", actor=cast.finance)
    recon.movement(psp, cast.client, "D-1", 9_950, psp_reference="x1")
    rematch(psp.pk)
    one.refresh_from_db()
    assert (one.kind, one.difference_minor) == (BreakKind.AMOUNT, -50)
    with pytest.raises(WrongState, match="has changed"):
        approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    assert held(psp) == 19_950 and not MatchGroup.objects.exists()
    approvals.reject(BreakPosting, posting.pk, actor=cast.second_finance, note="Another payment")
    again = postings.propose(break_id=one.pk, way=PostingWay.FEE, business_on=DAY, reason="Fee", actor=cast.finance)
    approvals.approve(BreakPosting, again.pk, actor=cast.second_finance)
    assert held(psp) == 19_900


def test_refused_and_withdrawn_postings_post_nothing(cast, psp, amount_break):
    journals = Journal.objects.count()
    for end in ("refuse", "withdraw"):
        posting = postings.propose(
            break_id=amount_break.pk, way=PostingWay.SUSPENSE, business_on=DAY, reason="?", actor=cast.finance
        )
        if end == "refuse":
            with pytest.raises(DomainError):
                approvals.reject(BreakPosting, posting.pk, actor=cast.second_finance, note=" ")
            approvals.reject(BreakPosting, posting.pk, actor=cast.second_finance, note="Ask them first")
        else:
            approvals.withdraw(BreakPosting, posting.pk, actor=cast.finance)
    assert Journal.objects.count() == journals
    assert kinds() == ["amount"]


def test_a_break_that_closes_itself_takes_its_waiting_posting_along(cast, psp):
    recon.report(psp, [recon.row("D-1", 10_000)])
    one = Break.objects.get()
    posting = postings.propose(
        break_id=one.pk, way=PostingWay.SUSPENSE, business_on=DAY, reason="Unknown", actor=cast.finance
    )
    recon.movement(psp, cast.client, "D-1", 10_000)
    rematch(psp.pk)
    posting.refresh_from_db()
    one.refresh_from_db()
    assert (one.state, one.resolved_by, posting.state) == (BreakState.RESOLVED, None, ApprovalState.WITHDRAWN)
    assert Match.objects.count() == 1


def test_a_match_that_was_taken_back_is_not_made_again_by_itself(cast, psp):
    recon.movement(psp, cast.client, "D-1", 10_000)
    recon.report(psp, [recon.row("D-1", 10_000, fee=100)])
    assert held(psp) == 9_900
    deciding.undo(match_id=Match.objects.get().pk, actor=cast.finance, reason="Two payments with one number")
    rematch(psp.pk)
    assert (Match.objects.count(), held(psp), NotTheSame.objects.count()) == (0, 10_000, 1)
    assert kinds() == ["missing_here", "missing_there"]
    with pytest.raises(WrongState):
        deciding.undo(match_id=1, actor=cast.finance, reason="again")


def test_a_suggestion_is_taken_by_a_person_or_never_made_again(cast, psp):
    for number in (1, 2):
        recon.movement(psp, cast.client, f"D-{number}", 10_000 * number)
    recon.report(psp, [recon.row(f"D-{number}", 10_000 * number, psp_reference=f"x{number}") for number in (1, 2)])
    first, second = Suggestion.objects.order_by("pk")
    with pytest.raises(NotAllowed):
        deciding.accept(suggestion_id=first.pk, actor=cast.auditor)
    deciding.accept(suggestion_id=first.pk, actor=cast.finance)
    deciding.reject(suggestion_id=second.pk, actor=cast.finance)
    rematch(psp.pk)
    assert list(Match.objects.values_list("rule", flat=True)) == ["accepted"]
    assert kinds() == ["missing_here", "missing_there"]
    assert not Suggestion.objects.filter(state="open").exists()


def test_nobody_is_asked_about_two_that_a_person_told_apart(cast, amount_break):
    one = Suggestion.objects.get()
    deciding._note_distinct(cast.finance, "Another payment", [(one.row_id, one.movement_id, None)])
    one.refresh_from_db()
    assert one.state == "void"
    with pytest.raises(WrongState):
        deciding.accept(suggestion_id=one.pk, actor=cast.finance)


def test_a_difference_is_not_accepted_with_a_suggestion(cast, amount_break):
    with pytest.raises(DomainError, match="amounts differ"):
        deciding.accept(suggestion_id=Suggestion.objects.get().pk, actor=cast.finance)


def test_breaks_have_owners_and_comments_with_files(cast, amount_break):
    assert breaks.assign_breaks(break_ids=[amount_break.pk], owner_id=cast.second_finance.pk, actor=cast.finance) == 1
    with pytest.raises(DomainError):
        breaks.assign_breaks(break_ids=[amount_break.pk], owner_id=cast.agent.pk, actor=cast.finance)
    with pytest.raises(NotAllowed):
        breaks.assign_breaks(break_ids=[amount_break.pk], owner_id=cast.finance.pk, actor=cast.auditor)
    note = breaks.comment(
        break_id=amount_break.pk, actor=cast.finance, body="They answered", file_name="../mail.txt", content=b"sorry"
    )
    assert (note.file_name, content_of(note, BREAKS)) == ("mail.txt", b"sorry")
    assert b"sorry" not in (BREAKS.folder / note.file_path).read_bytes()
    amount_break.refresh_from_db()
    assert amount_break.owner == cast.second_finance
    with pytest.raises(DomainError):
        breaks.comment(break_id=amount_break.pk, actor=cast.finance, body=" ")


# The bank's leg


def bank_entry(cast, bank, minor, text, *, day=7, number=1):
    file, _new = BankFile.objects.get_or_create(
        psp=bank,
        sha256="0" * 64,
        defaults={
            "file_name": "bank",
            "format": "camt",
            "stored_name": f"test-{bank.pk}",
            "size_bytes": 0,
            "imported_at": recon.at(20),
            "statements": [{"currency": "EUR", "last": "2026-09-30"}],
        },
    )
    return BankEntry.objects.create(
        psp=bank,
        file=file,
        fingerprint=f"{text}{number}",
        place="1",
        booked_on=recon.at(day).date(),
        text=text,
        amount_minor=minor,
        currency="EUR",
        state="unmatched",
    )


def payout(reference, net, **more):
    return recon.row("", -net, psp_reference=reference, type="merchant_payout", **{"day": 6, **more})


def test_what_reaches_the_bank_is_matched_with_the_payout_it_names(cast, psp):
    bank = make_psp(cast.brand, "bank", kind="bank", adapter="bank_wire")
    bank_entry(cast, bank, 9_000, "NORTHPAY PAYOUT NP-77")
    bank_entry(cast, bank, 5_000, "payouts NP-1 NP-2")
    bank_entry(cast, bank, 700, "NP-9 first half", number=2)
    bank_entry(cast, bank, 300, "NP-9 second half", number=3)
    unknown = bank_entry(cast, bank, 4_000, "nobody knows 77")
    recon.report(
        psp,
        [
            payout("NP-77", 9_000),
            payout("NP-1", 2_000),
            payout("NP-2", 3_000),
            payout("NP-9", 1_000),
            payout("NP-5", 4_000),
        ],
    )
    assert Match.objects.filter(leg="bank", group=None).count() == 1
    assert MatchGroup.objects.filter(leg="bank").count() == 2
    unknown.refresh_from_db()
    assert unknown.state == "unmatched"
    late = Break.objects.get(leg="bank")
    assert (late.kind, late.row.psp_reference) == ("missing_there", "NP-5")
    bank_entry(cast, bank, 4_000, "NP-5 at last", day=9)
    payout_matching.match_payouts(cast.brand.pk)
    late.refresh_from_db()
    assert late.state == "resolved"


def test_a_fee_of_the_payout_itself_stays_out_of_what_reaches_the_bank(cast, psp):
    bank = make_psp(cast.brand, "bank", kind="bank", adapter="bank_wire")
    entry = bank_entry(cast, bank, 9_000, "NORTHPAY PAYOUT NP-78")
    several = bank_entry(cast, bank, 5_000, "payouts NP-1 NP-2")
    report = recon.report(
        psp, [payout("NP-78", 9_000, fee=25), payout("NP-1", 2_000, fee=25), payout("NP-2", 3_000, fee=25)]
    )
    assert booking.book_payouts(report) == 3
    for one in (entry, several):
        one.refresh_from_db()
        assert one.state == "settlement"
    there = [ledger.house(kind, brand_id=cast.brand.pk, currency="EUR") for kind in ("client_money_bank", "fees")] + [
        ledger.psp_clearing(psp, "EUR")
    ]
    assert [ledger.balance(account) for account in there] == [-14_000, -75, 14_075]


def test_a_batch_without_a_payout_row_is_recognised_by_its_rows_net_of_fees(cast, psp):
    bank = make_psp(cast.brand, "bank", kind="bank", adapter="bank_wire")
    rows = []
    for number in range(3):
        recon.movement(psp, cast.client, f"D-{number}", 10_000)
        rows.append(recon.row(f"D-{number}", 10_000, fee=200, batch="B-2026-36"))
    entry = bank_entry(cast, bank, 29_400, "Settlement B-2026-36")
    recon.report(psp, rows)
    entry.refresh_from_db()
    assert (entry.state, MatchGroup.objects.get(leg="bank").books_minor) == ("settlement", 29_400)
    deciding.undo(match_id=entry.matches.get().pk, actor=cast.finance, reason="Another batch")
    entry.refresh_from_db()
    assert (entry.state, Match.objects.filter(leg="bank").count()) == ("unmatched", 0)


@pytest.mark.django_db(transaction=True)
def test_two_reports_at_once_consume_each_movement_once(cast):
    psp = make_psp(cast.brand, "northpay")
    for number in range(6):
        recon.movement(psp, cast.client, f"D-{number}", 10_000 + number)
    rows = [recon.row(f"D-{number}", 10_000 + number, fee=10) for number in range(6)]
    done = at_once(lambda number: recon.report(psp, rows, name=f"{number}.csv"), 2)
    assert not [one for one in done if isinstance(one, Exception)]
    assert sorted((one.matched, one.seen_before) for one in done) == [(0, 6), (6, 0)]
    assert (Match.objects.count(), held(psp)) == (6, 60_015 - 60)
    assert not Break.objects.exists()
    assert BreakPosting.objects.count() == 0


# Pages


def test_a_break_is_worked_on_its_page(cast, browse, psp, amount_break, django_assert_max_num_queries):
    page = f"/money/reconciliation/breaks/{amount_break.pk}/"
    finance, second, auditor = browse(cast.finance), browse(cast.second_finance), browse(cast.auditor)
    with django_assert_max_num_queries(45):
        assert "is €99.00 there" in finance.get(page).content.decode() or finance.get(page).status_code == 200
    assert auditor.get(page).status_code == 200
    assert browse(cast.agent).get(page).status_code == 403
    assert finance.post(f"{page}comment/", {"comment-body": "Asked them"}).status_code == 302
    assert finance.post(f"{page}comment/", {"comment-body": ""}).status_code == 422
    give = {"ids": [amount_break.pk], "owner": cast.finance.pk, "back": amount_break.pk}
    assert finance.post("/money/reconciliation/breaks/give/", give).url == page
    proposal = {"posting-way": "fee", "posting-business_on": "2026-09-30", "posting-reason": "Their fee"}
    assert finance.post(f"{page}propose/", {**proposal, "posting-reason": ""}).status_code == 422
    assert finance.post(f"{page}propose/", proposal).status_code == 302
    posting = BreakPosting.objects.get()
    approve = f"/approvals/break-posting/{posting.pk}/approve/"
    assert finance.post(approve, {}).status_code == 422
    assert second.post(approve, {}).status_code == 302
    amount_break.refresh_from_db()
    assert (amount_break.state, amount_break.owner) == (BreakState.RESOLVED, cast.finance)
    match = Match.objects.exclude(row=None).get()
    undo = f"/money/reconciliation/matches/{match.pk}/undo/"
    assert finance.get(f"/money/reconciliation/{amount_break.report_id}/").status_code == 200
    assert finance.post(undo, {"reason": "Not the same"}).status_code == 302
    assert not Match.objects.exists()


def test_lists_of_breaks_take_the_same_queries_however_many_there_are(cast, browse, psp, django_assert_max_num_queries):
    for number in range(8):
        recon.movement(psp, cast.client, f"D-{number}", 10_000)
    recon.report(psp, [recon.row(f"D-{number}", 9_950, psp_reference=f"x{number}") for number in range(8)])
    finance = browse(cast.finance)
    for path in ("breaks/?state=open&kind=missing_here&mine=false", "suggestions/?state=open", "ageing/", "breaks/"):
        with django_assert_max_num_queries(30):
            assert finance.get(f"/money/reconciliation/{path}").status_code == 200
