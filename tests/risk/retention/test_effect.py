"""What calls achieve, beside the control group: who stayed, with an interval that says how sure that is."""

from decimal import Decimal

import pytest
from django.urls import reverse

from crm import work
from crm.models import User
from risk.retention.choices import CaseState
from risk.retention.effect import Effect, Group, effects, interval
from risk.retention.kind import RETENTION
from risk.retention.models import RetentionCase
from tests.risk.retention.world import DAY, Floor


def case_of(floor: Floor, client, *, days_ago: int, is_control: bool) -> None:
    at, item = floor.now - days_ago * DAY, None
    if not is_control:
        item = work.new_item(RETENTION, brand=client.brand, client_id=client.pk, opened_at=at)
        item.save()
    state = CaseState.HELD_BACK if is_control else CaseState.OPEN
    RetentionCase.objects.create(client=client, brand=client.brand, weight=2, opened_at=at, state=state, work=item)


def test_who_trades_within_the_days_has_stayed_and_cases_still_running_are_left_out(
    cast, browse, django_assert_num_queries
):
    floor = Floor(cast)
    for name, until, control in (("a", 40, False), ("b", 70, False), ("c", 70, True), ("d", 5, True)):
        case_of(floor, floor.trader(name, every=30, until=until, times=2), days_ago=60, is_control=control)
    case_of(floor, floor.trader("e", every=5, until=2), days_ago=20, is_control=False)
    with django_assert_num_queries(4):
        (row,) = effects(User.objects.get(pk=cast.retention.pk))
    # a traded 20 days after its case, d 25 days after (and again since); b and c did not.
    assert (row.called.clients, row.called.stayed) == (2, 1) and (row.control.clients, row.control.stayed) == (2, 1)
    page = browse(cast.retention).get(reverse("risk_retention_effect")).content.decode()
    assert "Control group" in page and "too few for a conclusion" in page
    assert effects(User.objects.get(pk=cast.other_agent.pk)) == []


@pytest.mark.parametrize(
    ("called", "control", "low", "high"),
    # Newcombe 1998, table II, example (a): 56 of 70 against 48 of 80.
    [((70, 56), (80, 48), 5.24, 33.39), ((0, 0), (80, 48), -100, 100)],
)
def test_the_interval_is_that_of_newcombe(called, control, low, high):
    assert interval(Group(*called), Group(*control)) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


@pytest.mark.parametrize(
    ("called", "control", "said"),
    [
        (Group(400, 300), Group(100, 50), "Calls keep clients"),
        (Group(400, 200), Group(100, 75), "stay less often"),
        (Group(400, 200), Group(100, 50), "may be chance"),
        (Group(400, 300), Group(29, 5), "too few"),
        (Group(400, 300), Group(), "No client was held back"),
    ],
)
def test_the_verdict_says_no_more_than_the_figures(cast, called, control, said):
    effect = Effect(cast.brand, called, control, *interval(called, control))
    assert said in effect.verdict
    assert effect.net_difference.amount == Decimal(0)
