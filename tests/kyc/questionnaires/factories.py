"""Published questionnaires and given answers, by the verbs that make them."""

from __future__ import annotations

import copy
from typing import Any

from clients.models import Client
from crm import approvals
from crm.choices import Role
from crm.models import Brand, User
from kyc.questionnaires import drafts, publishing, submissions
from kyc.questionnaires.models import Questionnaire, QuestionnaireProposal, Submission
from tests.cast import make_staff

# Answers that score most, per shipped questionnaire.
BEST: dict[str, Any] = {
    "q1": "c4",
    "q2": "c3",
    "q3": ["c1", "c2", "c3"],
    "q4": "c3",
    "q5": "c3",
    "q6": "yes",
    "q7": "c2",
    "q8": "c3",
    "q9": "c2",
    "q10": "c2",
    "q11": "c2",
    "q12": "c2",
    "q13": "c2",
}
MIDDLING: dict[str, Any] = {**BEST, "q1": "c2", "q2": "c1", "q3": ["c1"], "q10": "c1", "q11": "c1", "q12": "c1"}
WORST: dict[str, Any] = {
    "q1": "c1",
    "q2": "c1",
    "q6": "no",
    "q7": "c4",
    "q8": "c4",
    "q9": "c4",
    "q10": "c3",
    "q11": "c3",
    "q12": "c3",
    "q13": "c4",
}
PLAIN_FUNDS: dict[str, Any] = {
    "q1": "c3",
    "q4": {"amount": "40000", "currency": "EUR", "base": "40000.00"},
    "q5": {"amount": "200000", "currency": "EUR", "base": "200000.00"},
    "q6": ["c1"],
    "q8": {"amount": "10000", "currency": "EUR", "base": "10000.00"},
    "q9": ["c2"],
    "q10": True,
}


def second_mlro(brand: Brand) -> User:
    known = User.objects.filter(username="second.mlro@keelson.example").first()
    return known or make_staff("second.mlro@keelson.example", Role.MLRO, brand=brand)


def drafted(cast: Any, kind: str = "appropriateness", name: str = "", **settings: Any) -> Questionnaire:
    """A draft of a shipped questionnaire, with other settings."""
    made = drafts.create_questionnaire(brand_id=cast.brand.pk, kind=kind, name=name or kind, actor=cast.mlro)
    if settings:
        data, revision = drafts.edited_content(made)
        data = copy.deepcopy(data)
        data["settings"] |= settings
        drafts.save_draft(questionnaire_id=made.pk, data=data, revision=revision, actor=cast.mlro)
    return made


def publish_draft(cast: Any, made: Questionnaire, **how: Any) -> Questionnaire:
    _data, revision = drafts.edited_content(made)
    asked = publishing.propose_version(
        questionnaire_id=made.pk, revision=revision, actor=cast.mlro, reason="New rules", **how
    )
    approvals.approve(QuestionnaireProposal, asked.pk, actor=second_mlro(cast.brand))
    for row in (cast.brand, cast.client.brand):
        row.refresh_from_db(fields=["questionnaires_version"])
    return made


def published(cast: Any, kind: str = "appropriateness", name: str = "", **settings: Any) -> Questionnaire:
    return publish_draft(cast, drafted(cast, kind, name, **settings))


def answer(client: Client, made: Questionnaire, answers: dict[str, Any]) -> Submission:
    """Have the client type and submit answers."""
    assert client.user is not None
    fresh = Client.objects.select_related("brand", "user").get(pk=client.pk)
    version = made.versions.order_by("-number").first()
    assert version is not None
    submissions.keep_answers(client_id=fresh.pk, questionnaire_id=made.pk, answers=answers, actor=fresh.user)
    return submissions.submit(client_id=fresh.pk, questionnaire_id=made.pk, version_id=version.pk, actor=client.user)


def acknowledged(submission: Submission, client: Client) -> None:
    """Have the client confirm the warning of their answers."""
    from kyc.questionnaires.content import read

    assert client.user is not None
    text = submissions.warning_text(read(submission.version.content), submission.outcome)
    submissions.acknowledge(submission_id=submission.pk, shown_sha256=submissions.hash_of(text), actor=client.user)
