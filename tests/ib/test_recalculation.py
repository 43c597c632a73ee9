"""A recalculation is compared first; a second person applies exactly what was compared, or nothing is written."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from ib import engine
from ib.choices import Reason
from ib.models import Accrual, CommissionRun, Recalculation
from ib.recalculations import proposals
from tests.cast import Cast
from tests.ib.factories import NOON, load_rates, make_deal, make_trade
from trading.models import Deal

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def propose(cast: Cast, actor: Any = None) -> tuple[Recalculation | None, engine.Comparison]:
    return proposals.propose_recalculation(
        brand=cast.brand,
        from_at=NOON - DAY,
        to_at=NOON + DAY,
        actor=actor or cast.ib_manager,
        reason="The partner asked",
    )


def waiting(cast: Cast) -> Recalculation:
    item, _comparison = propose(cast)
    assert item is not None
    return item


def sums() -> dict[int, Decimal]:
    return dict(Accrual.objects.order_by().values_list("partner_id").annotate(total=Sum("amount")))


def test_a_comparison_writes_nothing_and_says_what_would_change(cast: Cast, network: Any) -> None:
    known, missing = make_trade(network.account), make_trade(network.account, lots="2")
    engine.run_for_deals(deal_ids=[known])
    Deal.every.filter(pk=known).update(closed_lots=Decimal("0.5"))
    before = list(Accrual.objects.values())
    runs = CommissionRun.objects.count()
    comparison = engine.compare(brand=cast.brand, scope=engine.Scope(from_at=NOON - DAY, to_at=NOON + DAY))
    assert (list(Accrual.objects.values()), CommissionRun.objects.count()) == (before, runs)
    assert comparison.deal_ids == sorted([known, missing])
    mine = {line.reason_before: line for line in comparison.lines if line.partner_id == network.sub.pk}
    assert (Decimal(mine[""].before), Decimal(mine[""].after), mine[""].deals) == (6, 3, 1)
    assert (mine["none"].reason_after, mine["none"].difference) == ("", 12)


def test_what_a_second_person_approves_is_what_was_compared(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    item = waiting(cast)
    expected = {line["partner_id"]: Decimal(line["after"]) for line in item.lines}
    assert not Accrual.objects.exists()
    approvals.approve(Recalculation, item.pk, actor=cast.finance)
    assert sums() == expected == {network.sub.pk: 6, network.master.pk: 3, network.top.pk: 1}
    assert propose(cast)[0] is None


def test_who_asked_for_it_can_not_apply_it(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    item = waiting(cast)
    with pytest.raises(NotAllowed):
        approvals.approve(Recalculation, item.pk, actor=cast.ib_manager)
    assert not Accrual.objects.exists()


def test_a_comparison_that_is_out_of_date_is_not_applied(cast: Cast, network: Any) -> None:
    deal = make_trade(network.account)
    item = waiting(cast)
    Deal.every.filter(pk=deal).update(closed_lots=Decimal("0.5"))
    with pytest.raises(DomainError, match="changed since the comparison"):
        approvals.approve(Recalculation, item.pk, actor=cast.finance)
    item.refresh_from_db()
    assert item.state == "pending" and not Accrual.objects.exists()
    approvals.reject(Recalculation, item.pk, actor=cast.finance, note="Out of date")
    assert waiting(cast).pk != item.pk


def test_one_recalculation_of_a_brand_waits_at_a_time(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    waiting(cast)
    with pytest.raises(WrongState, match="already awaiting"):
        propose(cast)


def test_reasons_without_money_need_no_second_person(cast: Cast, network: Any) -> None:
    deal = make_trade(network.account, held_seconds=5)
    item, comparison = propose(cast)
    assert item is None and comparison.deal_ids == [deal] and not comparison.changes_money
    assert set(Accrual.objects.values_list("reason", flat=True)) == {Reason.HELD_TOO_SHORT}


def test_a_deleted_deal_is_compared_as_gone(cast: Cast, network: Any) -> None:
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    Deal.every.filter(pk=deal).update(deleted_at=NOON)
    item = waiting(cast)
    assert {line["reason_after"] for line in item.lines} == {"deal_changed"}
    approvals.approve(Recalculation, item.pk, actor=cast.finance)
    assert set(sums().values()) == {Decimal(0)}


def test_an_agent_can_not_recalculate(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    with pytest.raises(NotAllowed):
        propose(cast, actor=cast.agent)
    assert not Recalculation.objects.exists() and not Accrual.objects.exists()


def test_too_many_changed_deals_are_refused(cast: Cast, network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    load_rates()
    make_deal(network.account, at=NOON - DAY / 2, entry=0, lots="2", position=5)
    for _n in range(2):
        make_deal(network.account, at=NOON, entry=1, lots="1", closed="1", position=5, action=1)
    monkeypatch.setattr(proposals, "DEALS_MAX", 1)
    with pytest.raises(DomainError, match="2 deals would change"):
        propose(cast)
