"""Each line of a month's checklist: silent at nothing, in words from one on, and whether it forbids to close."""

import datetime as dt
from collections import Counter

import pytest
import time_machine

from tests.wallet.closing.test_periods import months
from tests.wallet.factories import make_psp
from wallet.choices.reconciliation import ReportState
from wallet.closing.checklist import COUNT_MAX, Check, end_of_month
from wallet.closing.month_facts import ClientMoneyState, MonthFacts
from wallet.closing.period_checks import checks_of
from wallet.closing.policies import can_withdraw_signature
from wallet.models import AnnouncedReport, MonthSignOff

__all__ = ["months"]
pytestmark = pytest.mark.django_db
SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
LINES = {
    "earlier_months": ("Earlier months to close first: {}.", True),
    "manual_journals": ("Manual journals of this month awaiting second approval: {}.", True),
    "held_deposits": ("Deposits held for review: {}.", False),
    "unknown_payouts": ("Payouts with unknown outcome: {}.", False),
    "open_transfers": ("Platform transfers with unknown outcome: {}.", False),
    "open_withdrawals": ("Withdrawals with open holds: {}.", False),
    "open_breaks": ("Open breaks: {}.", False),
    "open_webhooks": ("Unprocessed webhooks: {}.", False),
    "unknown_payments": ("Unmatched bank payments: {}.", False),
}


def facts_of(period, **known) -> MonthFacts:
    """A month as it is, with what is counted given."""
    facts = MonthFacts(period)
    vars(facts).update({"counts": Counter(), "client_money": ClientMoneyState(0, 0, 0), "missing": [], **known})
    return facts


def open_lines(facts: MonthFacts) -> list[tuple[int, str, bool]]:
    return [(check.count, check.words, check.blocks) for check in checks_of(facts.period, facts) if not check.is_fine]


@pytest.mark.parametrize(("name", "count"), [(name, count) for name in LINES for count in (1, 2)])
def test_a_line_counts_what_is_open(cast, months, name, count):
    words, blocks = LINES[name]
    assert open_lines(facts_of(months[0], counts=Counter({name: count}))) == [(count, words.format(count), blocks)]


def test_nothing_open_is_said_without_words(cast, months):
    found = checks_of(months[0], facts_of(months[0]))
    assert [check for check in found if not check.is_fine or check.words] == []
    assert [check.blocks for check in found] == [True] * 3 + [False] * (len(found) - 3)


@pytest.mark.parametrize(("late", "is_over"), [(-SECOND, False), (0 * SECOND, True), (SECOND, True)])
def test_a_month_is_over_with_its_last_instant(cast, months, late, is_over):
    facts = facts_of(months[0])
    with time_machine.travel(end_of_month(months[0]) + late, tick=False):
        lines = open_lines(facts)
    assert lines == ([] if is_over else [(1, f"{months[0]} isn't over yet.", True)])


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ClientMoneyState(3, 3, 0), []),
        (ClientMoneyState(3, 2, 0), ["Days without a client money calculation: 1."]),
        (ClientMoneyState(3, 3, 1), ["Days with a client money shortfall: 1."]),
        (
            ClientMoneyState(3, 1, 1),
            ["Days without a client money calculation: 2. Days with a client money shortfall: 1."],
        ),
    ],
)
def test_client_money_is_computed_and_covered_each_day(cast, months, state, words):
    lines = open_lines(facts_of(months[0], client_money=state))
    assert [line[1] for line in lines] == words
    assert [line[0] for line in lines] == ([state.lacking + state.short] if words else [])


@pytest.mark.parametrize(
    ("fields", "is_open"),
    [
        ({}, True),
        ({"state": ReportState.EMPTY, "due_at": None}, False),
        ({"state": ReportState.FAILED, "due_at": None}, True),
        ({"announced_at": "first"}, True),
        ({"announced_at": "before"}, False),
        ({"announced_at": "last"}, True),
        ({"announced_at": "after"}, False),
        ({"day": "last"}, True),
        ({"day": "next"}, False),
        ({"brand": "other"}, False),
    ],
)
def test_a_report_announced_until_two_weeks_after_is_missed(cast, months, fields, is_open):
    period = months[0]
    first = dt.datetime.combine(period.first_day, dt.time(), tzinfo=dt.UTC)
    after = end_of_month(period) + 14 * DAY
    moments = {"first": first, "before": first - SECOND, "last": after - SECOND, "after": after}
    days = {"last": period.last_day, "next": period.last_day + DAY}
    missing = {"state": ReportState.MISSING, "due_at": None, "day": days[fields["day"]]} if "day" in fields else {}
    row = AnnouncedReport.objects.create(
        psp=make_psp(cast.other_brand if "brand" in fields else cast.brand),
        name="settlement.csv",
        announced_at=moments.get(fields.get("announced_at"), first + DAY),
        **{"due_at": first, **missing},
    )
    AnnouncedReport.objects.filter(pk=row.pk).update(**{k: v for k, v in fields.items() if k in ("state", "due_at")})
    words = "Announced reports not received: Northpay: settlement.csv."
    assert open_lines(facts_of(period)) == ([(1, words, False)] if is_open else [])


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (1, "1"), (99, "99"), (100, "100+"), (101, "100+")])
def test_counts_stop_at_a_hundred(count, text):
    assert Check("Label", count, "", "", False).count_text == text
    assert COUNT_MAX == 100


def test_a_signature_is_its_owners_to_withdraw(cast, months):
    signed = MonthSignOff(period=months[0], signed_by=cast.finance)
    assert not can_withdraw_signature(cast.second_finance, signed)
    assert can_withdraw_signature(cast.finance, signed)
