"""What the checks may decide on their own: the policy of a brand in versions, and each decision made under one."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from clients.choices import RiskRating
from clients.models import Client
from crm.db.states import HasState
from crm.models import Brand, User, WorkItem
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from kyc.choices import SECOND_LOOK_TRANSITIONS, Opinion, Outcome, RejectReason, SecondLookState
from kyc.models.checks import CheckRun
from kyc.models.documents import Document

DRAWS = 10_000


class VerdictPolicy(models.Model):
    """One version of a brand's policy. It holds from a day on, until another version does; none is ever changed.

    Without `set_by` it is the policy that the release ships, written down when it decided first.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="verdict_policies", db_index=False)
    number = models.PositiveIntegerField()
    rules = models.JSONField(help_text="As `kyc.verdicts.rules.Rules` writes them")
    effective_on = models.DateField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-effective_on", "-number"], name="verdict_policies_of_a_brand")]
        constraints = [
            models.UniqueConstraint(fields=["brand", "number"], name="verdict_policy_has_its_number"),
            models.CheckConstraint(condition=~Q(reason=""), name="verdict_policy_has_a_reason"),
        ]
        triggers = append_only("verdict_policy")

    def __str__(self) -> str:
        return f"Policy {self.number}"

    def get_absolute_url(self) -> str:
        return f"/kyc/policy/{self.brand_id}/{self.number}/"

    @property
    def is_shipped(self) -> bool:
        return self.set_by_id is None


class VerdictPolicyProposal(ApprovalMixin):
    """A new version that another person decides."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="verdict_policy_proposals", db_index=False)
    rules = models.JSONField()
    effective_on = models.DateField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="verdict_proposals_of_a_brand")]
        constraints = [
            *ApprovalMixin.constraints("verdict_policy_proposal"),
            ApprovalMixin.one_open("brand", name="one_open_verdict_policy_per_brand"),
        ]

    def __str__(self) -> str:
        return f"Policy from {self.effective_on}"


class MachineDecision(models.Model):
    """What the policy made of one document's checks: the evidence behind an automatic decision, or why a person decides."""

    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="machine_decision")
    run = models.OneToOneField(CheckRun, on_delete=models.PROTECT, related_name="machine_decision")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    policy = models.ForeignKey(VerdictPolicy, on_delete=models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reasons = ArrayField(models.CharField(max_length=24), default=list, help_text="What is wrong, the worst first")
    risk = models.CharField(max_length=8, choices=RiskRating.choices, help_text="The client's rating at that moment")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the check results")
    version = models.CharField(max_length=20, help_text="Of the pipeline")
    decided_at = models.DateTimeField()
    draw = models.PositiveSmallIntegerField(null=True, help_text="Of 10,000, by a keyed hash of the document's id")
    is_sampled = models.BooleanField(default=False, help_text="An officer looks too, without knowing the verdict")
    check_at_provider = models.ForeignKey(
        "kyc.ProviderCheck", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    overturned_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    overturned_at = models.DateTimeField(null=True)
    overturn_reason = models.TextField(blank=True)
    withdrawn_at = models.DateTimeField(null=True, help_text="When the KYC provider revised the result behind it")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "decided_at"], name="machine_decisions_by_day")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(outcome="approve") | ~Q(risk="high"), name="a_machine_never_approves_high_risk"
            ),
            models.CheckConstraint(
                condition=Q(outcome="approve", draw__isnull=False, draw__lt=DRAWS)
                | ~Q(outcome="approve") & Q(draw__isnull=True, is_sampled=False),
                name="machine_approvals_are_drawn",
            ),
            models.CheckConstraint(
                condition=Q(overturned_by__isnull=True, overturned_at__isnull=True, overturn_reason="")
                | Q(outcome="approve", overturned_by__isnull=False, overturned_at__isnull=False)
                & ~Q(overturn_reason=""),
                name="overturned_approval_says_who_when_and_why",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(outcome="approve", check_at_provider__isnull=False),
                name="only_a_providers_approval_is_withdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} for document {self.document_id}"


class SecondLook(HasState):
    """A document that an officer judges without knowing the first opinion: the machine's or a colleague's."""

    TRANSITIONS = {"state": SECOND_LOOK_TRANSITIONS}

    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="second_look")
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="second_look")
    state = models.CharField(max_length=10, choices=SecondLookState.choices, default=SecondLookState.OPEN)
    opened_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    opinion = models.CharField(max_length=8, choices=Opinion.choices, blank=True)
    reason_code = models.CharField(max_length=20, choices=RejectReason.choices, blank=True)
    note = models.TextField(blank=True)
    # Where a colleague asked for it: theirs, which the second reader doesn't see before deciding.
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    first_opinion = models.CharField(max_length=8, choices=Opinion.choices, blank=True)
    first_note = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["opened_at", "id"], name="second_looks_open", condition=Q(state="open")),
            models.Index(fields=["decided_at"], name="second_looks_decided", condition=Q(decided_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="open") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="second_look_is_decided_by_a_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="disagreed") | ~Q(note="") & (~Q(reason_code="") | Q(opinion="approve")),
                name="disagreement_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(asked_by__isnull=True, first_opinion="", first_note="")
                | Q(asked_by__isnull=False) & ~Q(first_opinion="") & ~Q(first_note=""),
                name="who_asks_a_second_reader_has_an_opinion",
            ),
            models.CheckConstraint(
                condition=Q(asked_by__isnull=True) | Q(decided_by__isnull=True) | ~Q(decided_by=models.F("asked_by")),
                name="second_reader_is_another_person",
            ),
        ]

    def __str__(self) -> str:
        return f"Second look at document {self.document_id}"

    def get_absolute_url(self) -> str:
        return f"/kyc/second-looks/{self.pk}/"

    @property
    def client(self) -> Client:
        """Whose document it is, for lists of work."""
        return self.document.client
