"""A monthly pot: a fixed sum divided by the lots of all clients under the plan and split by level."""

from decimal import Decimal

import pytest

from clients.models import Client
from crm import approvals
from crm.errors import DomainError
from ib import clawback, periods, plans, rollup, settlement
from ib.agreements import what_if
from ib.agreements.card_rules import check_card
from ib.agreements.cards import VersionTerms
from ib.agreements.files import read_yaml, write_yaml
from ib.calculation import monthly
from ib.explain import explain
from ib.models import Accrual, ReplayProposal, RevenueMonth, SettlementPeriod
from ib.plan_editor.version_form import VersionForm, initial_of
from ib.replay import replays
from ib.replay.proposals import propose_replay
from tests.ib import factories
from tests.ib.factories import make_trade
from tests.ib.test_net_revenue import NIGHT, OCTOBER, SEPTEMBER, agree, card, lines
from tests.ib.test_settlement import arrived

pytestmark = pytest.mark.django_db
THOUSAND = "1000"


def pot(**more):
    return card("pot", THOUSAND, **more)


def rival(cast, network, version):
    """Another client under the plan, the master's own."""
    client = Client.objects.create(brand=cast.brand, book=cast.book, email="rival@example.com", created_at=SEPTEMBER)
    factories.refer(client, network.master)
    plans.assign_plan(partner_id=network.master.pk, plan_id=version.plan_id, actor=None, at=SEPTEMBER)
    return factories.make_account(client)


def earned():
    found = {}
    for row in Accrual.objects.filter(component="pot"):
        found[row.client_id, row.level] = found.get((row.client_id, row.level), Decimal(0)) + row.amount
    return found


def test_the_worked_example_of_the_docs(network, cast):
    """1,000 EUR and 4 lots make 250 EUR per lot: 3 lots are 450 EUR at level 1 and 300 above, the other lot 150 and 100."""
    other = rival(cast, network, agree(cast, network, pot()))
    make_trade(network.account, lots="3")
    make_trade(other, lots="1")
    monthly.review_months(brand=cast.brand, at=NIGHT)
    assert sorted(lines()) == sorted(
        [
            ("original", network.sub.pk, 1, "", 450),
            ("original", network.master.pk, 2, "", 300),
            ("original", network.master.pk, 1, "", 150),
            ("original", network.top.pk, 2, "", 100),
        ]
    )
    assert sorted(RevenueMonth.objects.values_list("lots", flat=True)) == [1, 3]
    row = Accrual.objects.get(client=cast.client, level=1)
    assert [(step.text, step.figure) for step in explain(row)[1:]] == [
        ("Lots that the client closed in the month", "3"),
        (
            f"{row.version}: a pot of €1,000.00 divided by the lots of all clients under the plan makes 250 EUR per lot,"
            " × 60 % for level 1",
            "450 EUR",
        ),
    ]
    assert row.place == "Pot of September 2026"
    assert monthly.review_months(brand=cast.brand, at=NIGHT).rows == 0 and rollup.differences() == []


def test_a_late_trade_moves_everybodys_part_and_never_more_than_the_pot_is_paid(network, cast):
    other = rival(cast, network, agree(cast, network, pot()))
    make_trade(network.account, lots="2")
    monthly.review_months(brand=cast.brand, at=NIGHT)
    assert earned() == {(cast.client.pk, 1): 600, (cast.client.pk, 2): 400}
    make_trade(other, lots="1")
    monthly.review_months(brand=cast.brand, at=NIGHT)
    assert earned() == {
        (cast.client.pk, 1): Decimal("399.99999999"),
        (cast.client.pk, 2): Decimal("266.66666666"),
        (other.client_id, 1): Decimal("199.99999999"),
        (other.client_id, 2): Decimal("133.33333333"),
    }
    assert Decimal("999.9999999") < sum(earned().values()) <= 1000
    assert monthly.review_months(brand=cast.brand, at=NIGHT).rows == 0 and rollup.differences() == []


def test_a_replay_of_one_client_divides_by_everybodys_lots(network, cast):
    """The client's line is right without the others being written; a replay of all corrects those, and finds nothing then."""
    other = rival(cast, network, agree(cast, network, pot()))
    make_trade(other, lots="1")
    monthly.review_months(brand=cast.brand, at=NIGHT)
    make_trade(network.account, lots="3")
    found = [replayed(cast, client_id=cast.client.pk), replayed(cast)]
    changes = [{(line.client_id, line.level): (line.after, line.cause) for line in row.lines.all()} for row in found]
    own = {(cast.client.pk, 1): (450, "revenue"), (cast.client.pk, 2): (300, "revenue")}
    assert changes == [own, {**own, (other.client_id, 1): (150, "pot"), (other.client_id, 2): (100, "pot")}]
    item = propose_replay(replay_id=found[1].pk, actor=cast.ib_manager, reason="Late")
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    assert sum(earned().values()) == 1000
    assert replayed(cast).state == "same" and monthly.review_months(brand=cast.brand, at=NIGHT).rows == 0


def replayed(cast, **scope):
    replay = replays.request_replay(
        brand=cast.brand, from_at=SEPTEMBER, to_at=OCTOBER, actor=cast.ib_manager, reason="Late trade", **scope
    )
    return replays.run_replay(replay_id=replay.pk)


def test_it_is_settled_and_clawed_back_as_other_months_are(network, cast):
    agree(cast, network, pot(cap=Decimal(500)), clawback_days=365)
    deposit = arrived(cast, 100_00, SEPTEMBER, "a")
    make_trade(network.account)
    monthly.review_months(brand=cast.brand, at=NIGHT)
    assert earned() == {(cast.client.pk, 1): 300, (cast.client.pk, 2): 200}
    clawback.take_back(deposit_id=deposit.pk, amount=Decimal(50))
    assert earned() == {(cast.client.pk, 1): 150, (cast.client.pk, 2): 100}
    periods.ensure_periods(cast.brand, SEPTEMBER, NIGHT)
    for period in SettlementPeriod.objects.filter(starts_at__lte=SEPTEMBER).order_by("starts_at"):
        rows = settlement.settle_period(period_id=period.pk, actor=cast.finance, at=NIGHT)
    assert {(row.partner_id, row.amount) for row in rows} == {(network.sub.pk, 150), (network.master.pk, 100)}


def test_a_client_who_closed_nothing_has_a_reason(network, cast):
    agree(cast, network, pot())
    factories.make_deal(network.account, at=factories.NOON, entry=0, lots="1", position=1)
    monthly.review_months(brand=cast.brand, at=NIGHT)
    assert {reason for _kind, _partner, _level, reason, _amount in lines()} == {"nothing_closed"}


def test_a_what_if_counts_as_much_of_the_pot_as_of_the_month(network, cast):
    """15 of September's 30 days are half a pot, whatever was closed before."""
    version = agree(cast, network, pot())
    make_trade(network.account, at=OCTOBER - (OCTOBER - SEPTEMBER) / 4)
    terms = VersionTerms(starts_at=NIGHT, currency="EUR", card=card("pot", "3000"))
    draft = plans.draft_version(plan_id=version.plan_id, actor=cast.ib_manager, terms=terms)
    kept = what_if.run_what_if(version_id=draft.pk, days=15, for_plan_id=None, actor=cast.ib_manager, at=OCTOBER)
    assert (kept.before, kept.after) == (500, 1500)


def test_form_file_and_sentence_say_it(network, cast):
    version = agree(cast, network, pot())
    text = write_yaml(version)
    assert "pays: pot\n  value: 1000\n" in text and read_yaml(text.encode(), starts_at=NIGHT).card == pot()
    sentence = "A pot of 1,000 EUR per month, divided by the lots that all clients under the plan close in it"
    assert sentence in version_sentences(version)
    initial = {name: value for name, value in initial_of(version).items() if value is not None}
    assert (initial["part_1_kind"], initial["part_1_value"]) == ("pot", 1000)
    assert VersionForm(like=version)["part_1_kind"].value() == "pot"


def version_sentences(version):
    return [row.sentence(version.currency) for row in pot().components]


@pytest.mark.parametrize(
    ("more", "shares", "says"),
    [
        ({"network": "difference"}, None, "difference"),
        ({"cap_revenue": Decimal(50)}, None, "lower the pot"),
        ({"is_pool": False}, {1: Decimal("0.7"), 2: Decimal("0.4")}, "share the monthly pot"),
    ],
)
def test_a_pot_that_cannot_be_meant_is_refused(more, shares, says):
    terms = {"is_pool": True, "network": "introducer", "jurisdiction": "CY"}
    check_card(pot(), **terms)
    rates = pot()
    if shares:
        rates.shares.clear()
        rates.shares.update(shares)
    with pytest.raises(DomainError, match=says):
        check_card(rates, **{**terms, **more})
