"""Trades that a plan doesn't pay: account types, and clients who have used the partner's own device or network."""

import datetime as dt

import pytest
from django.urls import reverse

from clients.identifiers import IdentifierKind, learn
from clients.models import Identifier
from crm.accounts.attempts import device_seen
from ib import engine
from ib.agreements.files import read_yaml, write_yaml
from ib.agreements.what_if import run_what_if
from ib.explain import explain
from ib.models import Accrual, PlanVersion
from tests.ib.factories import LONG_AGO, NOON, card, make_account, make_deal, make_trade, refer
from tests.ib.test_agreements import agree, earned, paid
from tests.ib.test_pages import rate_form, text_of
from tests.ib.test_what_if import draft_of

pytestmark = pytest.mark.django_db


def test_an_excluded_account_type_pays_nothing_beside_those_that_are_eligible(network, cast):
    agree(cast, network.sub, card(), account_groups=["real*"], excluded_accounts=["real\\cent*"])
    cents = make_account(cast.client, group="real\\cent-EUR")
    deal = make_trade(cents)
    engine.run_for_deals(deal_ids=[deal])
    assert paid(deal)[1, "lot"] == "account_group" and earned(network)[1, "lot"] == 6


def seen_by(partner, at, kind=IdentifierKind.DEVICE, value="laptop"):
    device, ip = (value, None) if kind == IdentifierKind.DEVICE else ("other", value)
    device_seen.send(sender=None, user=partner.user, device=device, ip=ip, at=at)
    Identifier.objects.filter(user=partner.user).update(first_seen=at, last_seen=at)


def test_a_client_on_the_partners_device_earns_that_partner_nothing_from_then_on(network, cast):
    """The master above, who shares nothing with the client, is paid."""
    agree(cast, network.sub, card(), excluded_shared=["device"])
    learn(cast.client.pk, IdentifierKind.DEVICE, "laptop")
    Identifier.objects.filter(client=cast.client).update(first_seen=LONG_AGO)
    seen_by(network.sub, NOON)
    assert earned(network, at=NOON - dt.timedelta(hours=1))[1, "lot"] == 6
    assert earned(network, at=NOON) == {(1, "lot"): "shared_device", (2, "lot"): 3, (3, "lot"): 1}


def test_only_what_the_plan_names_is_looked_at(network, cast):
    agree(cast, network.sub, card(), excluded_shared=["device"])
    learn(cast.client.pk, IdentifierKind.IP_PREFIX, "81.2.69.142")
    Identifier.objects.filter(client=cast.client).update(first_seen=LONG_AGO)
    seen_by(network.sub, LONG_AGO, IdentifierKind.IP_PREFIX, "81.2.69.150")
    assert earned(network)[1, "lot"] == 6
    agree_with = agree(cast, network.master, card(), excluded_shared=["ip_prefix"], network="own")
    assert agree_with and earned(network)[2, "lot"] == 3, "the master shares nothing with the client"


def test_the_partners_own_client_record_counts_like_their_sign_in(network, cast):
    agree(cast, network.sub, card(), excluded_shared=["ip_prefix", "device"])
    network.sub.client = cast.other_client
    network.sub.save()
    for client in (cast.client, cast.other_client):
        learn(client.pk, IdentifierKind.IP_PREFIX, "81.2.69.142")
    Identifier.objects.update(first_seen=LONG_AGO)
    assert earned(network)[1, "lot"] == "shared_device"


ODD = ("hedged", "mirrored", "bonus_funded")


def ago(**span):
    return NOON - dt.timedelta(**span)


def test_a_hedge_on_another_account_counts_while_both_positions_live(network, cast):
    agree(cast, network.sub, card(), excluded_trades=["hedged"])
    other = make_account(cast.client)
    make_trade(other, at=ago(hours=3), held_seconds=60, side=1)
    make_trade(other, side=1, symbol="XAUUSD")
    make_deal(other, at=ago(minutes=90), entry=0, lots="0.01", position=77, action=1)
    free, hedged = make_trade(network.account, at=ago(hours=2)), make_trade(network.account)
    engine.run_for_deals(deal_ids=[free, hedged])
    assert paid(free)[1, "lot"] == 6
    assert paid(hedged) == {(1, "lot"): "hedged", (2, "lot"): "hedged", (3, "lot"): "hedged"}


def test_a_hedge_that_comes_late_takes_the_commission_back_by_itself(network, cast):
    agree(cast, network.sub, card(), excluded_trades=["hedged"])
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    late = make_deal(network.account, at=ago(minutes=30), entry=0, lots="1", position=78, action=1)
    engine.run_for_deals(deal_ids=[late])
    rows = Accrual.objects.filter(deal_id=deal, level=1)
    assert sum(row.amount for row in rows) == 0 and rows.get(kind="delta").reason == "hedged"


def test_a_mirror_is_near_in_time_large_enough_and_of_the_same_partner(network, cast):
    agree(cast, network.sub, card(), excluded_trades=["mirrored"])
    refer(cast.other_client, network.sub)
    other = make_account(cast.other_client)
    make_trade(other, at=NOON.replace(second=10), lots="0.5", side=1)
    make_trade(other, at=ago(days=1), lots="0.49", side=1)
    make_trade(other, at=ago(days=2, seconds=11), side=1)
    deals = [make_trade(network.account, at=at) for at in (NOON, ago(days=1), ago(days=2))]
    engine.run_for_deals(deal_ids=deals)
    assert [paid(deal)[1, "lot"] for deal in deals] == ["mirrored", 6, 6]


def test_a_position_opened_with_more_credit_than_balance_is_bonus_funded(network, cast):
    agree(cast, network.sub, card(), excluded_trades=list(ODD))
    for at, action, amount in ((ago(days=3), 2, 50), (ago(days=2), 3, 60), (ago(hours=3), 2, 10)):
        make_deal(network.account, at=at, entry=0, lots="0", position=0, symbol="", action=action, profit=amount)
    funded, free = make_trade(network.account, at=ago(days=1)), make_trade(network.account)
    engine.run_for_deals(deal_ids=[funded, free])
    assert (paid(funded)[1, "lot"], paid(free)[1, "lot"]) == ("bonus_funded", 6)
    assert "More bonus credit than balance" in explain(Accrual.objects.get(deal_id=funded, level=1))[-1].text


def test_a_what_if_leaves_hedged_trades_out(network, cast):
    deal = make_trade(network.account)
    make_trade(network.account, side=1, at=NOON)
    engine.run_for_deals(deal_ids=[deal])
    draft = draft_of(cast, network, card(), excluded_trades=["hedged"])
    tried = run_what_if(version_id=draft.pk, days=2, for_plan_id=None, actor=cast.ib_manager, at=NOON.replace(hour=23))
    assert (tried.before, tried.after) == (10, 0)


def test_exclusions_go_out_and_come_in_by_file_and_by_form(network, cast, browse):
    browser, plan = browse(cast.ib_manager), network.version.plan
    sent = rate_form(excluded_accounts="real\\cent*, test*", excluded_shared=["device", "ip_prefix"], draft="1")
    sent["excluded_trades"] = list(ODD)
    browser.post(reverse("ib_version_new", args=[plan.pk]), sent)
    version = PlanVersion.objects.get(plan=plan, number=2)
    said = read_yaml(write_yaml(version).encode(), starts_at=LONG_AGO)
    assert (said.excluded_accounts, said.excluded_shared) == (["real\\cent*", "test*"], ["device", "ip_prefix"])
    assert said.excluded_trades == list(ODD)
    form = browser.get(reverse("ib_version_change", args=[version.pk])).context["form"]
    assert form["excluded_shared"].value() == ["device", "ip_prefix"]
    assert form["excluded_trades"].value() == list(ODD)
    page = text_of(browser.get(plan.get_absolute_url()))
    assert "No commission where the partner has used the client's device." in page and "real\\cent*" in page
    assert "while the client held an opposite position" in page and "more bonus credit than balance" in page
