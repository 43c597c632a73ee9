"""Opening an account: types of one platform side by side, real and demo money apart, what each costs."""

import re
from decimal import Decimal

import pytest

from tests.trading.factories import make_server, make_type

pytestmark = pytest.mark.django_db
PAGE = "/portal/accounts/open/"


def names(room, query: str = "") -> list[str]:
    return re.findall(r"<h2>([^<]*)</h2>", room.browser.get(PAGE + query).content.decode())


@pytest.fixture
def offers(room):
    mt4 = make_server(kind="mt4", name="Four")
    make_type(room.cast.brand, mt4, name="Four Pro", kind="pro", is_default=False)
    make_type(room.cast.brand, mt4, name="Four Demo", kind="demo", is_demo=True, is_default=False, kyc_level=0)
    return mt4


def test_platforms_and_real_or_demo_money_are_compared_apart(room, offers):
    own = room.account_type
    assert names(room) == [own.name]
    assert names(room, "?platform=mt4") == ["Four Pro"]
    assert names(room, "?platform=mt4&money=demo") == ["Four Demo"]
    assert names(room, "?platform=nonsense&money=nonsense") == [own.name]


def test_a_chosen_type_brings_its_platform_and_its_form(room, offers):
    chosen = offers.account_types.get(name="Four Demo")
    page = room.browser.get(f"{PAGE}?type={chosen.pk}").content.decode()
    assert "Open Four Demo" in page and 'name="leverage"' in page and "<h2>Four Demo</h2>" in page


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"spread_from": Decimal("0.10"), "commission_per_lot": Decimal("7.00")}, ["0.1 pips", "€7.00"]),
        ({"spread_from": Decimal(0), "commission_per_lot": Decimal(0)}, ["0.0 pips", ">None<"]),
        ({"execution": "ecn", "is_swap_free": True}, [">ECN<", "Yes</dd>"]),
    ],
)
def test_what_a_type_costs_is_said(room, fields, shown):
    type(room.account_type).objects.filter(pk=room.account_type.pk).update(**fields)
    page = room.browser.get(PAGE).content.decode()
    assert [text for text in shown if text not in page] == []


def test_what_the_broker_does_not_state_is_a_dash(room):
    page = room.browser.get(PAGE).content.decode()
    assert page.count('<dd class="num">–</dd>') == 2 and "<dd>–</dd>" in page
