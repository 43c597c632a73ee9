"""Opposite trades: which positions stand against each other, when they become movements, and what a case shows of it."""

import datetime as dt
from decimal import Decimal

import pytest

from clients.models import Client
from compliance.aml.models import AmlAlert, AmlCase, AmlEvidence, AmlMovement
from compliance.aml.opposite import record_positions
from compliance.aml.opposite_models import AmlClosedPosition, AmlOppositeTrade
from compliance.aml.running import raised_in, run_pending
from crm import events
from crm.events import DealsSynced
from tests.compliance.aml.factories import START, at, live, position
from tests.ib.factories import make_account, make_deal, make_partner, refer
from trading.sync.closed_positions import closed_by, history

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(cast):
    """Another client of the same brand, in the same book."""
    return Client.objects.create(brand=cast.brand, book=cast.book, first_name="Otto", country="DE", created_at=at())


def stand(winner, loser, amount, when, **fields):
    return record_positions([position(winner, amount, when), position(loser, -amount, when, is_long=False, **fields)])


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ({}, 1),
        ({"is_long": True}, 0),
        ({"net": 100}, 0),
        ({"net": -49.99}, 0),
        ({"net": -50}, 1),
        ({"net": -200.01}, 0),
        ({"symbol": "GBPUSD"}, 0),
        ({"volume": Decimal(80_000)}, 1),
        ({"volume": Decimal(79_999)}, 0),
        ({"closed_at": at(hours=2) + dt.timedelta(minutes=5)}, 1),
        ({"closed_at": at(hours=2) + dt.timedelta(minutes=6)}, 0),
        ({"opened_at": at(hours=1) - dt.timedelta(minutes=5)}, 1),
        ({"opened_at": at(hours=1) - dt.timedelta(minutes=6)}, 0),
    ],
)
def test_what_stands_against_a_position(cast, other, fields, matches):
    given = {"net": -100, "closed_at": at(hours=2), "opened_at": at(hours=1), "is_long": False, **fields}
    record_positions([position(cast.client, 100, at(hours=2))])
    assert record_positions([position(other, **given)]) == matches
    assert AmlOppositeTrade.objects.filter(winner=cast.client, loser=other).count() == matches


def test_another_brands_client_and_oneself_are_no_match(cast, other):
    stranger = Client.objects.create(
        brand=cast.other_brand, book=cast.other_client.book, first_name="S", country="DE", created_at=at()
    )
    assert stand(cast.client, stranger, 100, at(hours=2)) == 0
    assert stand(cast.client, cast.client, 100, at(days=1)) == 0


def test_only_repeated_matches_become_movements_however_late(cast, other):
    stand(cast.client, other, 100, at(days=10))
    assert not AmlMovement.objects.exists()
    stand(cast.client, other, 70, at(days=42))  # too long after
    assert not AmlMovement.objects.exists()
    stand(other, cast.client, 30, at(days=40))  # read late, and the other way round
    assert AmlMovement.objects.filter(client=other).count() == 3
    rows = (
        AmlMovement.objects.filter(client=cast.client).order_by("at").values_list("kind", "base_amount", "counterpart")
    )
    assert list(rows) == [("trade_gain", 100, other.pk), ("trade_loss", 30, other.pk), ("trade_gain", 70, other.pk)]
    same = position(other, -100, at(days=10), is_long=False)
    assert record_positions([same]) == 1 and record_positions([same]) == 0
    assert AmlMovement.objects.count() == 8


def test_a_rule_alerts_both_and_names_the_other(cast, other, browse):
    version = live(cast, "opposite_trades", 250, days=31, repeat=31, parameters={"times": 3}, severity="high")
    third = Client.objects.create(brand=cast.brand, book=cast.book, first_name="T", country="DE", created_at=at())
    for day, winner, amount in ((1, cast.client, 100), (2, cast.client, 100), (3, third, 900), (5, third, 900)):
        stand(winner, other, amount, at(days=day))
    run_pending()
    assert not AmlAlert.objects.exists()  # 200 of one, and twice from the third
    stand(cast.client, other, 50, at(days=31, hours=1))
    run_pending()
    alerts = {alert.client_id: alert for alert in AmlAlert.objects.all()}
    assert alerts.keys() == {cast.client.pk, other.pk} and {alert.value for alert in alerts.values()} == {250}
    assert AmlEvidence.objects.filter(alert=alerts[other.pk]).count() == 3
    tried = {entry.client_id for entry in raised_in(version, START, at(days=40))}
    assert tried == alerts.keys()
    case = AmlCase.objects.get(client=cast.client)
    partner = make_partner(cast.brand)
    refer(cast.client, partner)
    page = browse(cast.kyc_officer).get(f"/aml/cases/{case.pk}/").text
    assert "Other client" in page and other.get_absolute_url() in page and "Opposite trades: 3" in page
    assert partner.name in page and "Introduced the client" in page


def test_closed_positions_are_read_from_synced_deals(cast, other):
    ours, theirs = make_account(cast.client), make_account(other)
    demo = make_account(other, is_demo=True)

    def trade(account, place, action, net, *, parts=1):
        opened = at(days=place)
        make_deal(account, at=opened, entry=0, lots="1", position=place, action=action, symbol="EURUSD.pro")
        closing = [
            make_deal(
                account,
                at=opened + dt.timedelta(minutes=30 + part),
                entry=1,
                lots=str(Decimal(1) / parts),
                closed=str(Decimal(1) / parts),
                position=place,
                action=1 - action,
                symbol="EURUSD.pro",
                profit=net / parts,
            )
            for part in range(parts)
        ]
        events.publish(DealsSynced(server_id=account.server_id, deal_ids=tuple(closing)))
        return closing

    for place in (1, 2):
        closing = trade(ours, place, 0, 200, parts=2)
        trade(theirs, place, 1, -210)
        trade(demo, place, 1, -210)
    assert [row.symbol for row in closed_by(closing)] == ["EURUSD"]
    assert closed_by(trade(ours, 3, 0, 10, parts=4)[:1]) != [] and closed_by([]) == []
    part = make_deal(ours, at=at(days=9), entry=1, lots="0.5", closed="0.5", position=77)
    make_deal(ours, at=at(days=8), entry=0, lots="1", position=77)
    assert closed_by([part]) == []
    events.drain()
    assert AmlClosedPosition.objects.count() == 5
    assert set(AmlOppositeTrade.objects.values_list("winner", "loser", "amount")) == {(cast.client.pk, other.pk, 200)}
    assert AmlMovement.objects.count() == 4
    assert list(history()) == [] and AmlMovement.objects.count() == 4
