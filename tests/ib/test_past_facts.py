"""A commission is computed from what held when the deal was executed: the account's group, the symbol's mapping, our lot."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.errors import WrongState
from crm.models import AuditEvent
from crm.rates import fx
from crm.security import audit
from ib import engine, plans
from ib.models import Accrual
from ib.replay.replays import request_replay, run_replay
from tests.cast import Cast
from tests.ib import factories
from tests.ib.factories import make_deal, make_trade
from tests.ib.test_pages import text_of
from trading.models import HouseSymbol, PastAccountGroup, PastSymbolMapping, SymbolAlias, SymbolInfo, TradingAccount
from trading.symbols import mapping, past_mappings

pytestmark = pytest.mark.django_db


def earned(deal: int) -> Decimal:
    return Accrual.objects.filter(deal_id=deal).aggregate(total=Sum("amount"))["total"]


def test_moving_an_account_rewrites_no_commission(cast: Cast, network: Any) -> None:
    version = factories.make_version(cast.brand, cast.ib_manager, cast.finance, account_groups=("real*",))
    plans.assign_plan(partner_id=network.sub.pk, plan_id=version.plan_id, actor=None)
    before = make_trade(network.account, at=timezone.now() + dt.timedelta(milliseconds=1), held_seconds=3600)
    time.sleep(0.01)
    engine.run_for_deals(deal_ids=[before])
    TradingAccount.objects.filter(pk=network.account.pk).update(group="house\\test")
    assert engine.run_nightly(brand=cast.brand).rows == 0
    assert earned(before) == Decimal(10)
    after = make_trade(network.account, at=timezone.now() + dt.timedelta(seconds=1))
    engine.run_for_deals(deal_ids=[after])
    assert set(Accrual.objects.filter(deal_id=after).values_list("reason", flat=True)) == {"account_group"}


def test_an_account_keeps_each_group_it_was_in(network: Any) -> None:
    account = network.account
    for group in ("real\\a", "real\\a", "real\\b"):
        account.group = group
        account.save(update_fields=["group"])
    first, second = PastAccountGroup.objects.order_by("ends_at")
    assert (first.group, first.starts_at) == ("real\\standard-EUR", None)
    assert (second.group, second.starts_at) == ("real\\a", first.ends_at)


def test_what_held_before_can_not_be_edited_or_deleted(network: Any) -> None:
    TradingAccount.objects.filter(pk=network.account.pk).update(group="real\\a")
    for change in ({"group": "real\\z"}, {"ends_at": timezone.now()}):
        with pytest.raises(DatabaseError, match="stays as it was"), transaction.atomic():
            PastAccountGroup.objects.update(**change)
    with pytest.raises(DatabaseError, match="stays as it was"), transaction.atomic():
        PastAccountGroup.objects.all().delete()


def test_mapping_a_symbol_anew_counts_from_now_on(cast: Cast, network: Any) -> None:
    info = SymbolInfo.objects.get(name="EURUSD")
    deal = make_trade(network.account, at=timezone.now() - dt.timedelta(minutes=1))
    engine.run_for_deals(deal_ids=[deal])
    HouseSymbol.objects.create(name="EUROS", symbol_group="metals", instrument_class="gold", contract_size=1000)
    _alias, job = mapping.map_symbol(
        info_id=info.pk,
        actor=cast.finance,
        name="EUROS",
        symbol_group="metals",
        instrument_class="gold",
        contract_size=Decimal(1000),
        note="wrong until today",
    )
    assert job is None and SymbolAlias.objects.get(info=info).since > info.first_seen_at
    past = PastSymbolMapping.objects.get(info=info)
    assert (past.symbol_group, past.house_contract_size, past.starts_at) == ("fx_majors", None, None)
    assert engine.run_nightly(brand=cast.brand).rows == 0
    assert earned(deal) == Decimal(10)
    later = make_trade(network.account, at=timezone.now() + dt.timedelta(seconds=1))
    engine.run_for_deals(deal_ids=[later])
    assert set(Accrual.objects.filter(deal_id=later).values_list("symbol_group", "lots")) == {("metals", Decimal(100))}


def test_an_earlier_mapping_is_corrected_after_a_preview(cast: Cast, network: Any, browse: Any) -> None:
    """Of two mappings of the past the newer one goes with the older, and a replay lists what that changes before it is written."""
    info, at = SymbolInfo.objects.get(name="EURUSD"), timezone.now() - dt.timedelta(minutes=1)
    deal = make_trade(network.account, at=at)
    engine.run_for_deals(deal_ids=[deal])
    for group, size in (("indices", 10), ("metals", 50_000)):
        SymbolInfo.objects.filter(pk=info.pk).update(symbol_group=group, house_contract_size=size)
    older, newer = PastSymbolMapping.objects.filter(info=info).order_by("ends_at")
    browser, address = browse(cast.finance), reverse("trading_symbol", args=[info.pk])
    assert "Lots 1 → 2" in text_of(browser.get(address, {"past": older.pk})), "half the units, twice the lots"
    assert earned(deal) == 10
    act = reverse("trading_symbol_correct", args=[info.pk])
    browser.post(act, {"past": older.pk, "note": " "})
    assert not PastSymbolMapping.objects.exclude(corrected_at=None).exists(), "not without a reason"
    assert browse(cast.agent).post(act, {"past": older.pk, "note": "Wrong from the start"}).status_code == 403
    browser.post(act, {"past": older.pk, "note": "Wrong from the start"})
    assert not PastSymbolMapping.objects.filter(pk__in=[older.pk, newer.pk], corrected_at=None).exists()
    with pytest.raises(WrongState):
        past_mappings.correct(info_id=info.pk, past_id=older.pk, actor=cast.finance, note="Again")
    said = audit.body_of(AuditEvent.objects.get(action="trading.symbol_corrected"))
    assert (said["reason"], said["before"]["group"], said["after"]["group"]) == (
        "Wrong from the start",
        "fx_majors",
        "metals",
    )
    replay = request_replay(
        brand=cast.brand,
        from_at=at - dt.timedelta(hours=1),
        to_at=timezone.now(),
        actor=cast.ib_manager,
        reason="Mapping",
    )
    lines = run_replay(replay_id=replay.pk).lines.all()
    assert {line.cause for line in lines} == {"mapping"} and {line.after for line in lines} == {0}
    assert earned(deal) == 10, "a second person applies it, or doesn't"


def test_an_opening_that_comes_weeks_late_resolves_the_holding_time(network: Any) -> None:
    """The nightly pass looks back five days only; this deal was closed long before."""
    paid, too_short = 70_001, 70_002
    closes = [
        make_deal(network.account, at=factories.NOON, entry=1, lots="1", closed="1", position=position, action=1)
        for position in (paid, too_short)
    ]
    engine.run_for_deals(deal_ids=closes)
    assert set(Accrual.objects.values_list("reason", flat=True)) == {"hold_unknown"}
    opens = [
        make_deal(network.account, at=factories.NOON - held, entry=0, lots="1", position=position)
        for position, held in ((paid, dt.timedelta(hours=1)), (too_short, dt.timedelta(seconds=5)))
    ]
    engine.run_for_deals(deal_ids=opens)
    assert [earned(deal) for deal in closes] == [Decimal(10), Decimal(0)]
    last = Accrual.objects.filter(deal_id=closes[1], kind="delta")
    assert set(last.values_list("state", "reason", "held_seconds")) == {("excluded", "held_too_short", 5)}
    rows = Accrual.objects.count()
    engine.run_for_deals(deal_ids=opens)
    engine.run_for_deals(deal_ids=closes, corrects=True)
    assert Accrual.objects.count() == rows


def test_an_opening_before_its_close_reopens_nothing(network: Any) -> None:
    closing = make_trade(network.account)
    assert engine.run_for_deals(deal_ids=[closing]).accrued == 3
    opening = make_deal(network.account, at=factories.NOON, entry=0, lots="1", position=70_003)
    assert engine.run_for_deals(deal_ids=[opening]).rows == 0


DAY = dt.date(2026, 1, 2)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    currencies=st.sets(st.sampled_from(["EUR", "USD", "GBP", "JPY", "USC", "XYZ"]), min_size=1, max_size=4),
    days=st.sets(st.integers(-3, 40).map(lambda n: DAY + dt.timedelta(days=n)), min_size=1, max_size=6),
)
def test_rates_of_many_days_are_those_of_each_day(
    db: None, django_assert_num_queries: Any, currencies: set[str], days: set[dt.date]
) -> None:
    factories.load_rates(DAY + dt.timedelta(days=10))
    with django_assert_num_queries(1):
        rates = fx.rates_of_days(currencies, currencies, days)
    expected = {}
    for base in currencies:
        for quote in currencies:
            for day in days:
                try:
                    expected[base, quote, day] = fx.rate(base, quote, on=day)
                except fx.NoRate:
                    continue
    assert rates == expected
