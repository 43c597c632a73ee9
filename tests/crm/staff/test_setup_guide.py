"""The set-up guide judges by what is there: nothing on an empty installation, everything on one that works."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from crm.choices import Role, UserKind
from crm.models import LegalEntity, User
from crm.pages.setup_guide import states_of
from crm.ui.panels import SetupStep, registry
from leads.models import Campaign, LandingPage, RoutingRule
from tests.leads.rules import where
from tests.leads.test_limits import NOW, given_lead
from tests.wallet.factories import make_psp

pytestmark = pytest.mark.django_db


def open_steps(user) -> set[str]:
    user = User.objects.get(pk=user.pk)
    return {state.step.slug for state in states_of(user) if not state.is_done}


@pytest.fixture
def first() -> User:
    """The administrator of an installation without a brand."""
    user = User.objects.create_user(username="first@x.example", email="first@x.example", kind=UserKind.STAFF)
    user.groups.add(Group.objects.get(name=Role.ADMINISTRATOR))
    return user


def test_on_an_empty_installation_everything_is_open_and_the_legal_entity_is_next(first, browse):
    states = states_of(first)
    assert {state.step.slug for state in states if state.is_done} <= {"platform"}
    assert [state.step.slug for state in states if state.is_next] == ["entity"]
    page = browse(first).get(reverse("setup_guide")).content.decode()
    assert reverse("legal_entities") in page


def test_each_step_is_done_by_what_it_asks_for_and_by_nothing_else(cast):
    wanted = {"entity", "routing", "landing-page", "test-lead", "psp", "plan", "platform"}
    assert open_steps(cast.administrator) == wanted
    LegalEntity.objects.create(name="Meridian Ltd", jurisdiction="CY")
    wanted -= {"entity"}
    assert open_steps(cast.administrator) == wanted
    rule = RoutingRule.objects.create(
        brand=cast.brand, name="Germans", condition=where(language=["de"]), desk=cast.desk
    )
    assert open_steps(cast.administrator) == wanted - {"routing"}
    campaign = Campaign.objects.create(brand=cast.brand, code="c1", name="C")
    LandingPage.objects.create(brand=cast.brand, campaign=campaign, slug="p", headline="Hello", language="en")
    make_psp(cast.brand)
    wanted -= {"routing", "landing-page", "psp"}
    assert open_steps(cast.administrator) == wanted
    lead = given_lead(cast, cast.agent, NOW)
    assert open_steps(cast.administrator) == wanted
    lead.routing_rule = rule
    lead.save(update_fields=["routing_rule"])
    assert open_steps(cast.administrator) == wanted - {"test-lead"}


def test_another_brands_set_up_counts_for_nobody_else(cast):
    RoutingRule.objects.create(brand=cast.other_brand, name="Theirs", desk=cast.other_desk)
    assert "routing" in open_steps(cast.administrator)


def test_who_cannot_do_a_step_reads_which_roles_can(cast):
    by_slug = {state.step.slug: state for state in states_of(cast.administrator)}
    lacking = [state for state in by_slug.values() if not state.url]
    assert all(state.roles for state in lacking)


def test_it_needs_one_query_per_step(cast, django_assert_max_num_queries):
    user = User.objects.get(pk=cast.administrator.pk)
    with django_assert_max_num_queries(len(registry.of(SetupStep)) + 1):
        states_of(user)


def test_only_who_sets_the_company_up_opens_it(cast, browse):
    assert browse(cast.agent).get(reverse("setup_guide")).status_code == 403
