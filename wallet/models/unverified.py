"""Rules of each brand for clients who aren't verified, and the terms that run."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.db.states import HasState
from crm.models import Brand, User
from crm.models.audit import append_only
from crm.money.amounts import from_minor
from wallet.choices.deposits import TERM_TRANSITIONS, TermState
from wallet.choices.psp import PspKind


class UnverifiedRule(models.Model):
    """A brand's rule for clients who aren't verified, from a day on. Never changed: a later row replaces it."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="unverified_rules")
    valid_from = models.DateField()
    maximum_minor = models.BigIntegerField(
        help_text=_("Maximum total deposits, in minor units of the brand's base currency; 0: none")
    )
    kinds = ArrayField(
        models.CharField(max_length=8, choices=PspKind.choices),
        default=list,
        blank=True,
        help_text=_("Allowed types of payment method; empty: all"),
    )
    own_name_only = models.BooleanField(default=True, help_text=_("Only accounts in the client's own name"))
    low_risk_only = models.BooleanField(default=True, help_text=_("Not for clients rated medium or high risk"))
    needs_profile = models.BooleanField(default=True, help_text=_("Personal details must be complete first"))
    days = models.PositiveSmallIntegerField(
        null=True, help_text=_("Days from the first deposit; then the relationship ends and the money is returned")
    )
    source = models.CharField(max_length=300, help_text=_("Legal source"))
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["brand_id", "-valid_from", "-id"]
        permissions = [("manage_unverifiedrule", "May write what clients may do before they are verified")]
        indexes = [models.Index(fields=["brand", "-valid_from", "-id"], name="unverified_rules_by_day")]
        constraints = [
            models.CheckConstraint(
                condition=Q(maximum_minor__gte=0) & ~Q(source=""), name="unverified_rule_names_its_source"
            )
        ]
        triggers = append_only("unverifiedrule")

    def __str__(self) -> str:
        return f"{self.brand}: {self.valid_from}"

    @property
    def maximum(self) -> Decimal:
        return from_minor(self.maximum_minor, self.brand.base_currency)


class UnverifiedTerm(HasState):
    """The term that runs from an unverified client's first deposit."""

    TRANSITIONS = {"state": TERM_TRANSITIONS}

    client = models.OneToOneField(Client, on_delete=models.PROTECT, related_name="unverified_term")
    rule = models.ForeignKey(UnverifiedRule, on_delete=models.PROTECT, related_name="terms")
    state = models.CharField(max_length=8, choices=TermState.choices, default=TermState.RUNNING)
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["ends_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("started_at")), name="term_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(state=TermState.RUNNING, finished_at__isnull=True)
                | ~Q(state=TermState.RUNNING) & Q(finished_at__isnull=False),
                name="finished_term_says_when",
            ),
        ]
        indexes = [models.Index(fields=["ends_at", "id"], name="terms_running", condition=Q(state=TermState.RUNNING))]

    def __str__(self) -> str:
        return f"{self.client}: {self.ends_at:%Y-%m-%d}"
