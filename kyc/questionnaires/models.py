"""Questionnaires of a brand with their drafts and versions, and what clients answered.

Answers are kept under the client's own key. Only the score, the outcome and what follows from it stand in plain columns.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from clients.models import Client
from crm.db.states import HasState
from crm.models import Brand, User, WorkItem
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from crm.security import crypto
from kyc.questionnaires.choices import REVIEW_TRANSITIONS, QuestionnaireKind, ReviewState


def opened(client_id: int, sealed: bytes | memoryview | None) -> dict[str, Any]:
    """Decrypt answers; {} after the client's erasure."""
    if not sealed:
        return {}
    try:
        answers: dict[str, Any] = orjson.loads(crypto.decrypt_for_client(client_id, bytes(sealed)))
        return answers
    except crypto.KeyDestroyed:
        return {}


def sealed(client_id: int, answers: dict[str, Any]) -> bytes:
    """Encrypt answers under the client's key."""
    return crypto.encrypt_for_client(client_id, orjson.dumps(answers))


class Questionnaire(models.Model):
    """One questionnaire of a brand. What it asks is in its versions; the newest one counts."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="questionnaires", db_index=False)
    kind = models.CharField(max_length=16, choices=QuestionnaireKind.choices)
    name = models.CharField(max_length=80, help_text="For colleagues")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["brand_id", "name", "id"]
        permissions = [
            ("manage_questionnaires", "May write questionnaires and propose and approve their versions"),
            ("view_answers", "May read what clients answered; every reading is logged"),
            ("request_answers", "May ask a client for a questionnaire"),
            ("decide_edd", "May decide enhanced due diligence reviews"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["brand", "name"], name="questionnaire_name_is_unique_at_its_brand"),
            models.CheckConstraint(condition=~Q(name=""), name="questionnaire_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/kyc/questionnaires/{self.pk}/"


class QuestionnaireDraft(models.Model):
    """What somebody is writing. `revision` counts up, so that no one writes over a colleague's change unseen."""

    questionnaire = models.OneToOneField(Questionnaire, on_delete=models.CASCADE, related_name="draft")
    content = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Draft of {self.questionnaire_id}"


class QuestionnaireProposal(ApprovalMixin):
    """A version that waits for a second person. `is_retired`: from then on it is asked of no one."""

    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="proposals", db_index=False)
    content = models.JSONField(default=dict)
    is_retired = models.BooleanField(default=False)
    asks_again = models.BooleanField(default=False, help_text="Answers to earlier versions no longer count")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["questionnaire", "-id"], name="questionnaire_proposals")]
        constraints = [
            *ApprovalMixin.constraints("questionnaire_proposal"),
            ApprovalMixin.one_open("questionnaire", name="one_open_proposal_per_questionnaire"),
        ]

    def __str__(self) -> str:
        return f"Proposal {self.pk} for {self.questionnaire_id}"


class QuestionnaireVersion(models.Model):
    """A published version. None is ever changed: answers refer to the one they were given to."""

    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    content = models.JSONField(default=dict)
    is_retired = models.BooleanField(default=False)
    asks_again = models.BooleanField(default=False)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    published_at = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        triggers = append_only("questionnaire_version")
        constraints = [
            models.UniqueConstraint(fields=["questionnaire", "number"], name="questionnaire_versions_count_up"),
            models.CheckConstraint(condition=~Q(reason=""), name="questionnaire_version_has_a_reason"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("published_by")),
                name="questionnaire_version_is_approved_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(is_retired=True, content={}) | (Q(is_retired=False) & ~Q(content={})),
                name="retired_questionnaire_version_asks_nothing",
            ),
        ]

    def __str__(self) -> str:
        return f"Version {self.number} of {self.questionnaire_id}"


class AnswersDraft(models.Model):
    """What a client has typed so far."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="+", db_index=False)
    answers_sealed = models.BinaryField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "questionnaire"], name="one_draft_of_answers_per_questionnaire")
        ]

    def __str__(self) -> str:
        return f"Answers of client {self.client_id}"

    @property
    def answers(self) -> dict[str, Any]:
        return opened(self.client_id, self.answers_sealed)


class Submission(models.Model):
    """What a client answered, once and for all: another submission takes its place, nothing changes it.

    `outcome` is the id of the version's outcome; the columns after it are what that outcome set on that day.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="submissions", db_index=False)
    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="submissions")
    version = models.ForeignKey(QuestionnaireVersion, on_delete=models.PROTECT, related_name="submissions")
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    given_at = models.DateTimeField()
    language = models.CharField(max_length=10)
    ip = models.GenericIPAddressField(null=True)
    answers_sealed = models.BinaryField()
    score = models.IntegerField()
    score_max = models.IntegerField()
    outcome = models.CharField(max_length=31)
    needs_acknowledgement = models.BooleanField(default=False)
    cooling_off_until = models.DateTimeField(null=True)
    leverage_max = models.PositiveIntegerField(null=True)
    account_kinds = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    valid_until = models.DateTimeField(null=True, help_text="Empty: until something asks for it again")

    class Meta:
        ordering = ["-id"]
        triggers = append_only("submission", erased={"ip": "NULL"})
        indexes = [models.Index(fields=["client", "questionnaire", "-id"], name="submissions_of_a_client")]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("given_at")),
                name="submission_is_valid_after_it_was_given",
            ),
            models.CheckConstraint(
                condition=Q(leverage_max__isnull=True) | Q(leverage_max__gte=1), name="submission_leverage_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"Submission {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/kyc/answers/{self.pk}/"

    @property
    def answers(self) -> dict[str, Any]:
        return opened(self.client_id, self.answers_sealed)


class WarningAcknowledgement(models.Model):
    """A client confirmed that they read the warning of an outcome; the words are those of the version, in `language`."""

    submission = models.OneToOneField(Submission, on_delete=models.PROTECT, related_name="acknowledgement")
    acknowledged_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    acknowledged_at = models.DateTimeField()
    language = models.CharField(max_length=10)
    sha256 = models.CharField(max_length=64, help_text="Of the warning as it was shown, in UTF-8")
    ip = models.GenericIPAddressField(null=True)

    class Meta:
        triggers = append_only(
            "warning_acknowledgement",
            erased={"ip": "NULL"},
            client="(SELECT s.client_id FROM kyc_submission s WHERE s.id = OLD.submission_id)",
        )

    def __str__(self) -> str:
        return f"Acknowledgement of {self.submission_id}"


class AnswersRequest(models.Model):
    """A colleague asked a client for a questionnaire, or took that back; the newest row counts."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="+", db_index=False)
    is_withdrawn = models.BooleanField(default=False)
    reason = models.CharField(max_length=300)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = append_only("answers_request")
        indexes = [models.Index(fields=["client", "questionnaire", "-id"], name="answers_requested")]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="answers_request_has_a_reason")]

    def __str__(self) -> str:
        return f"Request {self.pk}"


class EnhancedReview(HasState):
    """Enhanced due diligence that a submission called for; the officer's reason is in its work item."""

    TRANSITIONS = {"state": REVIEW_TRANSITIONS}

    submission = models.OneToOneField(Submission, on_delete=models.PROTECT, related_name="review")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=ReviewState.choices, default=ReviewState.OPEN)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="enhanced_review")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], name="open_enhanced_reviews", condition=Q(state="open"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state="open") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="enhanced_review_is_decided_by_a_person",
            )
        ]

    def __str__(self) -> str:
        return f"Enhanced review {self.pk}"

    def get_absolute_url(self) -> str:
        return self.submission.get_absolute_url()
