"""Caps of leverage on a phone: what can't be compared is read without scrolling sideways."""

from __future__ import annotations

import pytest

from tests.browser.people import enter
from tests.trading.factories import make_account, make_server, make_type, tell_margins
from trading.leverage import account_groups

pytestmark = pytest.mark.django_db(transaction=True)

WIDER = "table => { const box = table.parentElement; return box.scrollWidth - box.clientWidth }"


def test_why_something_is_not_comparable_is_read_on_a_phone_without_scrolling(phone, page, cast):
    group = "real\\meridian\\standard-hedged-swapfree-EUR"
    told = make_type(cast.brand, make_server(), group=group)
    make_account(cast.client, told.server, account_type=told, group=group)
    untold = make_type(cast.brand, make_server(name="Sandbox MT5 two", port=2), name="Other", is_default=False)
    make_account(cast.client, untold.server, account_type=untold)
    tell_margins(told, {"XAUUSD": "1.5", "BTCUSD": "1"}, margin_profile="Dynamic 500")
    account_groups.refresh()
    for screen in (phone, page):
        enter(screen, cast.mlro)
        screen.goto("/trading/leverage-caps/above/")
    table = phone.locator("table.k-stacked")
    assert table.evaluate(WIDER) == 0
    for words in table.locator("td.words").all():
        box = words.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert "Accounts" in table.locator("td.at-figure").first.evaluate(
        "cell => getComputedStyle(cell, '::before').content"
    )
    heads, cells = page.locator("table.k-stacked th"), page.locator("table.k-stacked tbody tr").first.locator("td")
    assert [round(one.bounding_box()["x"]) for one in heads.all()] == [
        round(one.bounding_box()["x"]) for one in cells.all()
    ]
