"""Suspicions that a person passed on from elsewhere: evidence of a case that no AML rule raised."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from clients.models import Client
from compliance.aml.models import AmlCase
from crm.models import User
from crm.models.audit import append_only


class AmlReferral(models.Model):
    """What a case rests on beside alerts: a finding of another app that a person there passed on. Never changed.

    source: names the finding, so that it is passed on once. text: what was found, as it was read then. base_amount: its money, in
    the base currency. since, until: the time that it is about, whose movements count as evidence.
    """

    case = models.ForeignKey(AmlCase, on_delete=models.PROTECT, related_name="referrals")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    text = models.TextField()
    url = models.CharField(max_length=200, blank=True)
    base_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    since = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.TextField()
    referred_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    referred_at = models.DateTimeField()

    class Meta:
        ordering = ["-referred_at", "-id"]
        default_permissions = ()
        verbose_name = "AML referral"
        constraints = [
            models.CheckConstraint(
                condition=~Q(text="") & ~Q(reason="") & ~Q(title=""), name="aml_referral_says_what_and_why"
            ),
            models.CheckConstraint(
                condition=Q(base_amount__gte=0, since__lte=F("until")), name="aml_referral_is_about_a_time"
            ),
        ]
        triggers = append_only("aml_referral")

    def __str__(self) -> str:
        return self.title
