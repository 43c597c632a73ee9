"""A document that an officer asked a client for, while reviewing another one or without one."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from clients.models import Client
from crm.db.states import HasState
from crm.i18n.localized_text import LocalizedText, joined, label_of
from crm.models import User
from kyc.choices import REQUEST_TRANSITIONS, DocumentKind, RejectReason, RequestState, Side
from kyc.models.documents import Document


class DocumentRequest(HasState):
    """Which document, why and until when. `document` is the one under review, if any, which waits until this has an end."""

    TRANSITIONS = {"state": REQUEST_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="document_requests", db_index=False)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, related_name="requests", db_index=False)
    kind = models.CharField(max_length=20, choices=DocumentKind.choices)
    side = models.CharField(max_length=6, choices=Side.choices, blank=True, help_text="Empty: whichever it has")
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.OPEN)
    reason_code = models.CharField(
        max_length=20, choices=RejectReason.choices, blank=True, help_text="What was wrong with the one under review"
    )
    message = models.TextField(help_text="What the client reads, in their language")
    due_on = models.DateField()
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    answer = models.ForeignKey(
        Document, on_delete=models.PROTECT, null=True, related_name="answered_requests", db_index=False
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["client", "-id"], name="document_requests_of_a_client"),
            models.Index(fields=["document"], name="document_requests_open", condition=Q(state="open")),
            models.Index(fields=["answer"], name="document_requests_answered", condition=Q(answer__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "kind", "side"], condition=Q(state="open"), name="a_document_is_requested_once"
            ),
            models.CheckConstraint(condition=~Q(message=""), name="document_request_says_why"),
            models.CheckConstraint(
                condition=Q(document__isnull=True, reason_code="") | Q(document__isnull=False) & ~Q(reason_code=""),
                name="document_request_of_a_review_has_its_reason",
            ),
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True) | ~Q(state="open") & Q(ended_at__isnull=False),
                name="ended_document_request_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="answered", answer__isnull=False) | ~Q(state="answered") & Q(answer__isnull=True),
                name="answered_document_request_has_a_document",
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    @property
    def title(self) -> LocalizedText:
        """The kind and, where one was asked for, the side."""
        kind: LocalizedText = label_of(self, "kind")
        return joined([kind, joined(["(", label_of(self, "side"), ")"], "")], " ") if self.side else kind

    @property
    def is_open(self) -> bool:
        return self.state == RequestState.OPEN
