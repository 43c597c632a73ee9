"""A lead is one acquisition of a person: each capture, with what it was worth, who got it and why."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.choices import SalesStatus
from clients.models import Client, SideFacts
from crm.models import Book, Brand, User
from crm.models.audit import append_only
from leads.choices import Channel, Experience, LeadRefusal
from leads.models.campaigns import Campaign, LandingPage, LeadSource
from leads.models.rules import RoutingRule


class Lead(models.Model):
    """One capture. A person may have several: attribution keeps them all, the newest is the one sales works on."""

    # Foreign keys that a composite index below begins with, or that nothing looks up by, carry no index of their own.
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="leads", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="leads", db_index=False)
    # The client's own, written by triggers only (`leads/sql/lead_books.sql`): who reaches a lead is a range of one index.
    book = models.ForeignKey(
        Book, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False, editable=False
    )
    channel = models.CharField(max_length=8, choices=Channel.choices)
    captured_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    # ── attribution ────────────────────────────────────────────────────────────────────────────────────────────────
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="leads", db_index=False
    )
    landing_page = models.ForeignKey(
        LandingPage, on_delete=models.PROTECT, null=True, blank=True, related_name="leads", db_index=False
    )
    api_source = models.ForeignKey(
        LeadSource, on_delete=models.PROTECT, null=True, blank=True, related_name="leads", db_index=False
    )
    source = models.CharField(max_length=60, blank=True)
    medium = models.CharField(max_length=40, blank=True)
    utm = models.JSONField(default=dict, blank=True, help_text="All utm_* as they came")
    click_id = models.CharField(max_length=200, blank=True, help_text="gclid, fbclid, an affiliate's click id")
    referral_code = models.CharField(max_length=40, blank=True, help_text="A partner's code")
    sub_id = models.CharField(
        max_length=60, blank=True, help_text="The partner's own name for where the link was placed"
    )
    landing_url = models.CharField(max_length=500, blank=True)
    referrer = models.CharField(max_length=500, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent_hash = models.CharField(max_length=16, blank=True)
    country_guess = models.CharField(max_length=2, blank=True)
    language = models.CharField(max_length=8, blank=True)
    message = models.TextField(blank=True)
    consents = models.JSONField(default=dict, blank=True, help_text="What they agreed to, in which words")
    # What they declared with this enquiry; the amount as they entered it, and in the brand's base currency.
    experience = models.CharField(max_length=12, choices=Experience.choices, blank=True, default="", db_default="")
    intended_deposit = models.DecimalField(max_digits=21, decimal_places=8, null=True, blank=True)
    intended_currency = models.CharField(max_length=5, blank=True, default="", db_default="")
    intended_in_base = models.DecimalField(max_digits=21, decimal_places=8, null=True, blank=True)
    # As the person typed them this time, where it differs from the record.
    typed = models.JSONField(default=dict, blank=True)
    is_duplicate = models.BooleanField(default=False)
    refusal = models.CharField(max_length=8, choices=LeadRefusal.choices, blank=True)
    match_reasons = models.JSONField(default=list, blank=True)
    idempotency_key = models.CharField(max_length=80, blank=True)
    body_hash = models.CharField(max_length=64, blank=True)

    # ── worth ──────────────────────────────────────────────────────────────────────────────────────────────────────
    score = models.PositiveSmallIntegerField(default=0)
    score_reasons = models.JSONField(default=list, blank=True)
    # By `leads.learned`: empty until a version was trained.
    probability = models.FloatField(null=True, help_text="Of a first deposit within a month")
    learned_score = models.PositiveSmallIntegerField(null=True)
    learned_reasons = ArrayField(models.CharField(max_length=16), default=list, blank=True)

    # ── who got it ─────────────────────────────────────────────────────────────────────────────────────────────────
    assigned_to = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="assigned_leads", db_index=False
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    routing_rule = models.ForeignKey(
        RoutingRule, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    routing_reasons = models.JSONField(default=list, blank=True)
    tried_agents = ArrayField(models.BigIntegerField(), default=list, blank=True)

    # ── the clock ──────────────────────────────────────────────────────────────────────────────────────────────────
    sla_due_at = models.DateTimeField(null=True, blank=True, help_text="Untouched by then, it goes to someone else")
    sla_missed = models.PositiveSmallIntegerField(default=0)
    touched_at = models.DateTimeField(null=True, blank=True, help_text="First call, mail or change of status")
    touched_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("assign_lead", "May assign leads to agents of the desk, one by one or many at once"),
            ("import_lead", "May import leads from a file"),
            ("receive_lead", "Takes leads from routing"),
            ("change_sales_status", "May move a lead along the pipeline"),
            ("lift_do_not_call", "May call a person again who asked not to be called"),
            ("send_invitation", "May send a registration link"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="a_lead_is_captured_once",
            ),
            models.CheckConstraint(
                condition=models.Q(assigned_to=None, assigned_at=None)
                | models.Q(assigned_to__isnull=False, assigned_at__isnull=False),
                name="assigned_lead_says_who_and_when",
            ),
            models.CheckConstraint(
                condition=models.Q(refusal="") | models.Q(sla_due_at=None), name="refused_lead_has_no_clock"
            ),
            models.CheckConstraint(
                condition=models.Q(intended_deposit=None, intended_currency="", intended_in_base=None)
                | models.Q(intended_deposit__isnull=False, intended_in_base__isnull=False)
                & models.Q(intended_deposit__gt=0, intended_in_base__gt=0)
                & ~models.Q(intended_currency=""),
                name="intended_deposit_has_a_currency",
            ),
            models.CheckConstraint(condition=models.Q(score__lte=100), name="lead_score_is_at_most_a_hundred"),
            models.CheckConstraint(
                condition=models.Q(probability=None, learned_score=None)
                | models.Q(
                    probability__isnull=False,
                    probability__gte=0,
                    probability__lte=1,
                    learned_score__isnull=False,
                    learned_score__lte=100,
                ),
                name="learned_score_has_its_probability",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-captured_at", "-id"], name="leads_by_client"),
            models.Index(fields=["book", "-id"], name="leads_by_book"),
            models.Index(fields=["assigned_to", "-assigned_at"], name="leads_by_agent"),
            models.Index(
                fields=["assigned_to"],
                name="leads_untouched_by_agent",
                condition=models.Q(assigned_to__isnull=False, touched_at__isnull=True, is_duplicate=False),
            ),
            models.Index(fields=["campaign", "-captured_at"], name="leads_by_campaign"),
            models.Index(
                fields=["sla_due_at"],
                name="leads_running_out",
                condition=models.Q(touched_at__isnull=True, sla_due_at__isnull=False),
            ),
            models.Index(
                fields=["brand", "id"],
                name="leads_waiting_in_pools",
                condition=models.Q(assigned_to__isnull=True, touched_at__isnull=True, is_duplicate=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Lead {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/clients/{self.client_id}/"


class LeadFacts(SideFacts):
    """Why the newest enquiry of a person was refused, and what they declared last; empty where nothing is to say.

    Written by `leads.capture` and by imports of leads. The intended deposit is in the brand's base currency.
    """

    refusal = models.CharField(max_length=8, choices=LeadRefusal.choices, null=True)
    experience = models.CharField(max_length=12, choices=Experience.choices, null=True)
    intended_deposit = models.DecimalField(max_digits=21, decimal_places=8, null=True)

    class Meta:
        indexes = [
            models.Index(fields=["refusal"], name="facts_by_refusal", condition=models.Q(refusal__isnull=False)),
            models.Index(
                fields=["experience"], name="facts_by_experience", condition=models.Q(experience__isnull=False)
            ),
            models.Index(
                fields=["intended_deposit"],
                name="facts_by_intended_deposit",
                condition=models.Q(intended_deposit__isnull=False),
            ),
        ]


class SalesStatusChange(models.Model):
    """A step along the pipeline. The record's `sales_status` repeats the newest; rows are never changed."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="sales_status_changes", db_index=False)
    before = models.CharField(max_length=20, choices=SalesStatus.choices)
    after = models.CharField(max_length=20, choices=SalesStatus.choices)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["client", "-id"], name="status_changes_by_client"),
            models.Index(fields=["actor", "-at"], name="status_changes_by_actor"),
        ]
        triggers = append_only("sales_status_change")

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class RegistrationInvitation(models.Model):
    """A link with which one lead registers once. The token itself is only in the letter; here is its hash."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="invitations", db_index=False)
    token_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.OneToOneField(User, on_delete=models.PROTECT, null=True, blank=True, related_name="invitation")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="A newer link took its place")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["client", "-id"], name="invitations_by_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["client"],
                condition=models.Q(used_at=None, revoked_at=None),
                name="one_open_invitation_per_client",
            ),
            models.CheckConstraint(
                condition=models.Q(used_at=None, used_by=None) | models.Q(used_at__isnull=False, used_by__isnull=False),
                name="used_invitation_says_by_whom",
            ),
            models.CheckConstraint(
                condition=models.Q(used_at=None) | models.Q(revoked_at=None),
                name="invitation_is_used_or_revoked_not_both",
            ),
        ]

    def __str__(self) -> str:
        return f"{_('Registration link')} {self.pk}"
