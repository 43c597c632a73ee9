"""Versions of the learned score."""

from __future__ import annotations

from django.db import models

from crm.learning.trained import TrainedModel, limits


class LeadModel(TrainedModel):
    """One version of the learned score; its yardstick is the score by points of the same leads on the same days.

    `rates`: by feature and value, how much those leads paid in above or below the average (log-odds); `edges`: the probabilities
    at each percent of those held back, lowest first.
    """

    rates = models.JSONField()
    edges = models.JSONField()
    leads = models.PositiveIntegerField(help_text="Leads by month that it learned from")
    held_back = models.PositiveIntegerField(help_text="Leads by month that it was judged on")
    deposited = models.PositiveIntegerField(help_text="Of those held back")

    class Meta:
        ordering = ["-id"]
        constraints = limits("one_lead_model_is_in_use", "lead_model_has_an_auc")

    def __str__(self) -> str:
        return f"{self.pk}"
