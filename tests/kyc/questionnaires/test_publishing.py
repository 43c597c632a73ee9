"""Writing and publishing: drafts with a revision, what keeps one from being published, versions, and the end."""

import copy

import pytest

from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from kyc.questionnaires import content, drafts, editing, obligations, publishing
from kyc.questionnaires.choices import QuestionnaireKind
from kyc.questionnaires.models import QuestionnaireDraft, QuestionnaireProposal, QuestionnaireVersion
from kyc.questionnaires.scoring import asked_questions
from tests.kyc.questionnaires.factories import BEST, answer, drafted, publish_draft, published, second_mlro

pytestmark = pytest.mark.django_db
SHIPPED = [kind for kind in QuestionnaireKind.values if kind != "other"]


@pytest.mark.parametrize("kind", SHIPPED)
def test_each_shipped_one_can_be_published_in_two_languages(kind):
    found = content.read(drafts.shipped_content(kind))
    assert publishing.problems_of(found, ["en", "de"]) == []


def test_version_needs_a_second_person_and_is_then_asked(cast):
    made = drafted(cast)
    asked = publishing.propose_version(questionnaire_id=made.pk, revision=1, actor=cast.mlro, reason="New")
    with pytest.raises(NotAllowed):
        approvals.approve(QuestionnaireProposal, asked.pk, actor=cast.mlro)
    assert not QuestionnaireVersion.objects.exists()
    approvals.approve(QuestionnaireProposal, asked.pk, actor=second_mlro(cast.brand))
    version = QuestionnaireVersion.objects.get()
    assert (version.number, version.published_by, version.approved_by.username) == (
        1,
        cast.mlro,
        "second.mlro@keelson.example",
    )
    assert not QuestionnaireDraft.objects.exists()
    cast.brand.refresh_from_db()
    assert [entry.kind for entry in obligations.published_of(cast.brand)] == ["appropriateness"]


def test_other_roles_write_nothing(cast):
    for actor in (cast.agent, cast.finance, cast.administrator):
        with pytest.raises(NotAllowed):
            drafts.create_questionnaire(brand_id=cast.brand.pk, kind="pep", name="PEP", actor=actor)


def test_colleagues_change_is_not_written_over(cast):
    made = drafted(cast)
    data, revision = drafts.edited_content(made)
    drafts.save_draft(questionnaire_id=made.pk, data=data, revision=revision, actor=cast.kyc_officer)
    with pytest.raises(WrongState, match="A colleague changed"):
        drafts.save_draft(questionnaire_id=made.pk, data=data, revision=revision, actor=cast.mlro)
    with pytest.raises(WrongState):
        publishing.propose_version(questionnaire_id=made.pk, revision=revision, actor=cast.mlro, reason="Late")


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda data: data["title"].pop("en"), "no text in: en"),
        (lambda data: data["sections"].clear(), "no questions"),
        (lambda data: data["outcomes"].pop(), "must apply without a score"),
        (lambda data: data["outcomes"].insert(0, {"id": "x", "title": {"en": "X", "de": "X"}}), "never reached"),
        (lambda data: data["sections"].reverse(), "Condition of"),
        (lambda data: data["sections"][0]["questions"][0]["choices"].clear(), "at least two answers"),
        (
            lambda data: data["settings"].update(audience={"version": 1, "all": [{"field": "no", "is": "in"}]}),
            "Who is asked",
        ),
    ],
)
def test_incomplete_draft_names_its_problem(cast, break_it, words):
    data = copy.deepcopy(drafts.shipped_content("pep"))
    break_it(data)
    found = publishing.problems_of(content.read(data), ["en"])
    assert any(words in problem for problem in found), found


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {"version": 2},
        {"version": 1, "sections": {}},
        {"version": 1, "sections": [{"id": "s1"}] * 13},
        {"version": 1, "sections": [{"id": "s1"}, {"id": "s1"}]},
        {"version": 1, "sections": [{"id": "S 1"}]},
        {"version": 1, "title": {"en": "x" * 301}},
        {"version": 1, "title": {"en": 3}},
        {"version": 1, "title": {"en": "\x00"}},
        {"version": 1, "outcomes": [{"id": "o1", "leverage_max": True}]},
        {"version": 1, "sections": [{"id": "s1", "questions": [{"id": "q1", "type": "video"}]}]},
        {
            "version": 1,
            "sections": [{"id": "s1", "questions": [{"id": "q1", "type": "number", "minimum": "1e999999"}]}],
        },
    ],
)
def test_content_of_another_shape_is_refused(bad):
    with pytest.raises(DomainError):
        content.read(bad)


def test_second_version_keeps_answers_unless_it_asks_again(cast):
    made = published(cast)
    given = answer(cast.client, made, BEST)
    data, _revision = drafts.edited_content(made)
    for number, (asks_again, state) in enumerate([(False, "done"), (True, "due")]):
        changed = {**copy.deepcopy(data), "title": {"en": f"Title {number}", "de": f"Titel {number}"}}
        drafts.save_draft(questionnaire_id=made.pk, data=changed, revision=0, actor=cast.mlro)
        publish_draft(cast, made, asks_again=asks_again)
        assert [row.state for row in obligations.standings_of(cast.client).rows] == [state]
    given.refresh_from_db()
    assert given.version.number == 1


def test_ended_questionnaire_is_asked_of_nobody(cast):
    made = published(cast)
    asked = publishing.propose_retirement(questionnaire_id=made.pk, actor=cast.mlro, reason="Replaced")
    approvals.approve(QuestionnaireProposal, asked.pk, actor=second_mlro(cast.brand))
    cast.client.brand.refresh_from_db()
    assert obligations.standings_of(cast.client).rows == ()
    with pytest.raises(WrongState):
        publishing.propose_retirement(questionnaire_id=made.pk, actor=cast.mlro, reason="Again")


# ── editing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_question_moves_across_sections():
    data = drafts.shipped_content("pep")
    down = editing.move(data, "question", "q2", up=False)
    assert [[q["id"] for q in section["questions"]] for section in down["sections"]] == [
        ["q1"],
        ["q2", "q3", "q4", "q5", "q6"],
    ]
    assert editing.move(down, "question", "q2", up=True) == data
    assert editing.move(data, "question", "q1", up=True) == data


def test_id_of_a_removed_part_is_not_given_again():
    data = drafts.shipped_content("pep")
    added, first = editing.put(data, "question", {"type": "text"}, section_id="s2")
    added, second = editing.put(editing.remove(added, "question", first), "question", {"type": "date"}, section_id="s2")
    assert first != second


def test_new_outcome_comes_before_the_one_for_all_others():
    data, made = editing.put(drafts.shipped_content("pep"), "outcome", {"title": {"en": "New"}})
    assert [outcome["id"] for outcome in data["outcomes"]] == ["pep", made, "not_pep"]


def test_conditions_see_only_answers_that_are_asked():
    found = content.read(drafts.shipped_content("tax"))
    shown = {question.id for question in asked_questions(found, {"q1": "no", "q2": "yes"})}
    assert "q3" in shown
    shown = {question.id for question in asked_questions(found, {"q1": "yes", "q2": "yes"})}
    assert not {"q2", "q3"} & shown
