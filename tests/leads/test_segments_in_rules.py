"""Segments in routing rules and in scoring: who is in one goes another way, and has other points, as soon as they enter."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.segments.verbs import add_members, create_segment, remove_members
from crm.models import DueRow
from leads import routing
from leads.assignment import candidate_of
from leads.models import RoutingRule, ScoreRule
from leads.scores.rescoring import RESCORE, rescore
from leads.subscribers import score_by_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def webinar(cast):
    return create_segment(brand_id=cast.brand.pk, name="Webinar in May", actor=cast.desk_head)


def test_rules_route_by_segment(cast, german_rule, capture, webinar, browse):
    inside = {"version": 1, "field": "segments", "is": "has", "value": [str(webinar.pk)]}
    rule = RoutingRule.objects.create(brand=cast.brand, name="Webinar", position=1, desk=cast.desk, condition=inside)
    lead = capture().lead
    assert lead.routing_rule == german_rule, "somebody new is in no segment"
    add_members(segment_id=webinar.pk, client_ids=[lead.client_id], actor=cast.desk_head)
    router = routing.Router(cast.brand, timezone.now())
    custom = router.custom_of([lead.client_id])[lead.client_id]
    decision = router.decide(candidate_of(lead, country="DE", custom=custom))
    assert decision.rule_id == rule.pk and "segments" not in decision.reasons[0]
    page = browse(cast.desk_head).get(reverse("lead_rules")).content.decode()
    assert "Segments includes Webinar in May" in page


def test_a_scoring_rule_names_its_segments(cast, webinar, browse):
    marketing, others = (
        browse(cast.marketing),
        create_segment(brand_id=cast.other_brand.pk, name="Elsewhere", actor=None),
    )
    given = {"brand": cast.brand.pk, "name": "Webinar", "kind": "segment", "points": 7}
    for wrong in ([], [others.pk]):
        answer = marketing.post(reverse("score_rule_new"), {**given, "segments": wrong})
        assert answer.status_code == 422 and not ScoreRule.objects.filter(name="Webinar").exists()
    marketing.post(reverse("score_rule_new"), {**given, "segments": [webinar.pk]})
    rule = ScoreRule.objects.get(name="Webinar")
    assert rule.parameters == {"segments": [webinar.pk]}
    assert "Webinar in May" in marketing.get(reverse("lead_rules")).content.decode()
    form = marketing.get(reverse("score_rule_edit", args=[rule.pk])).content.decode()
    assert re.search(rf'value="{webinar.pk}"\s+(selected|checked)', form) and "Elsewhere" not in form


def test_points_for_a_segment(cast, capture, webinar, browse):
    rule = ScoreRule.objects.create(
        brand=cast.brand, name="Webinar", kind="segment", points=7, parameters={"segments": [webinar.pk]}
    )
    lead = capture(country="FR", phone="").lead
    before = lead.score
    add_members(segment_id=webinar.pk, client_ids=[lead.client_id], actor=cast.desk_head)
    DueRow.objects.filter(kind=RESCORE.code).delete()
    score_by_segment([type("Entered", (), {"client_id": lead.client_id})()])
    assert DueRow.objects.filter(kind=RESCORE.code, key=str(lead.client_id)).exists()
    rescore([lead.client_id])
    lead.refresh_from_db()
    assert lead.score == before + 7
    assert {"rule": rule.pk, "name": "Webinar", "found": "Webinar in May", "points": 7} in lead.score_reasons
    assert capture(country="FR", phone="").lead.score >= before + 7, "who comes again is in it still"
    remove_members(segment_id=webinar.pk, client_ids=[lead.client_id], actor=cast.desk_head)
    rescore([lead.client_id])
    lead.refresh_from_db()
    assert lead.score <= before + 7
