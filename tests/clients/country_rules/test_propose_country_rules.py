"""Proposing and approving rules for one or many countries."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db.models import F

from clients.choices import CountryBand, Gate
from clients.country_rules.changes import propose_country_rules
from clients.country_rules.rules import decide, rule_of
from clients.models import CountryRule, CountryRuleProposal
from crm import approvals
from crm.brand_policies.registry import today
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Brand, Notification
from tests.cast import make_staff

pytestmark = pytest.mark.django_db


def propose(cast, *countries, days=0, actor=None, brand=None, **fields):
    return propose_country_rules(
        brand_id=(brand or cast.brand).pk,
        countries=countries,
        effective_on=today(cast.brand) + dt.timedelta(days=days),
        actor=actor or cast.mlro,
        **{"band": "prohibited", "accepted": ["withdrawal"], "reason": "No licence there", **fields},
    )


def brand(cast) -> Brand:
    return Brand.objects.get(pk=cast.brand.pk)


def test_a_proposal_holds_once_another_person_approves_it(cast):
    made = propose(cast, "DE", "AT", "DE")
    assert made.countries == ["AT", "DE"] and decide(brand(cast), "DE", Gate.DEPOSIT)
    with pytest.raises(NotAllowed):
        approvals.approve(CountryRuleProposal, made.pk, actor=cast.mlro)
    assert not CountryRule.objects.exists()
    assert Notification.objects.filter(user=cast.administrator, kind="clients.country_rule_proposed").count() == 1
    approvals.approve(CountryRuleProposal, made.pk, actor=cast.administrator)
    for country in ("DE", "AT"):
        assert rule_of(brand(cast), country).gates == ["withdrawal"]
    row = CountryRule.objects.get(country="DE")
    assert (row.set_by, row.band, row.reason) == (cast.mlro, CountryBand.PROHIBITED, "No licence there")
    assert decide(brand(cast), "FR", Gate.DEPOSIT) and decide(cast.other_brand, "DE", Gate.DEPOSIT)
    assert AuditEvent.objects.filter(action="clients.country_rule_changed", brand_id=cast.brand.pk).count() == 2
    assert AuditEvent.objects.filter(action="clients.country_rule_approved").count() == 1


def test_a_rejected_proposal_changes_nothing_and_may_come_again(cast):
    made = propose(cast, "DE")
    approvals.reject(CountryRuleProposal, made.pk, actor=cast.administrator, note="We have a licence")
    assert not CountryRule.objects.exists() and decide(brand(cast), "DE", Gate.DEPOSIT)
    assert propose(cast, "DE").pk != made.pk


def test_a_country_waits_in_one_proposal_at_a_time(cast):
    propose(cast, "DE", "AT")
    with pytest.raises(WrongState, match="Austria"):
        propose(cast, "FR", "AT")
    propose(cast, "FR")
    assert CountryRuleProposal.objects.count() == 2


def test_a_day_that_passed_while_it_waited_becomes_today(cast):
    made = propose(cast, "DE", days=1)
    CountryRuleProposal.objects.update(effective_on=F("effective_on") - 10)
    approvals.approve(CountryRuleProposal, made.pk, actor=cast.administrator)
    assert CountryRule.objects.get().effective_on == today(cast.brand)


def test_a_planned_change_holds_from_its_day(cast):
    made = propose(cast, "DE", days=5)
    approvals.approve(CountryRuleProposal, made.pk, actor=cast.administrator)
    assert decide(brand(cast), "DE", Gate.DEPOSIT)
    assert rule_of(brand(cast), "DE", today(cast.brand) + dt.timedelta(days=5)).band == CountryBand.PROHIBITED


def test_back_to_the_default_and_the_rule_for_all_others(cast):
    for fields in ({"countries": ["", "DE"]}, {"countries": ["DE"], "band": "", "accepted": ["lead"]}):
        made = propose(cast, *fields.pop("countries"), **fields)
        approvals.approve(CountryRuleProposal, made.pk, actor=cast.administrator)
    assert rule_of(brand(cast), "DE").band == CountryBand.PROHIBITED  # by the rule for all others
    made = propose(cast, "", band="")
    approvals.approve(CountryRuleProposal, made.pk, actor=cast.administrator)
    assert decide(brand(cast), "DE", Gate.DEPOSIT)
    for country in ("", "DE"):
        with pytest.raises(WrongState):
            propose(cast, country, band="")


@pytest.mark.parametrize(
    "fields",
    [
        {"countries": []},
        {"countries": ["XX"]},
        {"countries": ["de"]},
        {"band": "dreadful"},
        {"accepted": ["everything"]},
        {"reason": " "},
        {"days": -1},
        {"days": 367},
        {"countries": ["RU"], "band": ""},
    ],
)
def test_what_makes_no_sense_is_refused_in_words_and_nothing_is_written(cast, fields):
    with pytest.raises(DomainError) as refused:
        propose(cast, *fields.pop("countries", ["DE"]), **fields)
    assert str(refused.value)
    assert not CountryRuleProposal.objects.exists()


def test_the_very_same_rule_is_refused(cast):
    made = propose(cast, "DE")
    approvals.approve(CountryRuleProposal, made.pk, actor=cast.administrator)
    with pytest.raises(WrongState):
        propose(cast, "DE")


def test_other_roles_and_other_brands_are_refused(cast):
    stranger = make_staff("far@x.example", Role.MLRO, brand=cast.other_brand)
    for actor in (cast.finance, cast.agent, cast.kyc_officer, cast.auditor, stranger):
        with pytest.raises(NotAllowed):
            propose(cast, "DE", actor=actor)
    made = propose(cast, "DE")
    for actor in (cast.finance, stranger):
        with pytest.raises(NotAllowed):
            approvals.approve(CountryRuleProposal, made.pk, actor=actor)
    assert not CountryRule.objects.exists()


def test_the_approver_reads_what_changes_for_each_gate(cast):
    made = propose(cast, "DE", "RU", accepted=["lead"])
    lines = {str(change.label): (change.after, change.before) for change in approvals.kind_of(type(made)).changes(made)}
    assert lines["Countries"] == ("Germany, Russia", None)
    assert lines["Risk band"] == ("Prohibited", "Standard risk, Prohibited")
    assert lines["Leads"] == ("accepted", "accepted, not accepted")
    assert lines["Withdrawals"] == ("not accepted", "accepted")
