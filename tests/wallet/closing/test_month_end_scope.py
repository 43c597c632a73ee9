"""A month's page and pack hold what is of this month, this brand and this closing, and nothing else."""

import dataclasses
import datetime as dt
import json
from decimal import Decimal

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from clients.models import Client
from crm import approvals
from tests.days import last_month, last_month_end
from tests.wallet.closing.test_month_end import at, break_of, month, position, report
from tests.wallet.closing.test_month_end_queries import add_sources
from tests.wallet.closing.test_periods import pay
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp, sign_month
from trading.models import TradingServer
from wallet.choices.ledger import JournalKind
from wallet.choices.month_end import SourceKind
from wallet.closing import cash, month_end, month_pack, periods
from wallet.closing.client_money import Figures, figures_of, keep_day
from wallet.closing.missing_sources import due_from, last_due
from wallet.closing.month_facts import ClientMoneyState, client_money_state
from wallet.closing.revaluation import propose_revaluation
from wallet.closing.sign_offs import figures_hash, withdraw_signature
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import ClientMoneyDay, ManualJournal, MonthSignOff, Period, Psp
from wallet.reconciliation.source_runs import Source

__all__ = ["month", "position"]
pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def test_what_nothing_is_known_of_is_zero(cast):
    one = cash.CurrencyCash("EUR")
    sums = {field.name: getattr(one, field.name) for field in dataclasses.fields(one) if field.name != "currency"}
    assert {name: value for name, value in sums.items() if value} == {}
    assert month_end.Ageing("missing_here", "EUR").cells == [(0, Decimal(0))] * 4
    none = {name: value for name, value in Figures("EUR").columns().items() if value}
    assert none == {"transit_counts": True, "cover": "covered"}
    line = month_end.SourceLine(Source(cast.brand, SourceKind.PSP))
    assert (line.files, line.rows, line.matched, line.breaks, line.is_idle) == (0, 0, 0, 0, False)


def test_journals_of_another_brand_or_month_are_in_no_pack(cast, month, position):
    manual = propose_revaluation(period_id=month.pk, actor=cast.finance)
    assert month_pack._journals(month).rows == [], "it waits"
    approvals.approve(ManualJournal, manual.pk, actor=cast.second_finance)
    assert [row[0] for row in month_pack._journals(month).rows] == [manual.reference]
    theirs = Period(brand=cast.other_brand, first_day=month.first_day, last_day=month.last_day)
    before = Period(brand=cast.brand, first_day=month.first_day - 31 * DAY, last_day=month.last_day - DAY)
    after = Period(brand=cast.brand, first_day=month.last_day + DAY, last_day=month.last_day + 31 * DAY)
    last = Period(brand=cast.brand, first_day=month.last_day, last_day=month.last_day)
    assert [len(list(month_pack._journals(one).rows)) for one in (theirs, before, after, last)] == [0, 0, 0, 1]


def test_a_pack_names_the_signatures_under_its_own_closing(cast, month):
    def signed() -> list[str]:
        return [one["by"] for one in json.loads(month_pack._manifest(month, "hash", []))["signed"]]

    sign_month(month, cast.finance)
    assert signed() == [str(cast.finance)], "of the first closing, which is still to come"
    month.closings = 1
    assert signed() == [str(cast.finance)]
    month.closings = 2
    assert signed() == []
    month.closings = 0
    withdraw_signature(sign_off_id=MonthSignOff.objects.get(period=month).pk, actor=cast.finance)
    assert signed() == []


def test_client_money_shows_its_last_day_and_its_worst(cast, month):
    wallet, clearing = posting.wallet_of(cast.client, "EUR"), posting.psp_clearing(make_psp(cast.brand), "EUR")
    days = [last_month() + number * DAY for number in (5, 6)]
    lines = (Line(clearing, -900), Line(wallet, 900))
    entry = Entry(key="in", kind=JournalKind.DEPOSIT, brand_id=cast.brand.pk, business_on=days[0], lines=lines)
    with transaction.atomic():
        posting.post_many([entry], posted_at=[at(days[0])])
    for day in days:
        keep_day(brand=cast.brand, day=day)
    found = {one.last.currency: one for one in month_end._currencies(month)}
    assert found and {one.last.day for one in found.values()} == {days[1]}
    for one in found.values():
        rows = [row for row in month_end.client_money_days(month) if row.currency == one.last.currency]
        assert one.worst.difference_minor == min(row.difference_minor for row in rows)
        assert one.short_days == sum(row.cover == "short" for row in rows)
    assert last_month_end() not in {one.last.day for one in found.values()}


def test_client_money_of_another_brand_or_month_is_not_the_months(cast, month):
    last, none = last_month_end(), Figures("EUR").columns()
    ClientMoneyDay.objects.bulk_create(
        ClientMoneyDay(brand=brand, day=day, currency="EUR", made_at=at(day), **none)
        for brand in (cast.brand, cast.other_brand)
        for day in (month.first_day - DAY, month.first_day, last, last + DAY)
    )
    found = month_end.client_money_days(month)
    assert [(one.brand_id, one.day) for one in found] == [(cast.brand.pk, last), (cast.brand.pk, month.first_day)]


@pytest.mark.parametrize(
    ("today", "last", "first"),
    [
        ((9, 30), None, (10, 1)),
        ((10, 1), None, (10, 1)),
        ((10, 2), (10, 1), (10, 2)),
        ((10, 31), (10, 30), (10, 31)),
        ((11, 1), (10, 31), None),
        ((12, 1), (10, 31), None),
    ],
)
def test_days_that_are_over_are_due_and_the_others_are_not(today, last, first):
    october = Period(first_day=dt.date(2025, 10, 1), last_day=dt.date(2025, 10, 31))
    with time_machine.travel(dt.datetime(2025, *today, 12, tzinfo=dt.UTC)):
        assert last_due(october) == (last and dt.date(2025, *last))
        assert due_from(october) == (first and dt.date(2025, *first))


def test_client_money_is_due_from_the_first_money_to_yesterday(cast):
    october = Period(brand=cast.brand, first_day=dt.date(2025, 10, 1), last_day=dt.date(2025, 10, 31))
    wallet, clearing = posting.wallet_of(cast.client, "EUR"), posting.psp_clearing(make_psp(cast.brand), "EUR")
    lines = (Line(clearing, -900), Line(wallet, 900))
    entry = Entry(key="in", kind=JournalKind.DEPOSIT, brand_id=cast.brand.pk, lines=lines)
    with transaction.atomic():
        posting.post_many([entry], posted_at=[at(dt.date(2025, 9, 30), 23)])
    for day, due in ((dt.date(2025, 10, 1), 0), (dt.date(2025, 10, 2), 1), (dt.date(2025, 11, 1), 31)):
        with time_machine.travel(at(day)):
            assert client_money_state(october) == ClientMoneyState(due, 0, 0)
    september, august = (
        Period(brand=cast.brand, first_day=dt.date(2025, month, 1), last_day=dt.date(2025, month, last))
        for month, last in ((9, 30), (8, 31))
    )
    assert client_money_state(september) == ClientMoneyState(1, 0, 0)
    assert client_money_state(august) == ClientMoneyState(0, 0, 0)


def test_a_break_ages_at_the_start_of_its_day(cast, month):
    psp = make_psp(cast.brand)
    with time_machine.travel(at(last_month_end() + 40 * DAY), tick=False):
        now = timezone.now()
        october = Period(brand=cast.brand, first_day=now.date(), last_day=now.date() + DAY)
        for number, days in enumerate((3, 8, 31)):
            for seconds in (1, 0):
                age = dt.timedelta(days=days, seconds=-seconds)
                break_of(cast, psp, subject=f"row:{number}{seconds}", happened_at=now - age, opened_at=now)
        (row,) = month_end.ageing_of(october)
        assert row.counts == [1, 2, 2, 1]
        assert row.sums == [Decimal("12.5") * count for count in row.counts]
        assert month_end.ageing_of(Period(brand=cast.other_brand, first_day=now.date(), last_day=now.date())) == []


def test_what_is_open_counts_at_its_own_source(cast, month):
    for number in range(2):
        add_sources(cast, number)
    server, psp = TradingServer.objects.get(name="Server 1"), Psp.objects.get(code="psp1")
    break_of(cast, None, leg="platform", subject=f"deal:{server.pk}:7")
    break_of(cast, None, leg="platform", subject="deal:0:7")
    break_of(cast, psp, subject="later", happened_at=at(last_month_end() + DAY))
    lines = {line.source.label: line for line in month_end.month_end_of(month).sources}
    assert {label: line.breaks for label, line in lines.items() if line.breaks} == {"Psp0": 1, "Psp1": 1, "Server 1": 1}
    assert {label: line.files for label, line in lines.items() if line.files} == {
        "Psp0": 1,
        "Psp1": 1,
        "Adyen": 1,
        "Server 0": 1,
        "Server 1": 1,
    }


def facts_of(month: Period) -> dict[str, object]:
    """Everything that a month's page, its signatures and its pack say."""
    found = month_end.month_end_of(month)
    return {
        "checks": [(str(check.label), check.words) for check in found.checks],
        "sources": [
            (line.source.label, line.files, line.rows, line.matched, line.breaks, line.gaps, line.closing)
            for line in found.sources
        ],
        "ageing": found.ageing,
        "client money": (found.client_money, found.currencies, figures_of(month.brand, month.last_day)),
        "revaluation": found.revaluation,
        "trial": found.trial.parts,
        "signed": (figures_hash(month), found.signatures),
        "files": [list(row) for row in month_pack._files(month).rows],
        "breaks": [row[0] for row in month_pack._break_rows(month)],
        "journals": month_pack._journals(month).rows,
    }


@pytest.fixture
def full_month(cast, month):
    """With sources, breaks, client money, a position and a signature."""
    load_rates()
    for number in range(2):
        add_sources(cast, number)
    keep_day(brand=cast.brand, day=month.last_day)
    sign_month(month, cast.finance, note="Known")
    return month


def test_a_month_says_nothing_of_another_brands(cast, full_month):
    before, its_cash = facts_of(full_month), cash.cash_of(cast.brand)
    Client.objects.filter(pk=cast.other_client.pk).update(brand=cast.other_brand)
    theirs = dataclasses.replace(
        cast, brand=cast.other_brand, client=Client.objects.select_related("brand").get(pk=cast.other_client.pk)
    )
    pay(theirs.brand, 2_000, last_month() + 9 * DAY, "theirs")
    for number in range(2, 4):
        add_sources(theirs, number)
    periods.open_months(theirs.brand.pk)
    their_month = Period.objects.select_related("brand").get(brand=theirs.brand, first_day=last_month())
    keep_day(brand=theirs.brand, day=their_month.last_day)
    MonthSignOff.objects.create(
        period=their_month, closing=1, figures_hash="0", signed_by=cast.finance, signed_at=timezone.now(), checks=[]
    )
    assert facts_of(full_month) == before and cash.cash_of(cast.brand) == its_cash
    found = facts_of(their_month)
    assert all(found[name] for name in ("sources", "ageing", "trial", "files", "breaks"))
    labels = {row[0] for row in found["sources"]}
    assert labels and labels.isdisjoint({row[0] for row in before["sources"]} - {"Adyen"})


def test_a_month_says_nothing_of_the_next(cast, full_month):
    before, later = facts_of(full_month), full_month.last_day + DAY
    psp = Psp.objects.get(code="psp0")
    pay(cast.brand, 700, later, "later")
    report(psp, later, later)
    break_of(cast, psp, subject="row:later", happened_at=at(later), opened_at=at(later))
    ClientMoneyDay.objects.create(
        brand=cast.brand, day=later, currency="EUR", made_at=at(later), **Figures("EUR").columns()
    )
    assert facts_of(full_month) == before
