"""Two readers of one server at once: a deal is taken in once."""

from __future__ import annotations

import pytest

from tests.ib.factories import make_server
from tests.racing import race
from tests.trading.made_up import made_up
from trading.models import Deal
from trading.sync import deals

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_deals_read_twice_at_once_are_taken_in_once(cast):
    server = make_server()
    deals.take_in(server, [made_up(1, login="1")])
    page = [made_up(ticket, login="1") for ticket in (2, 3)]
    both = race(lambda: deals.take_in(server, page), lambda: deals.take_in(server, page))
    assert both.has_waited
    assert set(both.first.new) == {2, 3} and not both.second.new
    assert Deal.objects.count() == 3
