"""Trades that a plan doesn't pay: account types, and clients who have used the partner's own device or network."""

import datetime as dt

import pytest
from django.urls import reverse

from clients.identifiers import IdentifierKind, learn
from clients.models import Identifier
from crm.accounts.attempts import device_seen
from ib import engine
from ib.agreements.files import read_yaml, write_yaml
from ib.models import PlanVersion
from tests.ib.factories import LONG_AGO, NOON, card, make_account, make_trade
from tests.ib.test_agreements import agree, earned, paid
from tests.ib.test_pages import rate_form, text_of

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


def test_exclusions_go_out_and_come_in_by_file_and_by_form(network, cast, browse):
    browser, plan = browse(cast.ib_manager), network.version.plan
    sent = rate_form(excluded_accounts="real\\cent*, test*", excluded_shared=["device", "ip_prefix"], draft="1")
    browser.post(reverse("ib_version_new", args=[plan.pk]), sent)
    version = PlanVersion.objects.get(plan=plan, number=2)
    said = read_yaml(write_yaml(version).encode(), starts_at=LONG_AGO)
    assert (said.excluded_accounts, said.excluded_shared) == (["real\\cent*", "test*"], ["device", "ip_prefix"])
    form = browser.get(reverse("ib_version_change", args=[version.pk])).context["form"]
    assert form["excluded_shared"].value() == ["device", "ip_prefix"]
    page = text_of(browser.get(plan.get_absolute_url()))
    assert "No commission where the partner has used the client's device." in page and "real\\cent*" in page
