"""Deals that waited for their symbol: when it is mapped, they earn what they would have earned."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from crm import events
from crm.files.jobs import run_job
from crm.models import Job
from ib import engine
from ib.choices import Reason
from ib.models import Accrual
from tests.cast import Cast
from tests.ib.factories import make_trade
from trading.models import Deal, HouseSymbol, SymbolInfo
from trading.symbols import mapping
from trading.sync import symbols
from trading.sync.ingest import mark_deleted

pytestmark = pytest.mark.django_db


def test_a_deal_that_waited_for_its_symbol_earns_when_it_is_mapped(cast: Cast, network: Any) -> None:
    server = network.account.server
    info = SymbolInfo.objects.create(server=server, name="EURUSD.m", contract_size=100_000, read_at=timezone.now())
    symbols.resolve([info])
    deal = make_trade(network.account, lots="0.5", symbol="EURUSD.m")
    engine.run_for_deals(deal_ids=[deal])
    assert set(Accrual.objects.filter(deal_id=deal).values_list("reason", flat=True)) == {Reason.SYMBOL_NOT_MAPPED}
    done = mapping.confirm(info_ids=[info.pk], actor=cast.finance)
    assert done.job is not None
    run_job(done.job.pk)
    assert Job.objects.get(pk=done.job.pk).state == "done"
    events.drain()
    earned = {
        row["partner_id"]: row["amount"]
        for row in Accrual.objects.filter(deal_id=deal).values("partner_id").annotate(amount=Sum("amount"))
    }
    assert earned == {network.sub.pk: Decimal("3"), network.master.pk: Decimal("1.5"), network.top.pk: Decimal("0.5")}
    rows = Accrual.objects.count()
    list(mapping.resolve_deals([info.pk]))  # told twice: nothing twice
    events.drain()
    assert Accrual.objects.count() == rows


def test_lots_of_another_size_earn_as_lots_of_the_house(cast: Cast, network: Any) -> None:
    server = network.account.server
    info = SymbolInfo.objects.create(server=server, name="EURUSDmicro", contract_size=100_000, read_at=timezone.now())
    HouseSymbol.objects.create(
        name="EURUSD", symbol_group="fx_majors", instrument_class="fx_major", contract_size=1_000_000
    )
    mapping.map_symbol(
        info_id=info.pk,
        actor=cast.finance,
        name="EURUSD",
        symbol_group="fx_majors",
        instrument_class="fx_major",
        contract_size=Decimal(1_000_000),
    )
    deal = make_trade(network.account, lots="5", symbol="EURUSDmicro")
    engine.run_for_deals(deal_ids=[deal])
    assert set(Accrual.objects.filter(deal_id=deal).values_list("lots", flat=True)) == {Decimal("0.5")}


def test_a_deal_that_a_dealer_deleted_takes_its_commissions_back(network: Any) -> None:
    kept, gone = make_trade(network.account, lots="0.5"), make_trade(network.account, lots="0.5")
    engine.run_for_deals(deal_ids=[kept, gone])
    deal = Deal.objects.get(pk=gone)
    mark_deleted(network.account.server, [deal.ticket], since=deal.executed_at, until=deal.executed_at)
    events.drain()
    sums = dict(Accrual.objects.order_by().values_list("deal_id").annotate(amount=Sum("amount")))
    assert sums == {kept: Decimal("5"), gone: Decimal("0")}
    assert set(Accrual.objects.filter(deal_id=gone, kind="delta").values_list("reason", flat=True)) == {"deal_changed"}
