"""What every proposal that another person decides has in common, with its CHECKs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from crm.choices import APPROVAL_TRANSITIONS, ApprovalState
from crm.db.states import HasState, Transitions
from crm.models.people import User


class ApprovalMixin(HasState):
    """Somebody proposes with a reason, somebody else decides. How: `crm.approvals`."""

    TRANSITIONS: ClassVar[Mapping[str, Transitions]] = {"state": APPROVAL_TRANSITIONS}

    state = models.CharField(max_length=10, choices=ApprovalState.choices, default=ApprovalState.PENDING)
    reason = models.CharField(max_length=300)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=300, blank=True)

    class Meta:
        abstract = True

    @staticmethod
    def constraints(name: str) -> list[models.CheckConstraint]:
        """Four eyes, held by the database: decided once, by another person; withdrawn only by the one who asked."""
        return [
            models.CheckConstraint(condition=~Q(reason=""), name=f"{name}_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state=ApprovalState.WITHDRAWN)
                | Q(decided_by__isnull=True)
                | ~Q(decided_by=F("requested_by")),
                name=f"{name}_is_decided_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=~Q(state=ApprovalState.WITHDRAWN) | Q(decided_by__isnull=False, decided_by=F("requested_by")),
                name=f"{name}_is_withdrawn_by_its_maker",
            ),
            models.CheckConstraint(
                condition=~Q(state=ApprovalState.REJECTED) | ~Q(decision_note=""),
                name=f"{name}_is_rejected_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(state=ApprovalState.PENDING, decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state=ApprovalState.PENDING) & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name=f"{name}_is_decided_by_a_person",
            ),
        ]

    @staticmethod
    def one_open(*fields: str, name: str, nulls_distinct: bool | None = None) -> models.UniqueConstraint:
        """One proposal at a time for each subject. nulls_distinct: False where an empty field is part of the subject."""
        return models.UniqueConstraint(
            fields=fields, condition=Q(state=ApprovalState.PENDING), nulls_distinct=nulls_distinct, name=name
        )
