"""Answered questionnaires as what a KYC level requires: reached, lost, and never required in vain."""

import datetime as dt
from dataclasses import replace

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from crm import due
from crm.errors import DomainError, WrongState
from crm.models import OutboxEvent
from kyc.levels import changes
from kyc.levels.ladder import Level
from kyc.levels.standing import standing_of
from kyc.questionnaires import edd, publishing
from kyc.questionnaires.models import EnhancedReview
from kyc.questionnaires.renewals import EXPIRED
from tests.kyc.levels.test_levels import level_of, put_in_force
from tests.kyc.questionnaires.factories import BEST, MIDDLING, acknowledged, answer, publish_draft, published

pytestmark = pytest.mark.django_db
ASKED = Level(1, requires=(("questionnaire_appropriateness",),), company_requires=(("register_extract",),))
PASSED = replace(ASKED, number=2, requires=(("appropriateness_passed",),), company_requires=(("proof_of_address",),))


def test_answers_reach_levels_and_a_new_version_takes_them(cast, browse):
    with pytest.raises(DomainError, match="No questionnaire of this type is published: Appropriateness test"):
        put_in_force(cast, (Level(0), ASKED, PASSED))
    made = published(cast, asked_at="request")
    put_in_force(cast, (Level(0), ASKED, PASSED))
    need = standing_of(cast.client).next_step
    assert need is not None and (need.label, need.step) == ("Appropriateness test completed", "portal_questionnaires")
    page = browse(cast.client_user).get(reverse("portal_questionnaires")).content.decode()
    assert reverse("portal_questionnaire", args=[made.pk]) in page  # nobody requested it, and the level needs it
    given = answer(cast.client, made, MIDDLING)
    assert level_of(cast.client) == 0
    acknowledged(given, cast.client)
    assert level_of(cast.client) == 1  # completed, not passed: there was a warning
    publish_draft(cast, made, asks_again=True)
    assert level_of(cast.client) == 0
    assert OutboxEvent.objects.get(name="kyc.level_lost").payload["level_before"] == 1
    answer(cast.client, made, BEST)
    assert level_of(cast.client) == 2
    assert [(move.before, move.after, move.clients) for move in changes.preview(cast.brand, (Level(0), ASKED))] == [
        (2, 1, 1)
    ]


def test_a_required_questionnaire_is_not_retired(cast):
    made = published(cast)
    put_in_force(cast, (Level(0), ASKED))
    with pytest.raises(WrongState, match="KYC level requires"):
        publishing.propose_retirement(questionnaire_id=made.pk, actor=cast.mlro, reason="Unused")
    published(cast, name="Another one")
    assert publishing.propose_retirement(questionnaire_id=made.pk, actor=cast.mlro, reason="Unused")


def test_answers_prove_nothing_once_they_expired(cast):
    made = published(cast, renew_months=12)
    put_in_force(cast, (Level(0), replace(PASSED, number=1)))
    with time_machine.travel(timezone.now() - dt.timedelta(days=366), tick=False):
        answer(cast.client, made, BEST)
    # PostgreSQL's clock isn't moved: the answers had expired when the level was computed, and the due row finds nothing more.
    assert due.sweep(kinds=[EXPIRED]) == 1
    assert level_of(cast.client) == 0
    answer(cast.client, made, BEST)
    assert level_of(cast.client) == 1


def test_an_enhanced_review_holds_the_level_until_cleared(cast):
    made = published(cast, "pep")
    put_in_force(cast, (Level(0), replace(ASKED, requires=(("questionnaire_pep",),))))
    answer(cast.client, made, {"q1": "yes", "q2": "no", "q3": "Minister", "q4": "DE", "q5": "2020-01-01"})
    assert level_of(cast.client) == 0
    edd.decide_review(
        review_id=EnhancedReview.objects.get().pk, actor=cast.mlro, outcome="cleared", reason="Salary explained"
    )
    assert level_of(cast.client) == 1
