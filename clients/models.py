"""The one record of a person at a brand, from the first click to the closed account, and what people read about it."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clients.choices import Category, RiskRating, SalesStatus, Stage, TimelineKind
from crm.models import Book, Brand, User


class Client(models.Model):
    """One row per person per brand. Facts below the line are written each by exactly one app, from events."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="clients")
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="clients")
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="owned_clients", null=True, blank=True, help_text=_("The agent")
    )
    user = models.OneToOneField(
        User, on_delete=models.PROTECT, related_name="client", null=True, blank=True, help_text=_("The portal login")
    )
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.LEAD)

    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=20, blank=True, help_text=_("E.164, e.g. +4915112345678"))
    country = models.CharField(max_length=2, blank=True, help_text=_("ISO 3166-1 alpha-2"))
    language = models.CharField(max_length=8, default="en")
    time_zone = models.CharField(max_length=40, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    nationality = models.CharField(max_length=2, blank=True)
    address_line = models.CharField(max_length=160, blank=True)
    city = models.CharField(max_length=80, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    marketing_consent = models.BooleanField(default=False)

    # ── facts: lists and segments need them without ten joins; `rebuild_facts` recomputes them all ─────────────────
    sales_status = models.CharField(max_length=20, choices=SalesStatus.choices, default=SalesStatus.NEW)
    score = models.PositiveSmallIntegerField(default=0)
    kyc_level = models.PositiveSmallIntegerField(default=0)
    risk_rating = models.CharField(max_length=8, choices=RiskRating.choices, default=RiskRating.UNRATED)
    category = models.CharField(max_length=12, choices=Category.choices, default=Category.RETAIL)
    restrictions = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    first_deposit_at = models.DateTimeField(null=True, blank=True)
    net_deposits = models.DecimalField(
        max_digits=20, decimal_places=2, default=0, help_text=_("In the brand's base currency")
    )
    last_trade_at = models.DateTimeField(null=True, blank=True)
    equity = models.DecimalField(
        max_digits=20, decimal_places=2, default=0, help_text=_("In the brand's base currency")
    )

    last_contact_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    registered_at = models.DateTimeField(null=True, blank=True)
    search_text = models.TextField(blank=True, editable=False, help_text="Lower-case name, e-mail, phone, id")
    history = HistoricalRecords(excluded_fields=["search_text"])

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("reveal_contact", "May reveal a client's phone and e-mail, one by one, each logged"),
            ("export_client", "May export client lists"),
            ("move_client", "May move clients between books"),
            ("log_call", "May log calls and notes"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "email"], condition=~models.Q(email=""), name="one_client_per_email_and_brand"
            ),
            models.CheckConstraint(
                condition=models.Q(stage="lead") | models.Q(registered_at__isnull=False) | models.Q(stage="closed"),
                name="registered_client_has_a_date",
            ),
        ]
        indexes = [
            models.Index(fields=["book", "-id"], name="clients_by_book"),
            models.Index(fields=["book", "stage", "-id"], name="clients_by_stage"),
            models.Index(fields=["owner", "-id"], name="clients_by_owner"),
            models.Index(fields=["brand", "country", "-id"], name="clients_by_country"),
            models.Index(fields=["brand", "phone"], name="clients_by_phone", condition=~models.Q(phone="")),
            GinIndex(fields=["search_text"], name="clients_search", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email or f"Client {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/clients/{self.pk}/"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def fill_search_text(self) -> None:
        self.search_text = search_text(self.first_name, self.last_name, self.email, self.phone, self.pk)

    def age_on(self, day: dt.date) -> int | None:
        if self.date_of_birth is None:
            return None
        born = self.date_of_birth
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def search_text(first_name: str, last_name: str, email: str, phone: str, pk: int | None) -> str:
    """What a search box looks in, in lower case."""
    return " ".join(filter(None, [first_name, last_name, email, phone, f"#{pk}" if pk else ""])).lower()


class TimelineEntry(models.Model):
    """What a human reads: calls, mails, notes, stages, documents, payments, trades in one stream. Not proof: audit is."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="timeline")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=TimelineKind.choices)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    url = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)
    # The same event told twice (delivered again) is one entry.
    dedupe_key = models.CharField(max_length=120, blank=True)
    is_visible_to_client = models.BooleanField(default=False)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["client", "-at", "-id"], name="timeline_by_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "dedupe_key"], condition=~models.Q(dedupe_key=""), name="timeline_tells_a_thing_once"
            )
        ]

    def __str__(self) -> str:
        return self.title
