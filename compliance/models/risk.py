"""How risky a client is in the sense of money laundering, with the reasons; and the countries' part in it as dated data."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from clients.choices import RiskRating
from clients.models import Client
from compliance.choices import CountryRiskLevel
from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only


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


class RiskModel(models.Model):
    """One version of a brand's risk model. It holds from a day on, until another version does; none is ever changed.

    Without `set_by` it is the model that the release ships, written down when it rated first.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="risk_models", db_index=False)
    number = models.PositiveIntegerField()
    content = models.JSONField(help_text="As `compliance.risk_rating.content.Content` writes it")
    effective_on = models.DateField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-effective_on", "-number"], name="risk_models_of_a_brand")]
        constraints = [
            models.UniqueConstraint(fields=["brand", "number"], name="risk_model_has_its_number"),
            models.CheckConstraint(condition=~Q(reason=""), name="risk_model_has_a_reason"),
            models.CheckConstraint(
                condition=Q(set_by__isnull=True, approved_by__isnull=True)
                | Q(set_by__isnull=False, approved_by__isnull=False) & ~Q(approved_by=F("set_by")),
                name="risk_model_is_approved_by_somebody_else",
            ),
        ]
        triggers = append_only("risk_model")

    def __str__(self) -> str:
        return f"Risk model {self.number}"

    def get_absolute_url(self) -> str:
        return f"/compliance/risk-model/{self.brand_id}/{self.number}/"

    @property
    def is_shipped(self) -> bool:
        return self.set_by_id is None


class RiskModelDraft(models.Model):
    """What somebody is writing. `revision` counts up, so that no one writes over a colleague's change unseen."""

    brand = models.OneToOneField(Brand, on_delete=models.PROTECT, related_name="risk_model_draft")
    content = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Draft of brand {self.brand_id}"


class RiskModelProposal(ApprovalMixin):
    """A version that waits for a second person."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="risk_model_proposals", db_index=False)
    content = models.JSONField()
    effective_on = models.DateField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="risk_proposals_of_a_brand")]
        constraints = [
            *ApprovalMixin.constraints("risk_model_proposal"),
            ApprovalMixin.one_open("brand", name="one_open_risk_model_per_brand"),
        ]

    def __str__(self) -> str:
        return f"Risk model from {self.effective_on}"


class RiskOverride(ApprovalMixin):
    """A person's own rating of a client, up to a day. Without a rating the model's counts again. The newest approved one holds."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="risk_overrides", db_index=False)
    rating = models.CharField(max_length=8, choices=RiskRating.choices[1:], blank=True)
    ends_on = models.DateField(null=True, help_text="Its last day")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["client", "-id"], name="risk_overrides_of_a_client")]
        constraints = [
            *ApprovalMixin.constraints("risk_override"),
            ApprovalMixin.one_open("client", name="one_open_risk_override_per_client"),
            models.CheckConstraint(
                condition=Q(rating="", ends_on__isnull=True) | (~Q(rating="") & Q(ends_on__isnull=False)),
                name="risk_override_has_an_end",
            ),
        ]
        permissions = [("override_risk", "May propose and approve a client's own risk rating")]

    def __str__(self) -> str:
        return f"{self.get_rating_display()} until {self.ends_on}" if self.rating else "As the model rates"


class RiskAssessment(models.Model):
    """A rating with what counted; the newest one is current. Which points a factor gave is in the model, which never changes."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="risk_assessments", db_index=False)
    rating = models.CharField(max_length=8, choices=RiskRating.choices)
    points = models.PositiveSmallIntegerField()
    factors = ArrayField(models.CharField(max_length=40), default=list, help_text="Codes of the factors that counted")
    model = models.ForeignKey(RiskModel, on_delete=models.PROTECT, related_name="+", db_index=False)
    # The person's rating in force at that moment, whether or not it made the rating another one.
    override = models.ForeignKey(RiskOverride, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
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
        triggers = [
            pgtrigger.Trigger(
                name="risk_assessment_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func="""
                IF TG_OP = 'UPDATE' AND OLD.is_current AND NOT NEW.is_current AND ROW(OLD.id, OLD.client_id, OLD.rating,
                   OLD.points, OLD.factors, OLD.model_id, OLD.override_id, OLD.at) IS NOT DISTINCT FROM ROW(NEW.id,
                   NEW.client_id, NEW.rating, NEW.points, NEW.factors, NEW.model_id, NEW.override_id, NEW.at) THEN
                  RETURN NEW;
                END IF;
                RAISE EXCEPTION 'risk_assessment is append-only: only a newer rating replaces it';
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_rating_display()} ({self.points})"
