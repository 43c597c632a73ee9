"""What clients asked for, what was decided, and why: the newest decision is the client's category, and nothing else sets it."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from clients.choices import Category
from clients.models import Client
from crm.db.states import HasState
from crm.models import TextWording, User, WorkItem
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from kyc.categories.choices import REQUEST_TRANSITIONS, Basis, Criterion, RequestState
from kyc.questionnaires.models import opened


class CategoryRequest(HasState):
    """A client asks to be treated as a professional: the criteria they claim, and the warning that they read.

    `figures` is what we counted ourselves on that day; `statement_sealed` the client's own words under their key.
    """

    TRANSITIONS = {"state": REQUEST_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="category_requests", db_index=False)
    state = models.CharField(max_length=9, choices=RequestState.choices, default=RequestState.OPEN)
    wanted = models.CharField(max_length=12, choices=Category.choices, default=Category.PROFESSIONAL)
    criteria = ArrayField(models.CharField(max_length=10, choices=Criterion.choices))
    figures = models.JSONField(default=dict)
    statement_sealed = models.BinaryField()
    warning = models.ForeignKey(TextWording, on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="category_request")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True, help_text="Why it was declined, as the client reads it")

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("view_category", "May see client categories, their history and requests"),
            ("propose_category", "May propose a client's category and decline requests"),
            ("decide_category", "May approve a client's category as the second person"),
        ]
        indexes = [models.Index(fields=["client", "-id"], name="category_requests_of_a_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(state="open"), name="one_open_category_request_per_client"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True) | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="decided_category_request_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(answer=""), name="declined_category_request_has_an_answer"
            ),
            models.CheckConstraint(condition=Q(criteria__len__gte=2), name="category_request_claims_two_criteria"),
        ]

    def __str__(self) -> str:
        return f"Category request {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/kyc/categories/{self.pk}/"

    @property
    def statement(self) -> dict[str, Any]:
        """The client's own words by criterion; {} after an erasure."""
        return opened(self.client_id, self.statement_sealed)

    @property
    def criteria_labels(self) -> list[str]:
        return [str(Criterion(code).label) for code in self.criteria]


class CategoryEvidence(models.Model):
    """A document that a client attached to a criterion."""

    request = models.ForeignKey(CategoryRequest, on_delete=models.PROTECT, related_name="evidence")
    criterion = models.CharField(max_length=10, choices=Criterion.choices)
    document = models.ForeignKey("kyc.Document", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["criterion", "id"]
        triggers = append_only("category_evidence")
        constraints = [
            models.UniqueConstraint(
                fields=["request", "criterion", "document"], name="a_document_is_evidence_once_per_criterion"
            )
        ]

    def __str__(self) -> str:
        return f"Document {self.document_id} for {self.criterion}"


class CategoryProposal(ApprovalMixin):
    """A colleague proposes a client's category; somebody else decides."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="category_proposals", db_index=False)
    category = models.CharField(max_length=12, choices=Category.choices)
    basis = models.CharField(max_length=10, choices=Basis.choices)
    request = models.ForeignKey(
        CategoryRequest, on_delete=models.PROTECT, null=True, related_name="proposals", db_index=False
    )

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["client", "-id"], name="category_proposals_of_a_client")]
        constraints = [
            *ApprovalMixin.constraints("category_proposal"),
            ApprovalMixin.one_open("client", name="one_open_category_proposal_per_client"),
        ]

    def __str__(self) -> str:
        return f"Category proposal {self.pk}"


class CategoryDecision(models.Model):
    """A client's category from `decided_at` on, until the next row. A trigger holds that the client's row says the same."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="category_decisions", db_index=False)
    category = models.CharField(max_length=12, choices=Category.choices)
    basis = models.CharField(max_length=10, choices=Basis.choices)
    reason = models.CharField(max_length=300)
    request = models.ForeignKey(CategoryRequest, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = append_only("category_decision")
        indexes = [models.Index(fields=["client", "-id"], name="category_decisions_of_a_client")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="category_decision_has_a_reason"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("decided_by")),
                name="category_decision_is_approved_by_somebody_else",
            ),
            # More protection needs nobody's approval; less does, unless it was so before Keelson.
            models.CheckConstraint(
                condition=Q(category="retail")
                | Q(basis="migrated")
                | Q(approved_by__isnull=False)
                | Q(basis="opt_down", category="professional"),
                name="category_with_less_protection_has_a_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(basis="request") | Q(request__isnull=False), name="category_on_request_has_its_request"
            ),
        ]

    def __str__(self) -> str:
        return f"Client {self.client_id}: {self.category}"
