"""What a PSP holds back and releases: booked by itself, paired, a break only where it is late or does not add up."""

import datetime as dt
import itertools

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm import approvals
from crm.errors import DomainError
from tests.examples import examples
from tests.wallet import recon
from tests.wallet.factories import make_psp
from tests.wallet.ledger.test_manual_journals import write
from tests.wallet.reconciliation.test_breaks import held, psp
from wallet.choices.ledger import JournalKind
from wallet.choices.reconciliation import BreakKind, BreakState, PostingWay, ReserveState
from wallet.closing.cash import cash_of
from wallet.ledger import posting as ledger
from wallet.ledger.posting import Line
from wallet.ledger.verification import verify
from wallet.models import Break, BreakPosting, Journal, Psp, ReserveItem, SettlementRow
from wallet.reconciliation import postings, rematch

__all__ = ["psp"]
pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 9, 30)


def reserve(minor: int, own: str, *, named: str = "", **more) -> dict:
    return recon.row("", minor, psp_reference=own, original_reference=named, type="reserve", **more)


def back(psp, currency="EUR") -> int:
    """What the PSP holds back, above zero."""
    return -ledger.balance(ledger.psp_reserve(psp, currency))


def open_breaks() -> list[tuple[str, int]]:
    rows = Break.objects.filter(state="open").order_by("kind", "difference_minor")
    return list(rows.values_list("kind", "difference_minor"))


def states() -> list[str]:
    return [one.state for one in ReserveItem.objects.order_by("at", "id")]


def quick(psp, days: int) -> None:
    Psp.objects.filter(pk=psp.pk).update(reserve_days=days)
    psp.refresh_from_db()


def test_what_is_held_back_and_released_needs_nobody(psp):
    recon.report(psp, [reserve(-5_000, "r-1", fee=20)], first=1, last=5)
    assert (held(psp), back(psp), open_breaks(), states()) == (-5_020, 5_000, [], [ReserveState.HELD])
    recon.report(psp, [reserve(5_000, "r-2", named="r-1", day=6)], first=6, last=10)
    assert (held(psp), back(psp), open_breaks()) == (-20, 0, [])
    assert states() == [ReserveState.RELEASED] * 2
    journals = Journal.objects.filter(kind=JournalKind.PSP_RESERVE).order_by("id")
    assert [one.business_on for one in journals] == [dt.date(2026, 9, 5), dt.date(2026, 9, 10)]
    assert verify().holds


def test_looked_at_again_and_told_again_it_is_booked_once(psp):
    rows = [reserve(-5_000, "r-1"), reserve(5_000, "r-2", day=6)]
    recon.report(psp, rows)
    for _again in range(3):
        rematch(psp.pk)
    recon.report(psp, rows, name="again.csv")
    assert ReserveItem.objects.count() == 2 and Journal.objects.filter(kind=JournalKind.PSP_RESERVE).count() == 0
    assert (held(psp), back(psp), open_breaks()) == (0, 0, [])


def test_several_releases_of_one_and_one_release_of_several(psp):
    recon.report(
        psp,
        [
            reserve(-10_000, "a"),
            reserve(6_000, "b", named="a", day=6),
            reserve(4_000, "c", named="a", day=7),
            reserve(-700, "d", day=8),
            reserve(-301, "e", day=9),
            reserve(1_001, "f", day=10),
            reserve(-1_000, "g", currency="JPY"),
            reserve(1_000, "h", currency="JPY", day=6),
            reserve(-50_000_001, "i", currency="BTC"),
            reserve(50_000_001, "j", currency="BTC", day=7),
        ],
    )
    assert (back(psp), back(psp, "JPY"), back(psp, "BTC"), open_breaks()) == (0, 0, 0, [])
    assert set(states()) == {ReserveState.RELEASED} and verify().holds


def test_a_part_that_names_nothing_belongs_to_the_only_hold_that_it_fits(psp):
    recon.report(psp, [reserve(-10_000, "a"), reserve(4_000, "b", day=6)], first=1, last=20)
    assert (states(), open_breaks(), back(psp)) == ([ReserveState.HELD] * 2, [], 6_000)
    assert {one.open_minor for one in ReserveItem.objects.all()} == {-6_000}
    recon.report(psp, [reserve(-9_000, "c", day=21), reserve(6_000, "d", day=25)], first=21, last=29)
    assert open_breaks() == [] and back(psp) == 9_000, "the rest is the sum that meets, and the later hold is its own"
    assert verify().holds


def test_a_part_that_several_holds_could_have_given_is_for_people_and_so_is_more_than_is_left(psp):
    recon.report(psp, [reserve(-10_000, "a"), reserve(-9_000, "b"), reserve(4_000, "c", day=6)], first=1, last=20)
    assert open_breaks() == [("reserve_unequal", 4_000)]
    recon.report(psp, [reserve(4_000, "d", named="b", day=21)], first=21, last=25)
    assert open_breaks() == [("reserve_unequal", 4_000)]


def test_parts_take_no_more_than_is_left_and_one_of_before_or_of_another_currency_takes_nothing(psp):
    recon.report(
        psp,
        [
            reserve(100, "a", day=2),
            reserve(-1_000, "b", day=5),
            reserve(600, "c", day=6),
            reserve(500, "d", day=7),
            reserve(200, "e", currency="JPY", day=8),
            reserve(300, "f", named="x", day=9),
        ],
        first=1,
        last=25,
    )
    assert open_breaks() == [("reserve_unequal", minor) for minor in (100, 200, 300, 500)]
    assert -back(psp) == 500 and verify().holds


def test_rows_without_a_number_of_their_own_are_told_by_their_amounts(psp):
    """Adyen numbers none of them: what stands in the same batch is not what belongs together."""
    recon.report(
        psp,
        [
            reserve(-60, "ReserveAdjustment 3", day=3),
            reserve(-100, "ReserveAdjustment 7", day=7),
            reserve(60, "ReserveAdjustment 7", day=7, hour=14),
        ],
    )
    assert states() == [ReserveState.RELEASED, ReserveState.HELD, ReserveState.RELEASED]


def test_another_currency_releases_nothing(psp):
    recon.report(psp, [reserve(-1_000, "a"), reserve(1_000, "b", named="a", currency="USD", day=6)])
    assert open_breaks() == [("reserve_unequal", 1_000)]
    assert (back(psp), back(psp, "USD")) == (1_000, -1_000)


def test_what_is_not_released_in_time_is_a_break_and_closes_when_it_is(psp):
    quick(psp, 10)
    recon.report(psp, [reserve(-5_000, "r-1", day=5)], first=1, last=18)
    assert open_breaks() == [], "due on the 15th; the report of the day may come three days later"
    recon.report(psp, [], first=19, last=19)
    one = Break.objects.get()
    assert (one.kind, one.difference_minor, one.state) == (BreakKind.RESERVE_OVERDUE, -5_000, BreakState.OPEN)
    assert "is overdue for release" in one.explanation
    recon.report(psp, [reserve(2_000, "r-2", named="r-1", day=20)], first=20, last=20)
    assert open_breaks() == [("reserve_overdue", -3_000)]
    recon.report(psp, [reserve(3_000, "r-3", named="r-1", day=21)], first=21, last=21)
    assert (open_breaks(), back(psp)) == ([], 0)


def test_the_day_that_the_report_names_goes_before_the_psps_own(psp):
    recon.report(psp, [reserve(-5_000, "r-1", day=5, value_at=recon.at(8))], first=1, last=12)
    assert open_breaks() == [("reserve_overdue", -5_000)]


def test_more_released_than_held_back_is_a_break_at_once_and_out_of_nothing_after_three_days(psp):
    recon.report(psp, [reserve(-5_000, "a", day=1), reserve(5_001, "b", named="a", day=4)], first=1, last=4)
    assert open_breaks() == [("reserve_unequal", 1)]
    recon.report(psp, [reserve(800, "x", day=5)], first=5, last=7)
    assert open_breaks() == [("reserve_unequal", 1)], "what it releases may stand in a report that is late"
    recon.report(psp, [], first=8, last=8)
    assert open_breaks() == [("reserve_unequal", 1), ("reserve_unequal", 800)]


def test_two_people_write_off_what_never_comes_and_a_late_release_is_a_break(cast, psp):
    quick(psp, 5)
    recon.report(psp, [reserve(-5_000, "r-1", day=1)], first=1, last=15)
    one = Break.objects.get()
    posting = postings.propose(
        break_id=one.pk, way=PostingWay.LOSS, business_on=DAY, reason="The PSP is insolvent", actor=cast.finance
    )
    with pytest.raises(DomainError):
        approvals.approve(BreakPosting, posting.pk, actor=cast.finance)
    approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    assert (held(psp), back(psp), open_breaks()) == (-5_000, 0, []) and verify().holds
    recon.report(psp, [], first=16, last=16)
    assert open_breaks() == []
    recon.report(psp, [reserve(5_000, "r-2", named="r-1", day=17)], first=17, last=17)
    assert open_breaks() == [("reserve_unequal", 5_000)] and back(psp) == -5_000
    late = Break.objects.get(state="open")
    posting = postings.propose(
        break_id=late.pk, way=PostingWay.LOSS, business_on=DAY, reason="It paid after all", actor=cast.finance
    )
    approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)
    recon.report(psp, [], first=18, last=18)
    assert (held(psp), back(psp), open_breaks()) == (0, 0, []) and verify().holds


def test_rows_whose_breaks_an_earlier_version_opened_are_taken_and_those_that_people_posted_are_not(cast, psp):
    report = recon.report(psp, [], first=1, last=15)
    rows = SettlementRow.objects.bulk_create(
        SettlementRow(report=report, line=place, **reserve(-minor, f"r-{place}"))
        for place, minor in enumerate([1_000, 2_000], start=2)
    )
    for row in rows:
        Break.objects.create(
            brand=psp.brand,
            leg="psp",
            psp=psp,
            report=report,
            kind="missing_here",
            row=row,
            currency="EUR",
            difference_minor=row.gross_minor,
            happened_at=row.booked_at,
            opened_at=timezone.now(),
            state="open",
        )
    Break.objects.filter(row=rows[1]).update(
        state="resolved", resolved_by=cast.finance, resolved_at=timezone.now(), resolution="Posted by hand"
    )
    rematch(psp.pk)
    assert (back(psp), held(psp), open_breaks()) == (1_000, -1_000, []) and verify().holds


def test_nobody_books_into_a_reserve_by_hand_and_verification_notices_who_does(cast, psp):
    recon.report(psp, [reserve(-5_000, "r-1")])
    account, clearing = ledger.psp_reserve(psp, "EUR"), ledger.psp_clearing(psp, "EUR")
    with pytest.raises(DomainError):
        write(cast, [Line(account, 100), Line(clearing, -100)])
    with transaction.atomic():
        ledger.post(
            ledger.Entry(
                key="by-hand",
                kind=JournalKind.ADJUSTMENT,
                brand_id=psp.brand_id,
                lines=(Line(account, 100), Line(clearing, -100)),
            )
        )
    assert [problem for problem in verify().problems if "holds back" in problem]
    with pytest.raises(IntegrityError, match="what_is_held_back_has_a_due_day"), transaction.atomic():
        ReserveItem.objects.update(due_on=None)


def test_what_is_held_back_is_no_cover_for_client_money(cast, psp):
    recon.movement(psp, cast.client, "D-1", 10_000)
    recon.report(psp, [recon.row("D-1", 10_000), reserve(-1_000, "r-1")])
    (one,) = [one for one in cash_of(cast.brand) if one.currency == "EUR"]
    assert (one.owed, one.held, one.difference) == (100, 90, -10)
    assert [place.amount for place in one.held_back_at] == [10]


def test_finance_sees_what_is_held_with_its_due_day_and_another_brand_does_not(cast, psp, browse):
    recon.report(psp, [reserve(-5_000, "r-1"), reserve(-700, "r-2", day=6), reserve(700, "r-3", day=7)])
    shown = browse(cast.finance).get(reverse("wallet:reserves"), {"held": "true"}).content.decode()
    assert "r-1" in shown and "r-2" not in shown and "Held by the PSP" in shown
    everything = browse(cast.finance).get(reverse("wallet:reserves")).content.decode()
    assert "r-2" in everything and "r-3" in everything
    other = make_psp(cast.other_brand, "southpay")
    recon.report(other, [reserve(-900, "r-of-another-brand")])
    assert "r-of-another-brand" not in browse(cast.finance).get(reverse("wallet:reserves")).content.decode()


# ── in any order ─────────────────────────────────────────────────────────────────────────────────────────────────────

NUMBERS = itertools.count(1)
ROWS = st.lists(
    st.tuples(
        st.sampled_from([-300, -200, -100, 100, 200, 300, 400]),
        st.integers(1, 28),
        st.integers(0, 3),
        st.sampled_from(["EUR", "JPY"]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=10,
)


def outcome(psp) -> tuple:
    items = ReserveItem.objects.filter(psp=psp).select_related("row").order_by("at", "row__psp_reference")
    breaks = Break.objects.filter(psp=psp, state="open").order_by("kind", "difference_minor", "row__psp_reference")
    return (
        [(one.row.psp_reference, one.open_minor) for one in items],
        list(breaks.values_list("kind", "difference_minor", "row__psp_reference")),
        [
            (ledger.balance(of(psp, code)))
            for of in (ledger.psp_reserve, ledger.psp_clearing)
            for code in ("EUR", "JPY")
        ],
    )


class AnyOrder(TestCase):
    @settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(rows=ROWS, order=st.permutations(range(3)))
    def test_the_order_of_the_files_changes_nothing_and_each_currency_adds_up(self, rows, order):
        files: list[list] = [[], [], []]
        for number, (minor, day, named, currency, file) in enumerate(rows):
            fields = reserve(minor, f"r{number}", named=f"r{named}" if minor > 0 else "", currency=currency, day=day)
            files[file].append(fields)
        with transaction.atomic():
            told = []
            for places in (range(3), order):
                psp, _client = recon.world(f"reserve{next(NUMBERS)}")
                quick(psp, 7)
                for place in places:
                    recon.report(psp, files[place], name=f"{place}.csv")
                told.append(outcome(psp))
                items = ReserveItem.objects.filter(psp=psp)
                for code in ("EUR", "JPY"):
                    total = sum(items.filter(currency=code).values_list("amount_minor", flat=True))
                    assert (back(psp, code), held(psp) if code == "EUR" else total) == (-total, total)
            transaction.set_rollback(True)
        assert told[0] == told[1]
