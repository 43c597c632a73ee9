"""What follows from a case: questionnaires and documents that the client was asked for, and tasks of the officers."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.aml.models import AmlCase
from crm.choices import BadgeChoices
from crm.models import User


class RequestStanding(BadgeChoices):
    """How a request stands; read from its days."""

    OPEN = "open", "yellow", _("Requested")
    OVERDUE = "overdue", "red", _("Overdue")
    ANSWERED = "answered", "green", _("Answered")
    RECEIVED = "received", "green", _("Received")
    LAPSED = "lapsed", "red", _("Not received")
    WITHDRAWN = "withdrawn", "secondary", pgettext_lazy("request for a document", "Withdrawn")

    @property
    def is_open(self) -> bool:
        return self in (RequestStanding.OPEN, RequestStanding.OVERDUE)

    @property
    def tone(self) -> str:
        return {"yellow": "warning", "red": "danger", "green": "success"}.get(self.colour, "neutral")


class CaseRequest(models.Model):
    """A questionnaire or a document that the client was asked for from a case, by its id in KYC.

    A questionnaire is answered by the next submission, a document by the one that KYC names as the request's answer.
    """

    case = models.ForeignKey(AmlCase, on_delete=models.PROTECT, related_name="requests")
    questionnaire_id = models.BigIntegerField(null=True)
    document_request_id = models.BigIntegerField(null=True, unique=True)
    name = models.CharField(max_length=200)
    due_on = models.DateField()
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    submission_id = models.BigIntegerField(null=True)
    document_id = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "questionnaire_id"],
                condition=Q(answered_at__isnull=True),
                name="one_open_case_request_per_questionnaire",
            ),
            models.CheckConstraint(
                condition=Q(questionnaire_id__isnull=True) ^ Q(document_request_id__isnull=True),
                name="case_request_is_for_answers_or_a_document",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, submission_id__isnull=True, document_id__isnull=True)
                | Q(answered_at__isnull=False, questionnaire_id__isnull=False, submission_id__isnull=False)
                | Q(answered_at__isnull=False, document_request_id__isnull=False, document_id__isnull=False),
                name="answered_case_request_has_its_answer",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def standing(self, today: dt.date, document_state: str = "") -> RequestStanding:
        """Tell how the request stands on a day of the brand; that for a document with its state in KYC."""
        if self.answered_at is not None:
            return RequestStanding.RECEIVED if self.document_request_id else RequestStanding.ANSWERED
        if document_state in (RequestStanding.LAPSED, RequestStanding.WITHDRAWN):
            return RequestStanding(document_state)
        return RequestStanding.OVERDUE if self.due_on < today else RequestStanding.OPEN


class CaseTask(models.Model):
    """Something that an officer has to do about a case until a day."""

    case = models.ForeignKey(AmlCase, on_delete=models.PROTECT, related_name="tasks")
    text = models.CharField(max_length=300)
    due_on = models.DateField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    done_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["due_on", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="case_task_says_what"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
                name="done_case_task_says_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return self.text
