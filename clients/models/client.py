"""The one record of a person at a brand, from the first click to the closed account."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clients.choices import SALES_TRANSITIONS, STAGE_TRANSITIONS, Category, ClientKind, RiskRating, SalesStatus, Stage
from crm.db.states import HasState
from crm.models import Book, Brand, User

# A search box looks in name, e-mail, phone and "#id", in lower case.
SEARCH_TEXT = "lower(first_name || ' ' || last_name || ' ' || email || ' ' || phone || ' #' || (id)::text)"
# One mailbox, one spelling: no "+tag", and no dots at Google, which ignores them. `clients.canonical` is the same in Python.
EMAIL_CANONICAL = """
CASE WHEN split_part(split_part(lower(email), '@', 1), '+', 1) = '' THEN lower(email)
     WHEN split_part(lower(email), '@', 2) IN ('gmail.com', 'googlemail.com')
     THEN replace(split_part(split_part(lower(email), '@', 1), '+', 1), '.', '') || '@gmail.com'
     ELSE split_part(split_part(lower(email), '@', 1), '+', 1) || '@' || split_part(lower(email), '@', 2) END
"""
LEADS = models.Q(stage="lead")
CUSTOMERS = ~models.Q(stage="lead")


class Client(HasState):
    """One row per person per brand. Facts below the line are written each by exactly one app, from events."""

    TRANSITIONS = {"stage": STAGE_TRANSITIONS, "sales_status": SALES_TRANSITIONS}
    FIRST_STATES = {"stage": {Stage.LEAD, Stage.RELATED}}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="clients", db_index=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="clients", db_index=False)
    owner = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="owned_clients",
        null=True,
        blank=True,
        db_index=False,
        help_text=_("The agent"),
    )
    user = models.OneToOneField(
        User, on_delete=models.PROTECT, related_name="client", null=True, blank=True, help_text=_("The portal login")
    )
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.LEAD)
    kind = models.CharField(
        max_length=8, choices=ClientKind.choices, default=ClientKind.PERSON, db_default=ClientKind.PERSON
    )

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
    source = models.CharField(max_length=60, blank=True, help_text=_("Source of the first lead, e.g. google"))
    campaign = models.CharField(max_length=60, blank=True, help_text=_("Campaign code of the first lead"))
    last_contact_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Last call, or message written by a person: e-mail, SMS, WhatsApp or chat")
    )

    # Another record of the same person, into which this one was merged.
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    registered_at = models.DateTimeField(null=True, blank=True)
    # ── computed by the database from the columns above, so that no writer can forget them ─────────────────────────
    search_text = models.GeneratedField(
        expression=RawSQL(SEARCH_TEXT, ()),  # noqa: S611 — a constant
        output_field=models.TextField(),
        db_persist=True,
    )
    email_canonical = models.GeneratedField(
        expression=RawSQL(EMAIL_CANONICAL, ()),  # noqa: S611 — a constant
        output_field=models.CharField(max_length=254),
        db_persist=True,
    )
    history = HistoricalRecords(excluded_fields=["search_text", "email_canonical"])

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("reveal_contact", "May reveal a client's phone and e-mail, one by one, each logged"),
            ("export_client", "May export client lists"),
            ("move_client", "May move clients between books"),
            ("log_call", "May log calls and notes"),
            ("close_client", "May close a client's record"),
            ("merge_client", "May merge two records of one person, and undo it"),
            ("view_linked_clients", "May see who shares contact details, devices, accounts or documents with a client"),
            ("view_past_owners", "May see which agents, desks and books had a client before"),
            ("correct_identity", "May correct the name, birth date and nationality of a verified client"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "email"], condition=~models.Q(email=""), name="one_client_per_email_and_brand"
            ),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="client_email_is_lower_case"),
            models.CheckConstraint(
                condition=models.Q(stage__in=["lead", "related", "closed"]) | models.Q(registered_at__isnull=False),
                name="registered_client_has_a_date",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into=None) | ~models.Q(merged_into=models.F("id")),
                name="client_is_merged_into_another",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="person") | (models.Q(first_name="") & ~models.Q(last_name="")),
                name="company_is_named_by_its_last_name",
            ),
        ]
        # Lists are ranges of these indexes in visible books: by id, score, status, last contact. The first column is a
        # book for someone with one book, the sorted value for someone with a whole brand; see docs/domain/clients.md.
        indexes = [
            models.Index(fields=["book", "-id"], name="clients_by_book"),
            models.Index(fields=["book", "stage", "-id"], name="clients_by_stage"),
            models.Index(
                fields=["owner", "-id"], name="clients_by_owner", include=["stage", "book", "score", "last_contact_at"]
            ),
            models.Index(fields=["country", "-id"], name="clients_by_country"),
            models.Index(fields=["brand", "phone"], name="clients_by_phone", condition=~models.Q(phone="")),
            models.Index(fields=["brand", "email_canonical"], name="clients_by_mailbox", condition=~models.Q(email="")),
            models.Index(
                fields=["brand", "date_of_birth", "country"],
                name="clients_by_birth_date",
                condition=models.Q(date_of_birth__isnull=False),
            ),
            models.Index(fields=["campaign", "-id"], name="clients_by_campaign", condition=~models.Q(campaign="")),
            # Both are asked for together, of whole brands, and each alone matches far more.
            models.Index(
                fields=["campaign", "country", "-id"],
                name="clients_by_campaign_country",
                condition=~models.Q(campaign=""),
            ),
            # A campaign, a language by last contact: most of both are in other books than the reader's.
            models.Index(
                fields=["campaign", "last_contact_at", "id"],
                name="leads_by_campaign_contact",
                condition=LEADS & ~models.Q(campaign=""),
                include=["book", "score"],
            ),
            models.Index(
                fields=["language", "last_contact_at", "id"],
                name="clients_by_language",
                include=["stage", "book", "score"],
            ),
            models.Index(fields=["source", "-id"], name="clients_by_source", condition=~models.Q(source="")),
            models.Index(fields=["merged_into"], name="clients_merged", condition=models.Q(merged_into__isnull=False)),
            GinIndex(fields=["search_text"], name="clients_search", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["score", "id"], name="leads_by_score", condition=LEADS),
            models.Index(fields=["book", "score", "id"], name="leads_by_book_score", condition=LEADS),
            models.Index(fields=["sales_status", "-id"], name="leads_by_status", condition=LEADS),
            # Holds all that the list filters and sorts by, so that a filter that almost nobody passes reads no row.
            models.Index(
                fields=["book", "sales_status", "-id"],
                name="leads_by_book_status",
                condition=LEADS,
                include=["score", "last_contact_at", "country", "language", "source", "campaign", "owner", "brand"],
            ),
            models.Index(fields=["last_contact_at", "id"], name="leads_by_contact", condition=LEADS),
            models.Index(fields=["book", "last_contact_at", "id"], name="leads_by_book_contact", condition=LEADS),
            # Both: customers that were imported together lie next to each other, 48,000 rows to pass before the first lead.
            models.Index(fields=["-id"], name="leads_newest", condition=LEADS),
            models.Index(fields=["-id"], name="customers_newest", condition=CUSTOMERS),
            models.Index(fields=["net_deposits", "id"], name="customers_by_net_deposits", condition=CUSTOMERS),
            models.Index(fields=["first_deposit_at", "id"], name="customers_by_ftd", condition=CUSTOMERS),
            models.Index(fields=["last_trade_at", "id"], name="customers_by_last_trade", condition=CUSTOMERS),
            models.Index(fields=["last_contact_at", "id"], name="customers_by_contact", condition=CUSTOMERS),
            # Hardly a lead has either: without these a list of leads in this order reads all of them to find that out.
            models.Index(
                fields=["first_deposit_at", "id"],
                name="leads_by_ftd",
                condition=LEADS & models.Q(first_deposit_at__isnull=False),
            ),
            models.Index(
                fields=["last_trade_at", "id"],
                name="leads_by_last_trade",
                condition=LEADS & models.Q(last_trade_at__isnull=False),
            ),
            # All others are at zero, and come by number (`crm.ui.keyset.Order.usual`).
            models.Index(
                fields=["net_deposits", "id"], name="leads_by_net_deposits", condition=LEADS & ~models.Q(net_deposits=0)
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email or f"Client {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return f"/clients/{self.pk}/"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def age_on(self, day: dt.date) -> int | None:
        if self.date_of_birth is None:
            return None
        born = self.date_of_birth
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
