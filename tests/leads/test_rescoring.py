"""Leads scored again when people open, click, sign in, answer and write; what a rule would change."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.custom_fields.values import set_custom_values
from clients.messages.choices import DeliveryState
from clients.messages.delivery import Report, note_delivery
from clients.models import Call, Client, CustomField, Message
from crm import events
from crm.models import DueRow
from leads.models import Lead, RegistrationInvitation, ScoreRule
from leads.scores.engagement import engagement_of
from leads.scores.rescoring import RESCORE, fade, preview, rescore
from leads.scoring import Rule, rules_of
from leads.setup_forms import parameters_of
from tests.reports.test_reports import lead, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(cast):
    """One rule for every lead, and a person who has been a lead for a month."""
    ScoreRule.objects.all().delete()
    cast.now = timezone.now()
    ScoreRule.objects.create(name="Every lead", kind="base", points=20)
    cast.lead = lead(cast.client, at=cast.now - dt.timedelta(days=30), score=20)
    Client.objects.filter(pk=cast.client.pk).update(score=20, first_deposit_at=None, stage="registered")
    cast.client.refresh_from_db()
    return cast


def rule(kind, points, **parameters):
    return ScoreRule.objects.create(name=kind, kind=kind, points=points, parameters=parameters)


def score_of(world):
    world.lead.refresh_from_db()
    return world.lead.score, Client.objects.get(pk=world.client.pk).score


def call(world, days, outcome="reached"):
    at = world.now - dt.timedelta(days=days)
    Call.objects.create(client=world.client, agent=world.agent, outcome=outcome, started_at=at)


def test_each_kind_of_engagement_counts_within_its_days(world, django_assert_num_queries):
    message = Message.objects.create(
        client=world.client,
        to_address="x@x.example",
        subject="Hello",
        body="x",
        language="en",
        delivery="clicked",
        delivery_at=world.now,
    )
    assert message.pk
    RegistrationInvitation.objects.create(
        client=world.client, token_hash="x", expires_at=world.now, opened_at=world.now - dt.timedelta(days=40)
    )
    call(world, 3)
    call(world, 5)
    call(world, 4, outcome="no_answer")
    found = engagement_of([world.client.pk], timezone.now())[world.client.pk]
    assert {kind: len(times) for kind, times in found.items()} == {"opened": 2, "clicked": 2, "call": 2}
    rule("call", 10, at_least=2, days=7)
    rule("clicked", 5, at_least=2, days=30)
    rule("opened", 3, at_least=2, days=60)
    other = lead(world.other_client, at=world.now)
    assert rescore([world.client.pk, world.other_client.pk]) == 2
    assert score_of(world) == (33, 33)
    assert [reason["found"] for reason in world.lead.score_reasons] == ["", "2×", "2×"]
    other.refresh_from_db()
    assert other.score == 20
    assert rescore([world.client.pk]) == 0


def test_who_has_paid_in_keeps_the_score(world):
    rule("base", 30)
    Client.objects.filter(pk=world.client.pk).update(first_deposit_at=world.now)
    assert rescore([world.client.pk]) == 0 and score_of(world) == (20, 20)


def test_an_opened_email_and_a_custom_field_score_again(world):
    field = CustomField.objects.create(
        brand=world.brand,
        key="deposit",
        type="number",
        labels={"en": "Intended deposit"},
        position=1,
        created_at=timezone.now(),
        for_leads=True,
    )
    rule("opened", 7, at_least=1, days=30)
    rule("field", 11, field="deposit", at_least="1000")
    message = Message.objects.create(
        client=world.client, to_address="x@x.example", subject="Hello", body="x", language="en"
    )
    note_delivery(message, Report(DeliveryState.OPENED, timezone.now()))
    set_custom_values(client_id=world.client.pk, actor=None, values={field.pk: Decimal(1500)})
    events.drain()
    RESCORE.handle(list(DueRow.objects.filter(kind=RESCORE.code)))
    assert score_of(world) == (38, 38)


def test_what_leaves_the_window_of_a_rule_fades(world):
    rule("call", 10, at_least=1, days=7)
    call(world, 7.5)
    Lead.objects.update(score=30)
    assert fade() == 1
    rescore([world.client.pk])
    assert score_of(world)[0] == 20


def test_values_are_checked_as_they_are_typed(world):
    CustomField.objects.create(
        brand=world.brand,
        key="deposit",
        type="number",
        labels={"en": "X"},
        position=1,
        created_at=timezone.now(),
        for_leads=True,
    )
    assert parameters_of("login", ["2", "30"]) == {"at_least": 2, "days": 30}
    assert parameters_of("field", ["deposit", "≥", "1000"]) == {"field": "deposit", "at_least": "1000"}
    for kind, words in (
        ("login", ["2"]),
        ("login", ["0", "5"]),
        ("call", ["1", "400"]),
        ("field", ["nothing", "x"]),
        ("field", []),
    ):
        with pytest.raises(ValueError, match="Enter"):
            parameters_of(kind, words)


def test_a_preview_shows_what_a_rule_would_change_and_changes_nothing(world, browse, django_assert_max_num_queries):
    call(world, 2)
    lead(world.other_client, at=world.now)
    with django_assert_max_num_queries(6):
        found = preview(world.brand, Rule(0, "Calls", "call", {"at_least": 1, "days": 7}, 15))
    assert (found.leads, found.up, found.down) == (Lead.objects.filter(brand=world.brand).count(), 1, 0)
    assert [(change.before, change.after) for change in found.largest] == [(20, 35)]
    data = {"brand": world.brand.pk, "name": "Calls", "kind": "call", "values": "1 7", "points": 15}
    text = text_of(browse(world.marketing).post(reverse("score_rule_preview"), data))
    assert "1 would have a higher score, 0 a lower one" in text and str(world.client) in text
    assert score_of(world) == (20, 20) and len(rules_of(world.brand.pk, timezone.localdate())) == 1
