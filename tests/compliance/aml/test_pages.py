"""Pages of AML monitoring: what they show, in how many queries."""

import datetime as dt

import pytest
from django.utils import timezone

from clients.identifiers import IdentifierKind, learn
from compliance.aml import backtesting
from compliance.aml.measures import MEASURES
from compliance.aml.models import AmlCase, AmlRule
from compliance.aml.running import run_pending
from tests.compliance.aml.factories import draft, live, moved

pytestmark = pytest.mark.django_db


def days_ago(days):
    return timezone.now() - dt.timedelta(days=days)


def test_rules_are_listed_written_and_shown(cast, browse):
    moved(cast.client, "deposit", 1900, days_ago(60))
    moved(cast.client, "deposit", 1900, days_ago(9))
    moved(cast.client, "deposit", 1800, days_ago(8))
    page = browse(cast.mlro)
    assert "Structuring" in page.get("/aml/rules/new/").text
    for code in MEASURES:
        assert page.get(f"/aml/rules/new/{code}/").status_code == 200
    sent = {
        "brand": cast.brand.pk,
        "name": "Below 2,000",
        "threshold": "2",
        "p_limit": "2000",
        "p_from_percent": "80",
        "window_days": "7",
        "repeat_days": "7",
        "severity": "high",
        "population": "",
        "why": "CySEC C721",
    }
    assert page.post("/aml/rules/new/structuring/", {**sent, "population": "["}).status_code == 422
    answer = page.post("/aml/rules/new/structuring/", sent)
    rule = AmlRule.objects.get()
    assert answer["Location"] == rule.get_absolute_url()
    shown = page.get(rule.get_absolute_url()).text
    assert "2 or more deposits just below €2,000.00 (from 80 % of it) within 7 days" in shown.replace("\xa0", " ")
    version = rule.versions.select_related("rule__brand").get()
    backtesting.run_backtest(version=version, start=days_ago(30), end=timezone.now(), actor=cast.mlro)
    shown = page.get(rule.get_absolute_url()).text
    assert "Expected alerts per week" in shown and str(cast.client) in shown
    assert page.post(f"/aml/versions/{version.pk}/shadow/", {"reason": "Try"})["Location"] == rule.get_absolute_url()
    assert page.post(f"/aml/versions/{version.pk}/go_live/", {"reason": ""}).status_code == 422
    assert "Shadow" in page.get("/aml/rules/").text
    assert browse(cast.agent).get("/aml/rules/").status_code == 403


def test_a_case_shows_alerts_evidence_and_links_in_few_queries(cast, browse, django_assert_max_num_queries):
    live(cast, "velocity_count", 1, since=days_ago(99), severity="high", name="Any deposit")
    moved(cast.client, "deposit", 1900, days_ago(9), is_third_party=True)
    learn(cast.client.pk, IdentifierKind.DEVICE, "one-device")
    learn(cast.other_client.pk, IdentifierKind.DEVICE, "one-device")
    run_pending()
    case = AmlCase.objects.get()
    page = browse(cast.mlro)
    page.get(case.get_absolute_url())
    with django_assert_max_num_queries(45):
        shown = page.get(case.get_absolute_url()).text
    for words in ("Any deposit", "Evidence", "Third-party payer", 'class="aml-graph"', "Decide case"):
        assert words in shown, words
    with django_assert_max_num_queries(25):
        assert str(case) in page.get("/aml/cases/?state=open").text
    assert page.post(f"{case.get_absolute_url()}decide/", {"outcome": "", "reason": "x"}).status_code == 422
    page.post(f"{case.get_absolute_url()}decide/", {"outcome": "no_suspicion", "reason": "Salary"})
    case.refresh_from_db()
    assert case.state == "no_suspicion"
    assert "Salary" in page.get(case.get_absolute_url()).text


def test_a_rule_of_another_brand_is_not_found(cast, browse):
    version = draft(cast.other_brand, "chargebacks", 1)
    assert browse(cast.mlro).get(version.rule.get_absolute_url()).status_code == 404
    assert browse(cast.mlro).post(f"/aml/versions/{version.pk}/shadow/", {"reason": "x"}).status_code == 404
