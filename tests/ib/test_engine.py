import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from clients.models import Client
from crm import events
from crm.models import FxRate
from ib import engine, partners, plans, tree
from ib.choices import AccrualState, PartnerState, Reason
from ib.models import Accrual, CommissionRun
from tests.ib import factories
from tests.ib.factories import NOON, card, make_account, make_deal, make_partner, make_trade, make_version, refer

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def earned(deal_id):
    return {row.partner_id: row.amount for row in Accrual.objects.filter(deal_id=deal_id, state=AccrualState.ACCRUED)}


def reasons(deal_id):
    return set(Accrual.objects.filter(deal_id=deal_id).values_list("reason", flat=True))


def recompute(cast, **fields):
    return factories.recompute(
        brand=cast.brand,
        from_at=NOON - dt.timedelta(days=5),
        to_at=NOON + dt.timedelta(days=5),
        actor=cast.ib_manager,
        reason="asked by the partner",
        **fields,
    )[1]


def test_a_closed_trade_pays_every_level_its_share(network):
    deal = make_trade(network.account, lots="0.5")
    outcome = engine.run_for_deals(deal_ids=[deal])
    assert outcome.accrued == 3
    assert earned(deal) == {
        network.sub.pk: Decimal("3"),
        network.master.pk: Decimal("1.5"),
        network.top.pk: Decimal("0.5"),
    }
    row = Accrual.objects.get(deal_id=deal, level=2)
    assert (row.lots, row.rate, row.share, row.held_seconds) == (Decimal("0.5"), 10, Decimal("0.3"), 3600)
    assert row.introducer_id == network.sub.pk and row.version_id == network.version.pk


def test_an_event_of_the_sync_accrues_and_its_repetition_does_nothing(network, cast):
    deal = make_trade(network.account)
    for _time in range(2):
        with transaction.atomic():
            events.publish(events.DealsSynced(server_id=network.account.server_id, deal_ids=(deal,)))
        events.drain()
    assert Accrual.objects.count() == 3
    run = CommissionRun.objects.get()
    assert (run.kind, run.deals, run.accrued) == ("event", 1, 3)


def test_the_database_refuses_a_second_accrual_of_the_same_deal_partner_and_level(network):
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    columns = ", ".join(field.column for field in Accrual._meta.fields if field.name != "id")
    with (
        pytest.raises(DatabaseError, match="one_accrual_per_deal"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"INSERT INTO ib_accrual ({columns}) SELECT {columns} FROM ib_accrual LIMIT 1")


@pytest.mark.parametrize("sql", ["UPDATE ib_accrual SET amount = 99", "DELETE FROM ib_accrual", "TRUNCATE ib_accrual"])
def test_accruals_are_never_edited(network, sql):
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    ("trade", "reason"),
    [
        ({"held_seconds": 179}, Reason.HELD_TOO_SHORT),
        ({"symbol": "XAUUSD.m"}, Reason.SYMBOL_NOT_MAPPED),
        ({"symbol": "XAUUSD"}, Reason.NO_RATE),
    ],
)
def test_a_trade_that_is_not_paid_keeps_rows_that_say_why(network, trade, reason):
    deal = make_trade(network.account, **trade)
    outcome = engine.run_for_deals(deal_ids=[deal])
    assert outcome.excluded == 3 and earned(deal) == {} and reasons(deal) == {reason}


def test_a_trade_without_a_rate_says_so_and_is_paid_once_there_is_one(network, cast):
    make_version(cast.brand, cast.ib_manager, cast.finance, plan=network.version.plan, starts_at=NOON, currency="CHF")
    deal = make_trade(network.account)
    assert engine.run_for_deals(deal_ids=[deal]).excluded == 3 and reasons(deal) == {Reason.NO_FX}
    FxRate.objects.create(on=NOON.date(), currency="CHF", rate="2")
    assert recompute(cast).corrected == 3 and earned(deal)[network.sub.pk] == 3
    assert recompute(cast).rows == 0


def test_trades_before_a_plans_first_version_or_a_partners_first_day_say_so(network, cast):
    plan = make_version(cast.brand, cast.ib_manager, cast.finance, starts_at=NOON).plan
    plans.assign_plan(partner_id=network.sub.pk, plan_id=plan.pk, actor=None, at=NOON - 2 * HOUR)
    details = partners.PartnerDetails(name="Late", email="late@example.com", currency="EUR", code="late")
    late = partners.register_partner(brand=cast.brand, details=details, actor=None, at=NOON)
    plans.assign_plan(partner_id=late.pk, plan_id=network.version.plan_id, actor=None, at=factories.LONG_AGO)
    refer(cast.other_client, late)
    accounts, times = (network.account, make_account(cast.other_client)), (NOON - HOUR, NOON)
    deals = [make_trade(account, at=at, held_seconds=600) for account in accounts for at in times]
    engine.run_for_deals(deal_ids=deals)
    assert [reasons(deal) for deal in deals] == [{Reason.NO_PLAN}, {""}, {Reason.PARTNER_NOT_ACTIVE}, {""}]


def test_a_trade_held_exactly_the_shortest_time_is_paid(network):
    deal = make_trade(network.account, held_seconds=180)
    assert engine.run_for_deals(deal_ids=[deal]).accrued == 3


def test_a_demo_account_earns_nobody_anything(network, cast):
    deal = make_trade(make_account(cast.client, is_demo=True))
    assert engine.run_for_deals(deal_ids=[deal]).rows == 0


def test_a_close_whose_opening_is_unknown_waits_and_is_paid_when_it_comes(network, cast):
    deal = make_deal(network.account, at=NOON, entry=1, lots="1", closed="1", position=99, action=1)
    engine.run_for_deals(deal_ids=[deal])
    assert reasons(deal) == {Reason.HOLD_UNKNOWN}
    make_deal(network.account, at=NOON - HOUR, entry=0, lots="1", position=99)
    assert recompute(cast).corrected == 3
    assert earned(deal)[network.sub.pk] == 6


def test_partners_earn_nothing_on_their_own_trading_but_the_others_do(network, cast):
    network.master.client = cast.other_client
    network.master.save(update_fields=["client"])
    refer(cast.other_client, network.sub)
    deal = make_trade(make_account(cast.other_client))
    engine.run_for_deals(deal_ids=[deal])
    assert set(earned(deal)) == {network.sub.pk, network.top.pk}
    assert Accrual.objects.get(deal_id=deal, level=2).reason == Reason.SELF_TRADE


def test_a_blocked_partner_earns_nothing_from_then_on_and_others_still_do(network, cast):
    partners.change_state(partner_id=network.master.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="fraud")
    later = make_trade(network.account, at=dt.datetime.now(dt.UTC) + HOUR, held_seconds=1800)
    before = make_trade(network.account, at=NOON)
    engine.run_for_deals(deal_ids=[later, before])
    assert set(earned(later)) == {network.sub.pk, network.top.pk}
    assert Accrual.objects.get(deal_id=later, level=2).reason == Reason.PARTNER_NOT_ACTIVE
    assert set(earned(before)) == {network.sub.pk, network.master.pk, network.top.pk}


def test_only_the_plans_account_groups_count(network, cast):
    version = make_version(
        cast.brand,
        cast.ib_manager,
        cast.finance,
        plan=network.version.plan,
        starts_at=NOON - HOUR,
        account_groups=["real\\standard*"],
    )
    good, bad = make_trade(network.account), make_trade(make_account(cast.client, group="real\\raw_100%-EUR"))
    engine.run_for_deals(deal_ids=[good, bad])
    assert earned(good) and Accrual.objects.filter(deal_id=good, version=version).exists()
    assert reasons(bad) == {Reason.ACCOUNT_GROUP}


def test_a_fixed_amount_takes_the_place_of_rate_times_share(network, cast):
    make_version(
        cast.brand,
        cast.ib_manager,
        cast.finance,
        plan=network.version.plan,
        starts_at=NOON - HOUR,
        currency="USD",
        rate_card=card(overrides={("fx_majors", 2): "2.5"}),
    )
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    row = Accrual.objects.get(deal_id=deal, level=2)
    assert (row.is_override, row.rate, row.share) == (True, Decimal("2.5"), 1)
    assert (row.rate_amount, row.fx_rate, row.amount) == (Decimal("2.5"), Decimal("0.8"), Decimal("2"))


def test_the_version_in_force_when_the_position_closed_pays(network, cast):
    make_version(
        cast.brand,
        cast.ib_manager,
        cast.finance,
        plan=network.version.plan,
        starts_at=NOON,
        rate_card=card(rates={"fx_majors": "20"}),
    )
    before, after = make_trade(network.account, at=NOON - dt.timedelta(seconds=1)), make_trade(network.account, at=NOON)
    engine.run_for_deals(deal_ids=[before, after])
    assert earned(before)[network.sub.pk] == 6 and earned(after)[network.sub.pk] == 12


def test_moving_a_partner_changes_later_trades_only_even_in_a_recalculation(network, cast):
    early = make_trade(network.account, at=NOON - HOUR)
    other = make_partner(cast.brand)
    tree.move_partner(partner_id=network.sub.pk, parent_id=other.pk, actor=cast.ib_manager, reason="", at=NOON)
    late = make_trade(network.account, at=NOON + HOUR)
    engine.run_for_deals(deal_ids=[early, late])
    assert set(earned(early)) == {network.sub.pk, network.master.pk, network.top.pk}
    assert set(earned(late)) == {network.sub.pk, other.pk}
    assert recompute(cast).corrected == 0


def test_partial_closes_share_the_positions_opening(network):
    make_deal(network.account, at=NOON - HOUR, entry=0, lots="1", position=5)
    part = make_deal(network.account, at=NOON, entry=1, lots="0.3", closed="0.3", position=5, action=1)
    rest = make_deal(network.account, at=NOON + HOUR, entry=1, lots="0.7", closed="0.7", position=5, action=1)
    engine.run_for_deals(deal_ids=[part, rest])
    assert earned(part)[network.sub.pk] == Decimal("1.8") and earned(rest)[network.sub.pk] == Decimal("4.2")
    assert Accrual.objects.get(deal_id=rest, level=1).held_seconds == 7200


def test_a_reversal_pays_its_closed_part_and_starts_the_clock_again(network):
    make_deal(network.account, at=NOON - HOUR, entry=0, lots="1", position=6)
    turned = make_deal(network.account, at=NOON, entry=2, lots="3", closed="1", position=6, action=1)
    closed = make_deal(network.account, at=NOON + dt.timedelta(seconds=100), entry=1, lots="2", closed="2", position=6)
    engine.run_for_deals(deal_ids=[turned, closed])
    assert earned(turned)[network.sub.pk] == 6
    assert reasons(closed) == {Reason.HELD_TOO_SHORT}
    assert Accrual.objects.get(deal_id=closed, level=1).held_seconds == 100


def test_opening_deals_and_balance_operations_earn_nothing(network):
    opening = make_deal(network.account, at=NOON, entry=0, lots="1", position=7)
    balance = make_deal(network.account, at=NOON, entry=0, lots="0", position=0, action=2)
    assert engine.run_for_deals(deal_ids=[opening, balance]).rows == 0
    assert not Accrual.objects.exists() and not CommissionRun.objects.exists()


def test_a_client_nobody_referred_earns_nobody_anything(network, cast):
    deal = make_trade(make_account(cast.other_client))
    assert engine.run_for_deals(deal_ids=[deal]).rows == 0


def test_a_changed_deal_is_corrected_by_a_further_row(network):
    deal = make_trade(network.account, lots="1")
    engine.run_for_deals(deal_ids=[deal])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trading_deal SET closed_lots = 0.4, revision = 1 WHERE id = %s", [deal])
    outcome = engine.run_for_deals(deal_ids=[deal])
    assert outcome.corrected == 3
    rows = list(Accrual.objects.filter(deal_id=deal, level=1).order_by("id"))
    assert [row.amount for row in rows] == [Decimal("6"), Decimal("-3.6")]
    assert (rows[1].kind, rows[1].state, rows[1].corrects_id) == ("delta", "reversed", rows[0].pk)
    assert engine.run_for_deals(deal_ids=[deal]).rows == 0


def test_a_deal_that_is_no_longer_a_trade_is_taken_back(network):
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trading_deal SET action = 14, revision = 1 WHERE id = %s", [deal])
    engine.run_for_deals(deal_ids=[deal])
    rows = list(Accrual.objects.filter(deal_id=deal, level=1).order_by("id"))
    assert [row.amount for row in rows] == [6, -6] and rows[1].reason == Reason.DEAL_CHANGED


def test_a_recalculation_finds_what_was_never_accrued(network, cast):
    make_trade(network.account)
    outcome = recompute(cast)
    assert (outcome.deals, outcome.accrued, outcome.corrected) == (1, 3, 0)
    assert recompute(cast).rows == 0


def test_the_nightly_pass_looks_at_the_last_days_only(network, cast):
    now = dt.datetime.now(dt.UTC)
    make_trade(network.account, at=now - HOUR)
    make_trade(network.account, at=now - dt.timedelta(days=30))
    assert engine.run_nightly(brand=cast.brand).accrued == 3


def test_the_nightly_pass_begins_where_the_last_one_ended(network, cast):
    """Thirty days away: each of their deals is accrued, and once."""
    now = dt.datetime.now(dt.UTC)
    engine.run_nightly(brand=cast.brand)
    CommissionRun.objects.update(from_at=now - dt.timedelta(days=35), to_at=now - dt.timedelta(days=30))
    for days in range(30):
        make_trade(network.account, at=now - dt.timedelta(days=days, hours=1))
    assert engine.run_nightly(brand=cast.brand).accrued == 3 * 30
    assert engine.run_nightly(brand=cast.brand).rows == 0


def test_an_outage_longer_than_a_night_can_do_goes_on_the_next_night(network, cast, caplog):
    now, piece = dt.datetime.now(dt.UTC), dt.timedelta(days=engine.NIGHTLY_PIECE_DAYS)
    engine.run_nightly(brand=cast.brand)
    CommissionRun.objects.update(from_at=None, to_at=now - 12 * piece)
    engine.run_nightly(brand=cast.brand)
    assert "wait for the next night" in caplog.text
    assert CommissionRun.objects.order_by("-id").first().to_at < now - piece
    engine.run_nightly(brand=cast.brand)
    assert CommissionRun.objects.order_by("-id").first().to_at > now


def test_an_accrual_of_a_partner_that_does_not_exist_is_refused(network):
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    columns = [field.column for field in Accrual._meta.fields if field.name != "id"]
    values = ", ".join({"partner_id": "999999", "deal_id": "42"}.get(name, name) for name in columns)
    with pytest.raises(DatabaseError, match="does not exist"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO ib_accrual ({', '.join(columns)}) SELECT {values} FROM ib_accrual LIMIT 1")


def test_a_pass_costs_the_same_number_of_queries_however_many_deals(network, django_assert_max_num_queries):
    deals = [make_trade(network.account, at=NOON + dt.timedelta(minutes=n)) for n in range(40)]
    with django_assert_max_num_queries(37):
        assert engine.run_for_deals(deal_ids=deals).accrued == 120


def test_clients_of_the_other_brand_are_another_pass(network, cast):
    assert Client.objects.filter(brand=cast.other_brand).count() == 0
    deal = make_trade(network.account)
    outcome = engine.run(brand=cast.other_brand, scope=engine.Scope(deal_ids=[deal]), kind="event", corrects=False)[1]
    assert outcome.deals == 0 and not Accrual.objects.exists()
