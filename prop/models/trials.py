"""What-ifs of programme versions over challenges that were bought."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from crm.models import User
from crm.models.audit import append_only
from prop.models.programmes import Programme, ProgrammeVersion


class ProgrammeTrial(models.Model):
    """What a version would have made of challenges that were bought in a time, beside what they became.

    of_programme: whose challenges; None: of all of the brand's programmes. figures as `prop.trials.figures.Figures` adds them up;
    lines: the challenges with a different outcome. Money is in the version's currency.
    """

    version = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT, related_name="trials")
    of_programme = models.ForeignKey(Programme, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    content_hash = models.CharField(max_length=64, help_text="Of the version's terms as they were then")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    figures = models.JSONField()
    lines = models.JSONField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        triggers = append_only("programme_trial")
        constraints = [
            models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="programme_trial_ends_after_it_starts")
        ]

    def __str__(self) -> str:
        return f"trial of {self.version_id}"

    def get_absolute_url(self) -> str:
        return f"/prop/trials/{self.pk}/"
