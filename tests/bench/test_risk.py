"""`bench risk` on a few rows: deals are judged beside others, links are found, and a losing deal raises its flag."""

import pytest
from django.utils import timezone

from bench.risk import deals, links
from risk.abuse.models import ScoredTo, Tick
from trading.models import Deal

pytestmark = pytest.mark.django_db


def test_every_second_record_is_found_by_its_links():
    graph, doubles, _single = links._measure(links._load(250), 250)
    assert graph.value > 0 and graph.yardstick and doubles.ok


def test_all_fresh_deals_are_judged_beside_older_ones():
    now, server = timezone.now(), deals._house(20)
    deals._history(server, now, 20, 60, 3600)
    measured = deals._measure(now, 20, 40, 1)
    assert all(figure.value > 0 for figure in measured)
    assert ScoredTo.objects.get().deal_id == Deal.every.order_by("-pk").values_list("pk", flat=True)[0]
    assert Deal.every.count() == 160 and Tick.objects.filter(server=server).count() > 1_000
