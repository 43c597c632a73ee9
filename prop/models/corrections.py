"""Corrections that judging an account again found, each decided by two people."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from crm.db.states import HasState
from crm.models import User, WorkItem
from prop.choices import CORRECTION_TRANSITIONS, CorrectionKind, CorrectionState
from prop.models.challenges import Breach, PhaseAccount

FINDING = ["phase_account", "kind", "day", "was", "now", "evidence", "found_at"]


class JudgementCorrection(HasState):
    """A breach or a reached target that isn't one any more, or was missed. `was` and `now` are verdicts of the judge.

    breach: the one that was taken back.
    """

    TRANSITIONS = {"state": CORRECTION_TRANSITIONS}

    phase_account = models.ForeignKey(PhaseAccount, on_delete=models.PROTECT, related_name="corrections")
    state = models.CharField(max_length=9, choices=CorrectionState.choices, default=CorrectionState.OPEN)
    kind = models.CharField(max_length=20, choices=CorrectionKind.choices)
    day = models.DateField(help_text="Server day from which it was judged again")
    was = models.JSONField(null=True)
    now = models.JSONField(null=True)
    evidence = models.JSONField(help_text="Changed deals, and how long the account wasn't seen")
    found_at = models.DateTimeField()
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="challenge_correction")
    breach = models.OneToOneField(Breach, on_delete=models.PROTECT, null=True, related_name="correction")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        triggers = [
            pgtrigger.ReadOnly(name="correction_stays_as_found", fields=FINDING),
            pgtrigger.Protect(name="correction_is_never_deleted", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["phase_account"], condition=Q(state="open"), name="one_open_correction_per_account"
            ),
            models.CheckConstraint(
                condition=Q(was__isnull=False) | Q(now__isnull=False), name="correction_says_what_changes"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "outdated"], decided_by__isnull=True, decided_at__isnull=True)
                | Q(state__in=["corrected", "kept"], decided_by__isnull=False, decided_at__isnull=False),
                name="correction_is_decided_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def get_absolute_url(self) -> str:
        return f"/prop/corrections/{self.pk}/"
