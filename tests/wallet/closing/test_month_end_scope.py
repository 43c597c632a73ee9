"""A month's page and pack hold what is of this month, this brand and this closing, and nothing else."""

import dataclasses
import datetime as dt
import json
from decimal import Decimal

import pytest
from django.db import transaction

from crm import approvals
from tests.days import last_month, last_month_end
from tests.wallet.closing.test_month_end import at, month, position
from tests.wallet.factories import make_psp, sign_month
from wallet.choices.ledger import JournalKind
from wallet.closing import cash, month_end, month_pack
from wallet.closing.client_money import keep_day
from wallet.closing.revaluation import propose_revaluation
from wallet.closing.sign_offs import withdraw_signature
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import ManualJournal, MonthSignOff, Period

__all__ = ["month", "position"]
pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def test_what_nothing_is_known_of_is_zero():
    one = cash.CurrencyCash("EUR")
    sums = {field.name: getattr(one, field.name) for field in dataclasses.fields(one) if field.name != "currency"}
    assert {name: value for name, value in sums.items() if value} == {}
    assert month_end.Ageing("missing_here", "EUR").cells == [(0, Decimal(0))] * 4


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
