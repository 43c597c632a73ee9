"""Answering a questionnaire: scored, sealed under the client's key, never changed, and erased with the key."""

import datetime as dt

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, SubjectKey
from kyc.questionnaires import obligations, submissions
from kyc.questionnaires.content import read
from kyc.questionnaires.models import AnswersDraft, Submission, WarningAcknowledgement
from kyc.questionnaires.obligations import State
from kyc.questionnaires.scoring import result_of
from tests.kyc.questionnaires.factories import BEST, MIDDLING, WORST, acknowledged, answer, drafted, published
from tests.outbox import published as events

pytestmark = pytest.mark.django_db


def state_of(client, made):
    client.brand.refresh_from_db()
    return next(row.state for row in obligations.standings_of(client).rows if row.published.questionnaire_id == made.pk)


@pytest.mark.parametrize(
    ("answers", "score", "outcome"),
    [(BEST, 43, "appropriate"), (MIDDLING, 15, "warning"), (WORST, 0, "not_appropriate")],
)
def test_shipped_test_scores_in_bands(cast, answers, score, outcome):
    content = read(drafted(cast).draft.content)
    result = result_of(content, answers)
    assert (result.score, result.outcome.id) == (score, outcome)


def test_band_begins_at_its_score(cast):
    content = read(drafted(cast).draft.content)
    just = {**WORST, "q7": "c2", "q8": "c3", "q9": "c2", "q10": "c2"}
    assert (result_of(content, just).score, result_of(content, just).outcome.id) == (12, "warning")
    below = {**just, "q10": "c3", "q1": "c3"}
    assert (result_of(content, below).score, result_of(content, below).outcome.id) == (11, "not_appropriate")


def test_submission_is_sealed_and_tells_no_answer(cast):
    made = published(cast)
    given = answer(cast.client, made, WORST)
    assert (given.score, given.score_max, given.outcome) == (0, 37, "not_appropriate")
    assert given.answers == WORST
    assert b"c4" not in bytes(given.answers_sealed)
    event = events("kyc.questionnaire_answered")[-1]
    assert event.data["outcome"] == "not_appropriate"
    assert "q1" not in str(event.data)
    assert not AnswersDraft.objects.exists()
    assert AuditEvent.objects.filter(action="kyc.answers_given", client_id=cast.client.pk).exists()


def test_erased_key_takes_the_answers_away(cast):
    given = answer(cast.client, published(cast), BEST)
    SubjectKey.objects.filter(client_id=cast.client.pk).update(wrapped=None, destroyed_at=timezone.now())
    given.refresh_from_db()
    assert given.answers == {}
    assert given.outcome == "appropriate"


@pytest.mark.parametrize("table", ["submission", "questionnaireversion", "warningacknowledgement"])
def test_rows_are_never_changed(cast, table):
    given = answer(cast.client, published(cast), WORST)
    acknowledged(given, cast.client)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(f"DELETE FROM kyc_{table}")


def test_only_the_client_answers(cast):
    made = published(cast)
    for actor in (cast.mlro, cast.other_client_user):
        with pytest.raises(NotAllowed):
            submissions.keep_answers(client_id=cast.client.pk, questionnaire_id=made.pk, answers=BEST, actor=actor)
    assert not AnswersDraft.objects.exists()


def test_missing_answer_is_refused(cast):
    made = published(cast)
    incomplete = {name: value for name, value in BEST.items() if name != "q13"}
    with pytest.raises(DomainError) as refused:
        answer(cast.client, made, incomplete)
    assert refused.value.code == "incomplete"
    assert not Submission.objects.exists()


def test_answer_to_a_hidden_question_is_dropped(cast):
    made = published(cast)
    given = answer(cast.client, made, {**WORST, "q3": ["c1"], "q4": "c3"})
    assert "q4" not in given.answers
    assert given.score == 1


def test_answering_twice_needs_its_time(cast):
    made = published(cast, retake_days=7)
    answer(cast.client, made, WORST)
    with pytest.raises(WrongState, match="already completed"):
        answer(cast.client, made, BEST)
    with time_machine.travel(timezone.now() + dt.timedelta(days=7, seconds=1), tick=False):
        assert answer(cast.client, made, BEST).outcome == "appropriate"
    assert Submission.objects.count() == 2


def test_warning_is_acknowledged_in_its_very_words(cast):
    made = published(cast)
    given = answer(cast.client, made, MIDDLING)
    assert state_of(cast.client, made) == State.WARNING
    with pytest.raises(DomainError, match="read the warning again"):
        submissions.acknowledge(
            submission_id=given.pk, shown_sha256=submissions.hash_of("other words"), actor=cast.client_user
        )
    with pytest.raises(DomainError, match="Tick the box"):
        submissions.acknowledge(submission_id=given.pk, shown_sha256="", actor=cast.client_user)
    acknowledged(given, cast.client)
    acknowledged(given, cast.client)
    assert WarningAcknowledgement.objects.count() == 1
    assert state_of(cast.client, made) == State.DONE


def test_answers_expire_and_the_client_is_reminded(cast):
    from crm import due

    made = published(cast, renew_months=12)
    answer(cast.client, made, BEST)
    row = DueRow.objects.get(kind="kyc.answers_expire", state="pending")
    with time_machine.travel(row.at + dt.timedelta(seconds=1), tick=False):
        due.sweep()
        assert cast.client.messages.filter(template="kyc.answers_expire").count() == 1
        assert state_of(cast.client, made) == State.DONE
    with time_machine.travel(timezone.now() + dt.timedelta(days=367), tick=False):
        assert state_of(cast.client, made) == State.DUE


def test_colleague_asks_again_and_takes_it_back(cast):
    made = published(cast)
    answer(cast.client, made, BEST)
    submissions.request_answers(
        client_id=cast.client.pk, questionnaire_id=made.pk, actor=cast.kyc_officer, reason="Doubts"
    )
    assert state_of(cast.client, made) == State.DUE
    with pytest.raises(WrongState):
        submissions.request_answers(
            client_id=cast.client.pk, questionnaire_id=made.pk, actor=cast.kyc_officer, reason="Again"
        )
    submissions.withdraw_request(
        client_id=cast.client.pk, questionnaire_id=made.pk, actor=cast.kyc_officer, reason="Mistake"
    )
    assert state_of(cast.client, made) == State.DONE
    with pytest.raises(NotAllowed):
        submissions.request_answers(
            client_id=cast.client.pk, questionnaire_id=made.pk, actor=cast.agent, reason="Curious"
        )
