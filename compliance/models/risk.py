"""How risky a client is in the sense of money laundering, with the reasons; and the countries' part in it as dated data."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from clients.choices import RiskRating
from clients.models import Client
from compliance.choices import CountryRiskLevel


class CountryRisk(models.Model):
    """A country on a supervisor's list for a time. Lists change three times a year: they are data, not code."""

    country = models.CharField(max_length=2)
    level = models.CharField(max_length=8, choices=CountryRiskLevel.choices)
    valid = DateRangeField()
    source = models.CharField(max_length=160)

    class Meta:
        ordering = ["country"]
        constraints = [
            ExclusionConstraint(
                name="a_country_has_one_risk_at_a_time",
                expressions=[("country", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
            )
        ]

    def __str__(self) -> str:
        return f"{self.country}: {self.level}"


class RiskAssessment(models.Model):
    """A rating with its reasons; the newest one is current."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="risk_assessments")
    rating = models.CharField(max_length=8, choices=RiskRating.choices)
    points = models.PositiveSmallIntegerField()
    reasons = models.JSONField(default=list, help_text='[{"code": "country_grey", "points": 30, "value": "VN"}]')
    rules_version = models.CharField(max_length=20)
    at = models.DateTimeField()
    is_current = models.BooleanField(default=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["client", "-id"], name="risk_by_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(is_current=True), name="a_client_has_one_current_rating"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_rating_display()} ({self.points})"
