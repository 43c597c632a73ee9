"""The managers' leaderboard: exact figures of a range, in a fixed number of queries, for who may see commissions."""

import pytest
import time_machine
from django.urls import reverse

from ib.manager_pages.performance import performance
from ib.partner_pages.date_ranges import date_range
from tests.ib.factories import NOON, make_partner
from tests.ib.test_settlement import accrue

pytestmark = pytest.mark.django_db


@time_machine.travel(NOON, tick=False)
def test_leaderboard_has_each_partners_figures(network, cast, browse, django_assert_max_num_queries):
    accrue(network)
    make_partner(cast.brand)  # earned nothing and brought nobody: not on the list
    rows, rollup = performance(cast.ib_manager, date_range("30"), "commission")
    assert [(row.partner_id, row.earned.amount, row.trades) for row in rows] == [
        (network.sub.pk, 6, 1),
        (network.master.pk, 3, 1),
        (network.top.pk, 1, 1),
    ]
    best = rows[0]
    assert (best.clients, best.new_clients, best.unpaid_percent, best.plan) == (1, 0, 0, network.version.plan.name)
    assert rollup.currency == "EUR" and best.earned_before.amount == 0
    with django_assert_max_num_queries(60):
        shown = browse(cast.ib_manager).get(reverse("ib_performance"))
    page = shown.content.decode()
    assert page.index(network.sub.name) < page.index(network.top.name) and "0.0 %" in page
    lines = b"".join(browse(cast.ib_manager).get(reverse("ib_performance"), {"export": "csv"})).decode().splitlines()
    assert len(lines) == 4 and network.sub.code in lines[1]
    assert not performance(cast.agent, date_range("30"), "clients")[0]
