"""Clients who are inactive for longer than their own rhythm explains become dormant, and active by a trade."""

from __future__ import annotations

import pytest
from django.utils import timezone, translation

from clients.choices import Stage
from clients.models import TimelineEntry
from crm.models import AuditEvent, OutboxEvent
from risk.retention import dormancy
from risk.retention.dormancy import inactive_clients, move_inactive
from tests.risk.retention.world import DAY
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, make_intent
from trading.models import Position
from trading.sync.deals import _wake_up
from wallet.deposits.verbs import apply_payment

pytestmark = pytest.mark.django_db


def test_each_is_judged_by_their_own_rhythm(floor, django_assert_num_queries):
    daily = floor.trader("daily", every=1, until=31)
    floor.trader("yesterday", every=1, until=29)
    floor.trader("ten", every=10, until=49)
    every_ten = floor.trader("tens", every=10, until=51)
    new = floor.trader("new", every=10, until=31, times=3)  # too short a past for a rhythm
    signed_in = floor.trader("reader", every=1, until=60)
    type(signed_in.user).objects.filter(pk=signed_in.user_id).update(last_login=floor.now - 3 * DAY)
    holding = floor.trader("holder", every=1, until=60)
    Position.objects.create(
        server=floor.server,
        ticket=1,
        account=holding.trading_accounts.get(),
        symbol="EURUSD",
        action=0,
        lots=1,
        contract_size=100_000,
        price_open=1,
        price_current=1,
        profit=0,
        swap=0,
        opened_at=floor.now,
        server_msc=0,
        synced_at=floor.now,
    )
    payer = floor.trader("payer", every=1, until=60)
    paid = make_intent(payer, make_psp(floor.cast.brand))
    apply_payment(psp_id=paid.psp_id, view=captured(paid))
    floor.trader("gone", every=1, until=300, stage=Stage.CLOSED)
    with django_assert_num_queries(5):  # brands, and each step with its end
        found = {one.client_id: one.usual_gap for one in inactive_clients(floor.now)}
    assert found == {daily.pk: 1, every_ten.pk: 10, new.pk: None}


def test_a_client_becomes_dormant_once_and_active_by_a_trade(floor):
    client = floor.trader("daily", every=2, until=40)
    assert (move_inactive(), move_inactive()) == (1, 0)
    client.refresh_from_db()
    assert client.stage == Stage.DORMANT
    assert AuditEvent.objects.filter(action="clients.stage_changed", client_id=client.pk).count() == 1
    moves = OutboxEvent.objects.filter(name="client.stage_changed", client_id=client.pk)
    assert [event.payload["after"] for event in moves] == ["dormant"]
    with translation.override("en"):
        body = TimelineEntry.objects.filter(client=client, kind="stage").latest("pk").reading["body"]
    assert body.startswith("Inactive since") and body.endswith("Usual gap between active days: 2")
    _wake_up({client.pk: timezone.now()})
    client.refresh_from_db()
    assert client.stage == Stage.ACTIVE
    assert [event.payload["after"] for event in moves.order_by("pk")] == ["dormant", "active"]


def test_who_paid_in_meanwhile_stays_active(floor):
    client = floor.trader("daily", every=1, until=40)
    paid = make_intent(client, make_psp(floor.cast.brand))
    assert [one.client_id for one in inactive_clients(floor.now)] == [client.pk]
    given = dormancy._given(floor.now)
    apply_payment(psp_id=paid.psp_id, view=captured(paid))
    assert not dormancy._move(client.pk, given)
    client.refresh_from_db()
    assert client.stage == Stage.ACTIVE


def test_a_run_is_bounded_and_the_next_one_goes_on(floor, monkeypatch):
    monkeypatch.setattr(dormancy, "STEP", 2)
    for n in range(5):
        floor.trader(f"c{n}", every=1, until=40 + n)
    assert [move_inactive(at_most=3), move_inactive(at_most=3), move_inactive(at_most=3)] == [3, 2, 0]
