"""The life of a rule: drafted, tried out, in shadow, live by two people, retired; and what is refused on the way."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from compliance.aml import backtesting, rules, shipped
from compliance.aml.models import AmlAlert, AmlRuleProposal, AmlRuleVersion
from compliance.aml.running import raised_in, run_pending
from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent
from tests.compliance.aml.factories import content, draft, live, moved

pytestmark = pytest.mark.django_db


def days_ago(days):
    return timezone.now() - dt.timedelta(days=days)


def tried(version, actor, days=50):
    return backtesting.run_backtest(version=version, start=days_ago(days), end=timezone.now(), actor=actor)


def test_a_rule_goes_from_draft_to_live_and_is_replaced(cast):
    for days in (40, 39, 5, 4):
        moved(cast.client, "deposit", 1900, days_ago(days))
    moved(cast.client, "deposit", 50, days_ago(60))
    other = live(cast, "velocity_count", 2, since=days_ago(90), name="Two a week")
    version = draft(cast.brand, "structuring", 2, name="Below 2,000")
    with pytest.raises(WrongState, match="back-test"):
        rules.start_shadow(version_id=version.pk, reason="Try", actor=cast.kyc_officer)
    result = tried(version, cast.kyc_officer)
    assert (result.alert_count, result.client_count, sum(count for _day, count in result.weeks)) == (2, 1, 2)
    assert result.samples[0]["client"] == cast.client.pk and Decimal(result.samples[0]["value"]) == 2
    assert result.overlap == [{"rule": other.rule_id, "name": "Two a week", "version": 1, "both": 1}]
    assert round(backtesting.per_week(result), 2) == 0.28

    rules.start_shadow(version_id=version.pk, reason="Try", actor=cast.kyc_officer)
    moved(cast.client, "deposit", 1900, timezone.now() + dt.timedelta(minutes=1))
    assert run_pending() >= 1
    shadow = AmlAlert.objects.get(version=version)
    assert shadow.is_shadow and shadow.case is None

    proposal = rules.propose(version_id=version.pk, act="go_live", reason="Few alerts", actor=cast.kyc_officer)
    with pytest.raises(NotAllowed):
        approvals.approve(AmlRuleProposal, proposal.pk, actor=cast.kyc_officer)
    approvals.approve(AmlRuleProposal, proposal.pk, actor=cast.mlro)
    version.refresh_from_db()
    assert (version.state, version.proposed_by, version.approved_by) == ("live", cast.kyc_officer, cast.mlro)
    moved(cast.client, "deposit", 1900, timezone.now() + dt.timedelta(minutes=2))
    run_pending()
    assert AmlAlert.objects.get(version=version, is_shadow=False).case.client == cast.client
    for change in ({"threshold": 9}, {"measure": "chargebacks"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            AmlRuleVersion.objects.filter(pk=version.pk).update(**change)

    second = rules.write_draft(
        rule_id=version.rule_id, content=content("structuring", 3), why="Too many", actor=cast.kyc_officer
    )
    assert (second.number, second.state) == (2, "draft")
    tried(second, cast.kyc_officer)
    proposal = rules.propose(version_id=second.pk, act="go_live", reason="Fewer", actor=cast.mlro)
    approvals.approve(AmlRuleProposal, proposal.pk, actor=cast.kyc_officer)
    version.refresh_from_db()
    assert (version.state, second.rule.versions.get(state="live").number) == ("retired", 2)
    codes = set(AuditEvent.objects.filter(action__startswith="compliance.aml").values_list("action", flat=True))
    assert {"compliance.aml_rule_went_live", "compliance.aml_rule_retired", "compliance.aml_rule_shadowed"} <= codes


def test_a_changed_draft_needs_a_new_backtest(cast):
    moved(cast.client, "deposit", 1900, days_ago(60))
    version = draft(cast.brand, "structuring", 2)
    tried(version, cast.kyc_officer)
    rules.write_draft(rule_id=version.rule_id, content=content("structuring", 3), why="More", actor=cast.kyc_officer)
    with pytest.raises(WrongState, match="back-test"):
        rules.propose(version_id=version.pk, act="go_live", reason="Go", actor=cast.kyc_officer)
    rules.discard_version(version_id=version.pk, reason="No use", actor=cast.kyc_officer)
    with pytest.raises(WrongState):
        rules.propose(version_id=version.pk, act="go_live", reason="Go", actor=cast.kyc_officer)


def test_what_contradicts_itself_is_refused_in_words(cast):
    twice = [{"field": "kyc_level", "is": "ge", "value": 2}, {"field": "kyc_level", "is": "lt", "value": 1}]
    cases = [
        (content("structuring", 0), "threshold"),
        (rules.Content("nothing", Decimal(1), 24, 24), "Choose what to measure"),
        (content("structuring", 1, parameters={"from_percent": 100}), "from 1 to 99"),
        (content("shared", 1, parameters={"identifiers": []}), "choose from the list"),
        (content("structuring", 1, days=400), "Enter a time"),
        (content("structuring", 1, population={"version": 1, "all": twice}), "can never meet all of this"),
    ]
    for said, words in cases:
        with pytest.raises(DomainError, match=words):
            rules.create_rule(brand_id=cast.brand.pk, name="X", content=said, why="Y", actor=cast.kyc_officer)
    with pytest.raises(DomainError, match="no movements yet"):
        tried_version = draft(cast.brand, "structuring", 2, days=30)
        rules.require_history(tried_version)
    moved(cast.client, "deposit", 1900, days_ago(20))
    with pytest.raises(DomainError, match="looks back 30 days, but the brand's movements begin on"):
        rules.require_history(tried_version)


def test_population_and_brand_limit_a_rule(cast):
    germans = {"version": 1, "all": [{"field": "country", "is": "in", "value": ["DE"]}]}
    version = draft(cast.brand, "velocity_count", 1, population=germans)
    for client, country in ((cast.client, "DE"), (cast.other_client, "AT")):
        client.country = country
        client.save()
        moved(client, "deposit", 10, days_ago(1))
    assert [entry.client_id for entry in raised_in(version, days_ago(2), timezone.now())] == [cast.client.pk]
    elsewhere = draft(cast.other_brand, "velocity_count", 1)
    assert raised_in(elsewhere, days_ago(2), timezone.now()) == []


def test_recommended_rules_are_added_once(cast):
    assert shipped.add_shipped(brand_id=cast.brand.pk, actor=cast.mlro) == len(shipped.SHIPPED)
    assert shipped.add_shipped(brand_id=cast.brand.pk, actor=cast.mlro) == 0
    assert AmlRuleVersion.objects.filter(state="draft").count() == len(shipped.SHIPPED)
    for version in AmlRuleVersion.objects.select_related("rule__brand"):
        assert raised_in(version, days_ago(30), timezone.now()) == []
