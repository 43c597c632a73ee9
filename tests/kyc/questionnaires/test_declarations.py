"""What answers declare: kept with its time, read by rules, risk factors and compliance, and gone with the client's key."""

import copy
from decimal import Decimal

import pytest
from django.utils import timezone

from clients.declared import reading
from clients.models import Client, Declaration
from compliance.aml.vocabulary import POPULATION
from compliance.models import RiskAssessment
from compliance.risk_rating.rating import rate_clients
from crm import conditions
from crm.models import AccessEvent, SubjectKey
from kyc.questionnaires import drafts
from kyc.questionnaires.content import read
from kyc.questionnaires.declarations import declared_in, problems_in
from tests.kyc.questionnaires.factories import PLAIN_FUNDS, answer, drafted, publish_draft, published

pytestmark = pytest.mark.django_db
IN_DOLLARS = {**PLAIN_FUNDS, "q4": {"amount": "50000", "currency": "USD", "base": "46000.00"}, "q9": ["c2", "c6"]}


def held(client):
    return {
        row.fact: row.amount if row.amount is not None else row.codes
        for row in Declaration.objects.filter(client=client, until=None)
    }


def test_answers_are_kept_as_facts_until_others_are_given(cast):
    made = published(cast, "source_of_funds", retake_days=1)
    first = answer(cast.client, made, PLAIN_FUNDS)
    assert held(cast.client) == {
        "yearly_income": Decimal(40000),
        "net_worth": Decimal(200000),
        "expected_deposits": Decimal(10000),
        "source_of_funds": ["savings"],
        "occupation": ["retired"],
    }
    publish_draft(cast, _renamed(cast, made), asks_again=True)
    second = answer(cast.client, made, IN_DOLLARS)
    assert held(cast.client)["source_of_funds"] == ["savings", "third_party"]
    before, after = Declaration.objects.filter(client=cast.client, fact="yearly_income").order_by("given_at")
    assert (before.until, after.given_at, after.source) == (second.given_at, second.given_at, f"submission:{second.pk}")
    assert (after.amount, after.given_amount, after.given_currency) == (46000, 50000, "USD")
    assert before.source == f"submission:{first.pk}"
    lines = {line.label: line.text for line in reading.shown_to(cast.kyc_officer, cast.client)}
    assert "46,000" in lines["Yearly income"] and "50,000" in lines["Yearly income"]
    assert (
        lines["Source of funds"] == "Another person, Savings" or lines["Source of funds"] == "Savings, Another person"
    )
    seen = AccessEvent.objects.filter(user=cast.kyc_officer, target=f"clients.declarations:{cast.client.pk}")
    assert seen.count() == 1
    SubjectKey.objects.filter(client_id=cast.client.pk).update(wrapped=None, destroyed_at=timezone.now())
    assert not Declaration.objects.filter(client=cast.client).exists()


def _renamed(cast, made):
    data, revision = drafts.edited_content(made)
    drafts.save_draft(
        questionnaire_id=made.pk,
        data={**copy.deepcopy(data), "intro": {"en": "Again"}},
        revision=revision,
        actor=cast.mlro,
    )
    return made


def test_conditions_and_the_risk_model_read_what_is_declared(cast):
    answer(cast.client, published(cast, "source_of_funds"), {**PLAIN_FUNDS, "q9": ["c5"]})
    answer(
        cast.client,
        published(cast, "pep"),
        {"q1": "no", "q2": "yes", "q3": "Judge", "q4": "DE", "q5": "2020-01-01", "q6": "Aunt"},
    )
    assert held(cast.client)["pep"] == ["close"]
    for part, meets in (
        ({"field": "declared.yearly_income", "is": "ge", "value": "40000"}, True),
        ({"field": "declared.net_worth", "is": "lt", "value": "200000"}, False),
        ({"field": "declared.source_of_funds", "is": "has", "value": ["loan"]}, True),
        ({"not": {"field": "declared.pep", "is": "has", "value": ["own"]}}, True),
        ({"field": "declared.occupation", "is": "empty"}, False),
    ):
        condition = conditions.read({"version": 1, "all": [part]}, POPULATION)
        now = cast.client.created_at
        assert Client.objects.filter(condition.q(now), pk=cast.client.pk).exists() is meets, part
        assert condition.holds(cast.client, now) is meets, part
    rate_clients(cast.brand, [cast.client.pk], now=timezone.now())
    rated = RiskAssessment.objects.get(client=cast.client, is_current=True)
    assert rated.rating == "high" and {"pep_declared", "others_money"} <= set(rated.factors)


def test_bands_stand_for_their_upper_end(cast, browse):
    made = drafted(cast, "other")
    data, revision = drafts.edited_content(made)
    data = {
        **copy.deepcopy(data),
        "title": {"en": "Means"},
        "sections": [{"id": "s1", "title": {"en": "Means"}, "questions": []}],
        "outcomes": [{"id": "o1", "title": {"en": "Received"}}],
    }
    drafts.save_draft(questionnaire_id=made.pk, data=data, revision=revision, actor=cast.mlro)
    browser, page = browse(cast.mlro), f"/kyc/questionnaires/{made.pk}/"
    revision = drafts.edited_content(made)[1]
    first = browser.post(
        f"{page}edit/question/new/?section=s1&type=single",
        {
            "revision": revision,
            "text_en": "Income?",
            "is_required": "on",
            "declares": "yearly_income",
            "choice-0-en": "Below 50,000",
            "choice-1-en": "More",
        },
    )
    assert first.status_code == 302, first.text
    data, revision = drafts.edited_content(made)
    question = data["sections"][0]["questions"][0]
    assert list(problems_in(read(data))) == ["“Income?”: only one answer can be without an upper limit."]
    edit = f"{page}edit/question/{question['id']}/"
    assert "choice-0-up_to" in browser.get(edit).text
    sent = {
        "revision": revision,
        "text_en": "Income?",
        "is_required": "on",
        "declares": "yearly_income",
        "choice-0-en": "Below 50,000",
        "choice-0-up_to": "50000",
        "choice-1-en": "More",
    }
    assert browser.post(edit, sent).status_code == 302
    content = read(drafts.edited_content(made)[0])
    assert list(problems_in(content)) == []
    low, high = (declared_in(content, {question["id"]: choice.id}) for choice in next(content.questions()).choices)
    assert [found["yearly_income"].amount for found in (low, high)] == [Decimal(50000), Decimal(10) ** 12]
    assert declared_in(content, {}) == {"yearly_income": None}
    assert "Declares: Yearly income" in browser.get(page).text
