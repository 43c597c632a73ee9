"""Controls reports: what a month's controls came to, kept when the month has ended."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.models import Brand
from crm.models.audit import append_only


class ControlReport(models.Model):
    """The controls of a brand in a month, as they were found after its end. The digest is over the figures as stored."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="control_reports", db_index=False)
    month = models.DateField(help_text="Its first day")
    figures = models.JSONField(help_text="As `compliance.controls.measures` writes them")
    digest = models.CharField(max_length=64)
    closed_at = models.DateTimeField()

    class Meta:
        ordering = ["-month", "brand_id"]
        constraints = [
            models.UniqueConstraint(fields=["brand", "month"], name="one_control_report_per_brand_and_month"),
            models.CheckConstraint(condition=Q(month__day=1), name="control_report_begins_its_month"),
            models.CheckConstraint(condition=Q(digest__regex="^[0-9a-f]{64}$"), name="control_report_has_a_digest"),
        ]
        triggers = append_only("control_report")

    def __str__(self) -> str:
        return f"Controls of brand {self.brand_id} in {self.month:%Y-%m}"

    def get_absolute_url(self) -> str:
        return f"/compliance/controls/{self.brand_id}/{self.month:%Y-%m}/"
