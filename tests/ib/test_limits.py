"""Every limit of commissions: just below, exactly there, just above."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.db.models import Sum

from crm.errors import DomainError, IdempotencyConflict, NotAllowed, WrongState
from ib import attribution, clawback, engine, figures, links, partners, payouts, settlement
from ib.agreements import card_rules, cards
from ib.choices import PartnerState
from ib.models import Accrual, Attribution, Payout, PlanVersion, ReferralLink, SettlementPeriod
from tests.cast import make_client
from tests.ib.factories import (
    LONG_AGO,
    NOON,
    card,
    make_account,
    make_partner,
    make_trade,
    make_version,
    recompute,
    refer,
)
from tests.ib.test_settlement import arrived

pytestmark = pytest.mark.django_db
SECOND, HOUR, DAY = dt.timedelta(seconds=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def accrue(account, **trade) -> int:
    deal = make_trade(account, **trade)
    engine.run_for_deals(deal_ids=[deal])
    return deal


def left_to(partner, **fields) -> Decimal:
    return Accrual.objects.filter(partner=partner, **fields).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def reasons_of(deal: int) -> set[str]:
    return set(Accrual.objects.filter(deal_id=deal).values_list("reason", flat=True))


# ── taking back ──────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("closed_before", "is_taken"),
    [(89 * DAY, True), (90 * DAY - SECOND, True), (90 * DAY, True), (90 * DAY + SECOND, False), (91 * DAY, False)],
)
def test_a_trade_is_taken_back_within_the_plans_days(network, cast, closed_before, is_taken):
    deposit = arrived(cast, 100_00, NOON - 200 * DAY, "a")
    accrue(network.account, at=NOON - closed_before)
    with time_machine.travel(NOON, tick=False):
        clawback.take_back(deposit_id=deposit.pk, amount=Decimal(100), reference="dp_1")
    assert left_to(network.sub) == (0 if is_taken else 6)


def test_each_trade_has_the_days_of_its_own_plan_version(network, cast):
    """Two versions of one plan, thirty days and ninety: a chargeback asks each trade for what its version says."""
    short = make_version(
        cast.brand,
        cast.ib_manager,
        cast.finance,
        plan=network.version.plan,
        starts_at=NOON - 50 * DAY,
        clawback_days=30,
    )
    deposit = arrived(cast, 100_00, NOON - 200 * DAY, "a")
    under_long, under_short, recent = (accrue(network.account, at=NOON - days * DAY) for days in (60, 40, 20))
    with time_machine.travel(NOON, tick=False):
        clawback.take_back(deposit_id=deposit.pk, amount=Decimal(100), reference="dp_1")
    assert Accrual.objects.filter(version=short, kind="original").count() == 6
    left = {deal: left_to(network.sub, deal_id=deal) for deal in (under_long, under_short, recent)}
    assert left == {under_long: 0, under_short: 6, recent: 0}


def test_what_an_old_chargeback_did_not_take_does_not_come_back(network, cast):
    deposit = arrived(cast, 100_00, NOON - 200 * DAY, "a")
    accrue(network.account, at=NOON - 91 * DAY)
    accrue(network.account, at=NOON - DAY)
    with time_machine.travel(NOON, tick=False):
        clawback.take_back(deposit_id=deposit.pk, amount=Decimal(100), reference="dp_1")
    assert left_to(network.sub) == 6
    with time_machine.travel(NOON + 60 * DAY, tick=False):
        clawback.give_back(deposit_id=deposit.pk, amount=Decimal(100), reference="dp_1")
    assert left_to(network.sub) == 12


def test_a_later_part_takes_no_more_of_a_trade_that_has_aged(network, cast):
    """Two parts of one deposit, 91 days apart: the second comes too late for the trade, the first one stays taken."""
    deposit = arrived(cast, 100_00, NOON - 200 * DAY, "a")
    accrue(network.account, at=NOON - DAY)
    with time_machine.travel(NOON, tick=False):
        clawback.take_back(deposit_id=deposit.pk, amount=Decimal(25), reference="dp_1")
    with time_machine.travel(NOON + 91 * DAY, tick=False):
        clawback.take_back(deposit_id=deposit.pk, amount=Decimal(75), reference="dp_2")
    assert left_to(network.sub) == Decimal("4.5")


@pytest.mark.parametrize(("closed", "is_taken"), [(-SECOND, False), (0 * SECOND, True), (SECOND, True)])
def test_a_trade_rests_on_deposits_that_had_arrived(network, cast, closed, is_taken):
    deposit = arrived(cast, 100_00, NOON - 10 * DAY, "a")
    accrue(network.account, at=NOON - 10 * DAY + closed)
    with time_machine.travel(NOON, tick=False):
        clawback.take_back(deposit_id=deposit.pk, amount=Decimal(100), reference="dp_1")
    assert left_to(network.sub) == (0 if is_taken else 6)


def test_the_trades_of_another_client_stay_paid(network, cast):
    refer(cast.other_client, network.sub)
    theirs = make_account(cast.other_client)
    deposit = arrived(cast, 100_00, NOON - 10 * DAY, "a")
    for account in (network.account, theirs):
        accrue(account, at=NOON - DAY)
    with time_machine.travel(NOON, tick=False):
        clawback.take_back(deposit_id=deposit.pk, amount=Decimal(100), reference="dp_1")
    assert left_to(network.sub, client=cast.other_client) == 6 and left_to(network.sub, client=cast.client) == 0


@pytest.mark.parametrize(("amount", "left"), [("0", "6"), ("-1", "6"), ("0.01", "5.9994"), ("100", "0"), ("101", "0")])
def test_no_more_is_taken_than_was_earned(network, cast, amount, left):
    deposit = arrived(cast, 100_00, NOON - 10 * DAY, "a")
    accrue(network.account, at=NOON - DAY)
    with time_machine.travel(NOON, tick=False):
        clawback.take_back(deposit_id=deposit.pk, amount=Decimal(amount), reference="dp_1")
    assert left_to(network.sub) == Decimal(left)


# ── earning ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("held", "reason"), [(179, "held_too_short"), (180, ""), (181, "")])
def test_a_trade_is_paid_from_its_shortest_time_on(network, held, reason):
    assert reasons_of(accrue(network.account, held_seconds=held)) == {reason}


@pytest.mark.parametrize(
    ("closed", "pays"), [(NOON - SECOND, "old"), (NOON, "new"), (NOON + SECOND, "new")], ids=["before", "at", "after"]
)
def test_a_version_pays_from_its_first_instant(network, cast, closed, pays):
    make_version(
        cast.brand,
        cast.ib_manager,
        cast.finance,
        plan=network.version.plan,
        starts_at=NOON,
        rate_card=card({"fx_majors": "20"}),
    )
    accrue(network.account, at=closed)
    assert left_to(network.sub) == (12 if pays == "new" else 6)


@pytest.mark.parametrize(("closed", "earns"), [(NOON - SECOND, "sub"), (NOON, "top"), (NOON + SECOND, "top")])
def test_a_client_is_the_new_partners_from_the_instant(network, cast, closed, earns):
    attribution.attribute_client(
        client_id=cast.client.pk, partner_id=network.top.pk, actor=cast.ib_manager, at=NOON, reason="moved"
    )
    accrue(network.account, at=closed)
    assert (left_to(network.top), left_to(network.sub)) == ((6, 0) if earns == "top" else (1, 6))


@pytest.mark.parametrize(("closed", "is_paid"), [(-SECOND, True), (0 * SECOND, False), (SECOND, False)])
def test_a_blocked_partner_earns_until_the_instant(network, cast, closed, is_paid):
    with time_machine.travel(NOON, tick=False):
        partners.change_state(
            partner_id=network.sub.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="complaint"
        )
    accrue(network.account, at=NOON + closed)
    assert left_to(network.sub) == (6 if is_paid else 0)
    assert left_to(network.master) == 3, "the others of the network earn on"


# ── settling ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("total", "currency", "paid"),
    [
        ("-0.01", "EUR", "0"),
        ("0", "EUR", "0"),
        ("0.00999999", "EUR", "0"),
        ("0.01", "EUR", "0.01"),
        ("0.01999999", "EUR", "0.01"),
        ("0.99999999", "JPY", "0"),
        ("1.00000001", "JPY", "1"),
    ],
)
def test_whole_smallest_units_are_paid(total, currency, paid):
    assert settlement.payable(Decimal(total), currency) == Decimal(paid)


def period_at(network, moment: dt.datetime) -> SettlementPeriod:
    return SettlementPeriod.objects.get(brand=network.sub.brand, starts_at__lte=moment, ends_at__gt=moment)


@pytest.mark.parametrize(("hours", "is_closed"), [(35, False), (36, True), (37, True)])
def test_a_month_closes_by_itself_after_36_hours(network, hours, is_closed):
    accrue(network.account)
    period = period_at(network, NOON)
    SettlementPeriod.objects.exclude(pk=period.pk).delete()
    with time_machine.travel(period.ends_at + hours * HOUR, tick=False):
        assert settlement.settle_due() == is_closed


@pytest.mark.parametrize(("by", "is_possible"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
def test_a_period_is_settled_once_it_has_begun(network, cast, by, is_possible):
    accrue(network.account)
    period = period_at(network, NOON)
    SettlementPeriod.objects.exclude(pk=period.pk).delete()
    with time_machine.travel(period.starts_at + by, tick=False):
        if is_possible:
            settlement.settle_period(period_id=period.pk, actor=cast.finance)
        else:
            with pytest.raises(WrongState, match="started yet"):
                settlement.settle_period(period_id=period.pk, actor=cast.finance)


# ── paying out ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def credited(network, cast):
    """EUR 6.00 credited to the sub, 3.00 to its master; the sub's wallet is the other client's."""
    accrue(network.account)
    settlement.settle_period(period_id=period_at(network, NOON).pk, actor=cast.finance)
    partners.link_wallet(
        partner_id=network.sub.pk, client_id=cast.other_client.pk, actor=cast.ib_manager, reason="agreed"
    )
    network.sub.refresh_from_db()
    return network


def pay(network, amount: str, key: str = "k1", currency: str = "EUR", **fields) -> Payout:
    return payouts.pay_out(
        **{
            "partner_id": network.sub.pk,
            "amount": Decimal(amount),
            "currency": currency,
            "request_key": key,
            "actor": network.sub.user,
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("amount", "is_paid"),
    [("-0.01", False), ("0", False), ("0.001", False), ("0.01", True), ("5.99", True), ("6.00", True), ("6.01", False)],
)
def test_a_payout_is_above_zero_and_within_the_balance(credited, amount, is_paid):
    if is_paid:
        pay(credited, amount)
    else:
        with pytest.raises(DomainError):
            pay(credited, amount)
    left = Decimal(6) - (Decimal(amount) if is_paid else 0)
    assert settlement.balances_of(credited.sub)["EUR"] == left
    assert settlement.balances_of(credited.master) == {"EUR": Decimal("3.00")}


def test_two_payouts_together_stay_within_the_balance(credited):
    pay(credited, "4.00", "k1")
    with pytest.raises(DomainError, match=r"2\.00"):
        pay(credited, "2.01", "k2")
    pay(credited, "2.00", "k2")
    assert settlement.balances_of(credited.sub) == {"EUR": Decimal("0.00")}


def test_a_balance_in_one_currency_pays_no_other(credited):
    with pytest.raises(DomainError, match=r"0\.00"):
        pay(credited, "1.00", currency="USD")


@pytest.mark.parametrize("changed", [{"amount": "2.00"}, {"currency": "USD"}])
def test_a_key_is_good_for_one_request(credited, changed):
    pay(credited, "1.00")
    with pytest.raises(IdempotencyConflict):
        pay(credited, **{"amount": "1.00", **changed})
    assert Payout.objects.count() == 1


def test_another_partner_takes_nothing_of_it(credited):
    with pytest.raises(NotAllowed, match="Only the partner"):
        pay(credited, "1.00", actor=credited.master.user)
    assert not Payout.objects.exists()


def test_a_blocked_partner_is_paid_nothing(credited, cast):
    partners.change_state(
        partner_id=credited.sub.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="complaint"
    )
    with pytest.raises(WrongState, match="suspended"):
        pay(credited, "1.00")


# ── plans, links, attribution ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("rates", "shares", "overrides", "is_possible"),
    [
        ({"fx_majors": "10"}, {1: "0.6", 2: "0.4"}, {}, True),
        ({"fx_majors": "10"}, {1: "0.6", 2: "0.4001"}, {}, False),
        ({"fx_majors": "10"}, {1: "1"}, {}, True),
        ({"fx_majors": "10"}, {1: "1.0001"}, {}, False),
        ({"fx_majors": "10"}, {1: "0"}, {}, True),
        ({"fx_majors": "10"}, {1: "-0.0001"}, {}, False),
        ({"fx_majors": "0"}, {1: "1"}, {}, True),
        ({"fx_majors": "-0.01"}, {1: "1"}, {}, False),
        ({"fx_majors": "10"}, {1: "0.6"}, {("fx_majors", 2): "4"}, True),
        ({"fx_majors": "10"}, {1: "0.6"}, {("fx_majors", 2): "4.01"}, False),
    ],
)
def test_levels_together_get_at_most_the_pot(rates, shares, overrides, is_possible):
    made = cards.RateCard(
        rates={name: Decimal(value) for name, value in rates.items()},
        shares={level: Decimal(value) for level, value in shares.items()},
        overrides={cell: Decimal(value) for cell, value in overrides.items()},
    )
    if is_possible:
        card_rules.check_card(made, is_pool=True, network="introducer", jurisdiction="CY")
    else:
        with pytest.raises(DomainError):
            card_rules.check_card(made, is_pool=True, network="introducer", jurisdiction="CY")


@pytest.mark.parametrize(("by", "is_possible"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
def test_a_version_starts_after_the_one_before(cast, by, is_possible):
    tomorrow = dt.datetime.now(dt.UTC).replace(microsecond=0) + DAY
    first = make_version(cast.brand, cast.ib_manager, cast.finance, starts_at=LONG_AGO)
    make_version(cast.brand, cast.ib_manager, cast.finance, plan=first.plan, starts_at=tomorrow)
    fields = {"plan": first.plan, "starts_at": tomorrow + by}
    if is_possible:
        make_version(cast.brand, cast.ib_manager, cast.finance, **fields)
    else:
        with pytest.raises(WrongState, match="later version"):
            make_version(cast.brand, cast.ib_manager, cast.finance, **fields)
    assert PlanVersion.objects.filter(plan=first.plan, state="active").count() == 2 + is_possible


@pytest.mark.parametrize(("most", "is_possible"), [(1, False), (2, True), (3, True)])
def test_a_partner_has_links_up_to_the_most(cast, monkeypatch, most, is_possible):
    monkeypatch.setattr(links, "LINKS_MAX", most)
    partner, other = make_partner(cast.brand), make_partner(cast.brand)
    if is_possible:
        links.create_link(partner_id=partner.pk, campaign="Second", actor=partner.user)
    else:
        with pytest.raises(DomainError, match="Deactivate one"):
            links.create_link(partner_id=partner.pk, campaign="Second", actor=partner.user)
    assert ReferralLink.objects.filter(partner=partner).count() == 1 + is_possible
    assert ReferralLink.objects.filter(partner=other).count() == 1


def test_switching_on_again_keeps_to_the_most(cast, monkeypatch):
    """Off, one more, on again: the way around the limit."""
    monkeypatch.setattr(links, "LINKS_MAX", 1)
    partner = make_partner(cast.brand)
    first = partner.referral_links.get()
    links.switch_link(link_id=first.pk, is_active=True, actor=partner.user)  # on already: nothing more
    links.switch_link(link_id=first.pk, is_active=False, actor=partner.user)
    second = links.create_link(partner_id=partner.pk, campaign="Second", actor=partner.user)
    with pytest.raises(DomainError, match="Deactivate one"):
        links.switch_link(link_id=first.pk, is_active=True, actor=partner.user)
    links.switch_link(link_id=second.pk, is_active=False, actor=partner.user)
    links.switch_link(link_id=first.pk, is_active=True, actor=partner.user)
    assert list(partner.referral_links.filter(is_active=True)) == [first]


def test_nobody_switches_the_links_of_another_partner(cast):
    mine, theirs = make_partner(cast.brand), make_partner(cast.brand)
    with pytest.raises(NotAllowed):
        links.switch_link(link_id=theirs.referral_links.get().pk, is_active=False, actor=mine.user)
    with pytest.raises(NotAllowed):
        links.create_link(partner_id=theirs.pk, campaign="x", actor=mine.user)


@pytest.mark.parametrize(
    ("change", "is_referred"),
    [
        ({}, True),
        ({"is_active": False}, False),
        ({"partner__state": "blocked"}, False),
        ({"brand": "other"}, False),
        ({"own": True}, False),
        ({"taken": True}, False),
    ],
)
def test_whom_a_referral_code_brings(cast, change, is_referred):
    partner = make_partner(cast.other_brand if "brand" in change else cast.brand)
    link = partner.referral_links.get()
    client = make_client(brand=cast.brand, book=cast.pool, email="new@example.com", login=False)
    if "is_active" in change:
        links.switch_link(link_id=link.pk, is_active=False, actor=None)
    if "partner__state" in change:
        partners.change_state(partner_id=partner.pk, to=PartnerState.BLOCKED, actor=None, reason="x")
    if "own" in change:
        partner.client = client
        partner.save()
    first = make_partner(cast.brand)
    if "taken" in change:
        refer(client, first)
    attribution.attribute_registration(client_id=client.pk, code=f" {link.code.upper()} ")
    current = Attribution.objects.filter(client=client, ends_at=None).first()
    assert (current is not None and current.partner == partner) is is_referred


# ── passes and pages ─────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("closed", "is_seen"), [(-SECOND, False), (0 * SECOND, True), (DAY - SECOND, True), (DAY, False)]
)
def test_a_calculation_ends_before_its_last_instant(network, cast, closed, is_seen):
    make_trade(network.account, at=NOON + closed)
    recompute(brand=cast.brand, from_at=NOON, to_at=NOON + DAY, actor=cast.ib_manager, reason="check")
    assert left_to(network.sub) == (6 if is_seen else 0)


def test_a_calculation_for_one_client_leaves_the_others(network, cast):
    refer(cast.other_client, network.sub)
    for account in (network.account, make_account(cast.other_client)):
        make_trade(account)
    recompute(
        brand=cast.brand,
        from_at=NOON - DAY,
        to_at=NOON + DAY,
        actor=cast.ib_manager,
        reason="check",
        client_id=cast.client.pk,
    )
    assert (left_to(network.sub, client=cast.client), left_to(network.sub, client=cast.other_client)) == (6, 0)


@pytest.mark.parametrize(("back", "is_seen"), [(5 * DAY - SECOND, True), (5 * DAY, True), (5 * DAY + SECOND, False)])
def test_the_night_looks_five_days_back(network, cast, back, is_seen):
    make_trade(network.account, at=NOON - back)
    with time_machine.travel(NOON, tick=False):
        engine.run_nightly(brand=cast.brand)
    assert left_to(network.sub) == (6 if is_seen else 0)


@pytest.mark.parametrize(("most", "shown"), [(1, 1), (2, 2), (3, 2)])
def test_a_branch_of_the_tree_shows_partners_up_to_a_bound(network, cast, monkeypatch, most, shown):
    make_partner(cast.brand, parent=network.top)
    make_partner(cast.other_brand)
    monkeypatch.setattr(figures, "CHILDREN_MAX", most)
    assert len(figures.children(network.top.pk, brand_id=cast.brand.pk)) == shown
    assert [node.partner for node in figures.children(None, brand_id=cast.brand.pk)] == [network.top]
    first = figures.branch(network.top.pk, brand_id=cast.brand.pk)
    assert (len(first.nodes), first.rest) == (shown, 2 - shown)
    last = figures.branch(network.top.pk, brand_id=cast.brand.pk, after_id=first.nodes[-1].partner.pk)
    assert (len(last.nodes), last.rest) == (2 - shown, 0)
    assert figures.branch(network.top.pk, brand_id=cast.brand.pk, after_id=network.sub.pk).nodes == []


@pytest.mark.parametrize(("days", "counts"), [(29, True), (30, True), (31, False)])
@time_machine.travel(NOON, tick=False)
def test_who_traded_within_thirty_days_is_counted(network, cast, days, counts):
    type(cast.client).objects.filter(pk=cast.client.pk).update(last_trade_at=NOON - days * DAY)
    type(cast.client).objects.filter(pk=cast.other_client.pk).update(last_trade_at=NOON)
    found = figures.summary(network.sub)
    assert (found.clients, found.traded) == (1, int(counts))
