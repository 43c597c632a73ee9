"""A routing rule is tried over last week's leads before it is saved: the difference per agent, and nothing is written."""

import datetime as dt

import pytest
from django.utils import timezone

from leads.choices import Strategy
from leads.distribution import dry_run
from leads.models import AgentCount, Lead, RoutingRule, RuleTurn
from leads.setup_forms import RoutingRuleForm
from tests.cast import make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def last_week(cast):
    """Eight German leads of last week, and one of the month before."""
    for number in range(9):
        client = make_client(brand=cast.brand, book=cast.book, email=f"w{number}@example.com", login=False)
        Lead.objects.create(
            client=client,
            brand=cast.brand,
            channel="landing",
            language="de",
            country_guess="DE",
            score=40,
            captured_at=timezone.now() - dt.timedelta(days=40 if number == 8 else 3, minutes=number),
        )


def difference(result):
    return {share.agent: (share.before, share.after, share.difference) for share in result.shares}


def test_the_difference_is_the_rules(cast, german_rule, second_agent, last_week):
    german_rule.strategy, german_rule.weights = Strategy.WEIGHTED, {str(second_agent.pk): 3}
    result = dry_run.try_out(cast.brand, dry_run.rules_with(german_rule, []), rule_pk=german_rule.pk)
    assert (result.leads, result.total, result.fitting) == (8, 8, 8)
    assert difference(result) == {str(cast.agent): (4, 2, -2), str(second_agent): (4, 6, 2), "": (0, 0, 0)}
    assert not AgentCount.objects.exists() and not RuleTurn.objects.exists()


def test_a_new_rule_is_tried_in_its_place_and_an_inactive_one_left_out(cast, german_rule, last_week):
    new = RoutingRule(brand=cast.brand, name="To the others", position=1, desk=cast.other_desk, needs_language=False)
    result = dry_run.try_out(cast.brand, dry_run.rules_with(new, []), rule_pk=0)
    assert result.fitting == 8 and difference(result)[str(cast.other_agent)] == (0, 8, 8)
    german_rule.is_active = False
    assert dry_run.rules_with(german_rule, []) == []


def test_the_newest_leads_are_taken_and_the_page_says_of_how_many(cast, german_rule, last_week, monkeypatch):
    monkeypatch.setattr(dry_run, "LEADS_MAX", 5)
    result = dry_run.try_out(cast.brand, dry_run.rules_with(german_rule, []), rule_pk=german_rule.pk)
    assert (result.leads, result.total) == (5, 8)


def test_it_is_run_from_the_rules_form(
    cast, german_rule, second_agent, last_week, browse, django_assert_max_num_queries
):
    head = browse(cast.desk_head)
    assert "Dry run over last week" in head.get(f"/lead-rules/routing/{german_rule.pk}/").content.decode()
    form = RoutingRuleForm(instance=german_rule, actor=cast.desk_head)
    entered = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    entered |= {"brand": cast.brand.pk, "desk": cast.desk.pk, "agents": [second_agent.pk], "weights": ""}
    entered.pop("condition")
    url = f"/lead-rules/routing/dry-run/?rule={german_rule.pk}"
    with django_assert_max_num_queries(40):
        page = head.post(url, {key: value for key, value in entered.items() if value is not None}).content.decode()
    assert "With this rule" in page and "+4" in page
    assert not RoutingRule.objects.get().agents.exists(), "nothing was saved"
    assert "With this rule" not in head.post(url, {"name": ""}).content.decode()
