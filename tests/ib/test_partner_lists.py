"""A partner's lists: sub-partners searched at every level, and CSV of what they see, with clients' names still shortened."""

import csv
import io

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import AccessEvent
from ib import engine, partners
from ib.choices import PartnerState
from ib.models import Partner
from tests.ib.factories import make_partner, make_trade
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db


def rows_of(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode().lstrip("\ufeff")
    return list(csv.reader(io.StringIO(text)))


def test_sub_partners_are_listed_searched_and_downloaded(network, cast, browse, django_assert_max_num_queries):
    other = make_partner(cast.brand)
    browser, address = browse(network.top.user), reverse("partner_network_list")
    browser.get(address)
    with django_assert_max_num_queries(14):
        page = text_of(browser.get(address))
    assert network.master.name in page and network.sub.name in page and other.name not in page
    found = text_of(browser.get(address, {"q": network.sub.code}))
    assert network.sub.name in found and "1 row" in found
    assert network.sub.name not in text_of(browser.get(address, {"level": "2"}))
    assert browser.get(address, {"level": "9" * 30, "q": "x" * 3000}).status_code == 200
    _head, *rows = rows_of(browser.get(address, {"export": "csv"}))
    below = {row[0]: (row[2], row[3], row[4]) for row in rows}
    assert below == {
        network.master.name: ("2", network.top.name, "0"),
        network.sub.name: ("3", network.master.name, "1"),
    }
    assert len(rows_of(browse(network.sub.user).get(address, {"export": "csv"}))) == 1


def test_staff_search_a_network_by_partner_and_client(network, cast, browse, django_assert_max_num_queries):
    """Found anywhere below with the way there; not the partner itself, another tree, or clients whom the role doesn't reach."""
    other = make_partner(cast.brand)
    Partner.objects.filter(pk=network.sub.pk).update(name="Börsenkreis Bonn")
    browser, address = browse(cast.ib_manager), reverse("ib_partner_tab", args=[network.top.pk, "network"])
    browser.get(address)
    with django_assert_max_num_queries(20):
        page = text_of(browser.get(address, {"q": "SENKREIS"}))
    assert "Börsenkreis Bonn" in page and f"{network.top.name} › {network.master.name}" in page
    for code, is_found in ((network.master.code, True), (network.top.code, False), (other.code, False)):
        assert ("No matches in this network" not in text_of(browser.get(address, {"q": code}))) == is_found
    by_client = text_of(browser.get(address, {"q": cast.client.email}))
    assert cast.client.last_name in by_client and "Börsenkreis Bonn" in by_client
    assert AccessEvent.objects.filter(user=cast.ib_manager, target="partner network", kind="search").exists()
    below = reverse("ib_partner_tab", args=[other.pk, "network"])
    assert "No matches in this network" in text_of(browser.get(below, {"q": cast.client.email}))
    assert browser.get(address, {"q": "\x00%_" + "x" * 5000}).status_code < 500


def test_csv_of_clients_and_earnings_says_no_more_than_the_page(network, cast, browse):
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    browser = browse(network.sub.user)
    for name in ("partner_clients", "partner_earnings"):
        _head, *rows = rows_of(browser.get(reverse(name), {"export": "csv"}))
        assert len(rows) == 1 and "Clara W." in rows[0]
        assert not any(cast.client.last_name in cell or cast.client.email in cell for cell in rows[0])
    # Of clients further down it says whose they are.
    above = rows_of(browse(network.top.user).get(reverse("partner_earnings"), {"export": "csv"}))[1]
    assert f"Client of {network.sub.name}" in above and not any("Clara" in cell for cell in above)
    assert AccessEvent.objects.filter(user=network.sub.user, target="table:partners.clients.csv").count() == 1


def test_staff_find_partners_without_trades(network, cast, browse):
    engine.run_for_deals(deal_ids=[make_trade(network.account, at=timezone.now() - timezone.timedelta(hours=2))])
    quiet = make_partner(cast.brand)
    blocked = make_partner(cast.brand)
    partners.change_state(partner_id=blocked.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="x")
    page = browse(cast.ib_manager).get(reverse("ib_partners"), {"quiet": "30"}).content.decode()
    listed = [partner for partner in Partner.objects.all() if f'"{partner.get_absolute_url()}"' in page]
    assert listed == [quiet]
