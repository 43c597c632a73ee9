"""Work that people take from a queue and decide, and what was said and done about it. Written by `crm.work`."""

from typing import Any

from django.db import models
from django.db.models import Q

from crm.choices import WORK_TRANSITIONS, WorkAct, WorkPriority, WorkState
from crm.db.states import HasState
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from crm.models.people import Brand, User

OPEN = Q(state="open")
DECIDED = Q(state__in=["decided", "final"])
# What the figures of officers count beside decisions.
COUNTED = ("taken_over", "proposed", "rejected")


class WorkItem(HasState):
    """One subject in a queue: a document to review, a possible match. The subject's own row points here as `work`."""

    TRANSITIONS = {"state": WORK_TRANSITIONS}

    kind = models.CharField(max_length=40)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    client_id = models.BigIntegerField(null=True, help_text="None: about a member of staff, not a client")
    state = models.CharField(max_length=8, choices=WorkState.choices, default=WorkState.OPEN)
    priority = models.PositiveSmallIntegerField(choices=WorkPriority.choices, default=WorkPriority.NORMAL)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="End of the service level, in the brand's working hours")
    assigned_to = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    claimed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    claimed_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    # The first of two decisions, where an outcome needs a second person; it stays when that person has decided.
    proposed_outcome = models.CharField(max_length=20, blank=True)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    proposed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    final_at = models.DateTimeField(null=True, help_text="Until then whoever decided can undo it")
    handling_seconds = models.PositiveIntegerField(null=True, help_text="From the claim to the decision")

    class Meta:
        ordering = ["-priority", "opened_at", "id"]
        permissions = [("manage_work", "May assign work and see the figures of those who do it")]
        indexes = [
            models.Index(fields=["kind", "-priority", "opened_at", "id"], name="work_open", condition=OPEN),
            models.Index(fields=["client_id", "kind"], name="work_open_by_client", condition=OPEN),
            models.Index(fields=["claimed_by"], name="work_claimed", condition=Q(claimed_by__isnull=False)),
            models.Index(fields=["decided_at", "kind"], name="work_decided", condition=DECIDED),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(claimed_by__isnull=True, claimed_at__isnull=True, claimed_until__isnull=True)
                | Q(
                    claimed_by__isnull=False,
                    claimed_at__isnull=False,
                    claimed_until__isnull=False,
                    claimed_until__gt=models.F("claimed_at"),
                ),
                name="work_claim_is_whole_and_ends_after_it_begins",
            ),
            models.CheckConstraint(condition=OPEN | Q(claimed_by__isnull=True), name="only_open_work_is_claimed"),
            models.CheckConstraint(
                condition=DECIDED
                & Q(decided_by__isnull=False, decided_at__isnull=False, final_at__isnull=False)
                & Q(final_at__gte=models.F("decided_at"))
                & ~Q(outcome="")
                | ~DECIDED & Q(decided_by__isnull=True, decided_at__isnull=True, final_at__isnull=True, outcome=""),
                name="decided_work_says_who_when_and_what",
            ),
            models.CheckConstraint(
                condition=Q(proposed_outcome="", proposed_by__isnull=True, proposed_at__isnull=True)
                | ~Q(proposed_outcome="") & Q(proposed_by__isnull=False, proposed_at__isnull=False),
                name="proposed_work_says_who_when_and_what",
            ),
            models.CheckConstraint(
                condition=Q(proposed_by__isnull=True)
                | (Q(claimed_by__isnull=True) | ~Q(claimed_by=models.F("proposed_by")))
                & (Q(decided_by__isnull=True) | ~Q(decided_by=models.F("proposed_by"))),
                name="proposed_work_is_for_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(proposed_outcome="") | Q(outcome="") | Q(outcome=models.F("proposed_outcome")),
                name="work_is_decided_as_proposed",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gte=models.F("opened_at")), name="work_is_due_after_it_is_opened"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def awaits_second(self) -> bool:
        """Whether an outcome is proposed that a second person has to decide on."""
        return self.state == WorkState.OPEN and self.proposed_by_id is not None


class WorkProposal(ApprovalMixin):
    """An outcome that one person proposed and another decides on. `given`: what carrying it out takes. See `crm.work.proposals`."""

    item = models.ForeignKey(WorkItem, on_delete=models.PROTECT, related_name="proposals", db_index=False)
    outcome = models.CharField(max_length=20)
    given = models.JSONField(default=dict)
    # What the item is about, once `crm.work.proposals` has read it.
    subject: Any

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["item", "id"], name="work_proposals_by_item"),
            models.Index(fields=["requested_at"], name="open_work_proposals", condition=Q(state="pending")),
        ]
        constraints = [
            *ApprovalMixin.constraints("work_proposal"),
            ApprovalMixin.one_open("item", name="one_open_proposal_per_work_item"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.pk}"


class WorkEntry(models.Model):
    """A comment, a file, or an act: taken over, assigned, decided, undone. Text and files are sealed: see `crm.work.entries`."""

    item = models.ForeignKey(WorkItem, on_delete=models.PROTECT, related_name="entries", db_index=False)
    client_id = models.BigIntegerField(null=True)
    act = models.CharField(max_length=12, choices=WorkAct.choices)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    other = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, help_text="From whom, or to whom"
    )
    text_sealed = models.BinaryField(null=True)
    file_key = models.CharField(max_length=80, blank=True)
    size_bytes = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "work entries"
        triggers = append_only("work_entry")
        indexes = [
            models.Index(fields=["item", "id"], name="work_entries_by_item"),
            models.Index(fields=["at", "actor"], name="work_acts_counted", condition=Q(act__in=COUNTED)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["file_key"], condition=~Q(file_key=""), name="work_file_has_its_own_key"),
            models.CheckConstraint(
                condition=Q(act="file", size_bytes__gt=0, text_sealed__isnull=False) & ~Q(file_key="")
                | ~Q(act="file") & Q(file_key="", size_bytes=0),
                name="only_a_work_file_has_content",
            ),
            models.CheckConstraint(
                condition=~Q(act__in=["comment", "taken_over"]) | Q(text_sealed__isnull=False),
                name="work_comments_and_take_overs_have_text",
            ),
            models.CheckConstraint(
                condition=~Q(act="taken_over") | Q(other__isnull=False) & ~Q(other=models.F("actor")),
                name="work_is_taken_over_from_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.pk}"
