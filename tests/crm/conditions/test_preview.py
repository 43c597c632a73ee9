"""Trying a condition out from its form: the sentence, how many meet it, a few of them, and nobody out of reach."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from clients.models import Client
from crm.models import AccessEvent
from tests.leads.rules import where
from tests.leads.test_limits import NOW, given_lead

pytestmark = pytest.mark.django_db
GERMANS = {"version": 1, "all": [{"field": "country", "is": "in", "value": ["DE"]}]}
EVERYBODY = {"version": 1, "all": []}


def tried(browser, condition, name="client_condition"):
    answer = browser.post(reverse(name), {"condition": json.dumps(condition)})
    assert answer.status_code == 200
    return answer.content.decode()


def test_clients_in_reach_are_counted_named_and_the_search_is_logged(cast, browse):
    Client.objects.filter(pk=cast.client.pk).update(country="DE")
    Client.objects.filter(pk=cast.other_client.pk).update(country="DE")
    shown = tried(browse(cast.agent), GERMANS)
    assert "Country is Germany" in shown and "Matches 1 client now." in shown
    assert str(cast.client) in shown and str(cast.other_client) not in shown
    row = AccessEvent.objects.filter(user=cast.agent, kind="search").latest("pk")
    assert (row.target, row.reason) == ("condition", "Country is Germany")


def test_what_cannot_be_read_is_said_and_nobody_is_named(cast, browse):
    gone = {"version": 1, "all": [{"field": "shoe_size", "is": "ge", "value": 1}]}
    shown = tried(browse(cast.agent), gone)
    assert "no longer exists" in shown and str(cast.client) not in shown
    answer = browse(cast.agent).post(reverse("client_condition"), {"condition": "[" * 30_000})
    assert answer.status_code == 200 and str(cast.client) not in answer.content.decode()


def test_a_rule_is_tried_on_the_newest_leads_in_reach(cast, browse):
    lead = given_lead(cast, cast.agent, NOW, score=60)
    given_lead(cast, cast.agent, NOW, score=10)
    shown = tried(browse(cast.desk_head), where(score_from=50), "lead_condition")
    assert "Matches 1 of the last 2 leads." in shown and lead.client.get_absolute_url() in shown
    assert browse(cast.agent).post(reverse("lead_condition"), {"condition": "{}"}).status_code == 403


def test_names_are_escaped(cast, browse):
    Client.objects.filter(pk=cast.client.pk).update(first_name="<script>alert(1)</script>")
    assert "<script>" not in tried(browse(cast.agent), EVERYBODY)


def test_a_client_without_a_name_is_not_named_by_a_masked_address(cast, browse):
    Client.objects.filter(pk=cast.client.pk).update(first_name="", last_name="")
    shown = tried(browse(cast.agent), EVERYBODY)
    assert f"#{cast.client.pk}" in shown and cast.client.email not in shown
