"""Connections to screening vendors, what each was asked about whom, and every webhook as received."""

from __future__ import annotations

import secrets
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from clients.models import Client
from compliance.choices import ScreeningTrigger
from compliance.models.parties import ScreenedParty
from compliance.models.restrictions import Restriction
from compliance.models.watchlists import WatchlistSource
from compliance.vendors.choices import CHECK_TRANSITIONS, CheckState, ScreenedBy
from crm.connections.choices import WebhookState
from crm.connections.models import Connection, ConnectionProposal, Webhook
from crm.db.states import HasState
from crm.models.approvals import ApprovalMixin

CREDENTIALS_PURPOSE = "screening-vendor-credentials"
NOTICE_PURPOSE = "screening-vendor-notice"
THRESHOLD = Decimal("0.7")


def new_reference() -> str:
    """Make what a vendor knows a person by: it tells nothing of them."""
    return secrets.token_hex(16)


class ScreeningVendor(Connection):
    """One account of one brand at one screening vendor.

    The entities that it reported are the entries of a source of its own, which the built-in matcher never reads.
    """

    CREDENTIALS_PURPOSE = CREDENTIALS_PURPOSE

    source = models.OneToOneField(WatchlistSource, on_delete=models.PROTECT, related_name="vendor")
    dataset = models.CharField(max_length=60, help_text="The vendor's collection that is asked")
    threshold = models.DecimalField(
        max_digits=4,
        decimal_places=3,
        default=THRESHOLD,
        validators=[MinValueValidator(Decimal("0.3")), MaxValueValidator(Decimal(1))],
        help_text="Score of the vendor's from which on a result is a possible match",
    )
    last_answer_at = models.DateTimeField(null=True, help_text="When it last answered about somebody")
    mode_followed = models.CharField(
        max_length=10,
        choices=ScreenedBy.choices,
        default=ScreenedBy.BUILT_IN,
        help_text="Who screened at the brand when its clients were last queued for that",
    )

    class Meta:
        ordering = ["brand_id", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand"], condition=Q(is_enabled=True), name="a_brand_uses_one_screening_vendor"
            ),
            models.CheckConstraint(condition=~Q(dataset=""), name="screening_vendor_has_a_dataset"),
            models.CheckConstraint(
                condition=Q(threshold__gte=Decimal("0.3"), threshold__lte=1), name="screening_vendor_has_a_threshold"
            ),
        ]

    def get_absolute_url(self) -> str:
        return f"/compliance/vendors/{self.pk}/"


class ScreeningVendorProposal(ConnectionProposal):
    """A vendor, or a change of one, that another person decides."""

    CREDENTIALS_PURPOSE = CREDENTIALS_PURPOSE

    connection = models.ForeignKey(ScreeningVendor, on_delete=models.PROTECT, null=True, related_name="proposals")
    dataset = models.CharField(max_length=60)
    threshold = models.DecimalField(max_digits=4, decimal_places=3, default=THRESHOLD)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="screening_vendor_proposals")]
        constraints = [
            *ApprovalMixin.constraints("screening_vendor_proposal"),
            ApprovalMixin.one_open("brand", name="one_open_screening_vendor_per_brand"),
            ConnectionProposal.keeps_no_keys("screening_vendor_proposal"),
        ]


class VendorCheck(HasState):
    """What a vendor is asked about a client or a party of theirs: one row, asked again and again.

    What is sent is read from the client when it is sent, so nothing of the person is kept here.
    """

    TRANSITIONS = {"state": CHECK_TRANSITIONS}

    vendor = models.ForeignKey(ScreeningVendor, on_delete=models.PROTECT, related_name="checks", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="vendor_checks")
    party = models.ForeignKey(ScreenedParty, on_delete=models.PROTECT, null=True, related_name="vendor_checks")
    reference = models.CharField(
        max_length=32, unique=True, default=new_reference, help_text="What the vendor knows them by"
    )
    state = models.CharField(max_length=10, choices=CheckState.choices, default=CheckState.WAITING)
    trigger = models.CharField(max_length=12, choices=ScreeningTrigger.choices)
    is_bulk = models.BooleanField(default=False, help_text="One of everybody: whoever is new goes first")
    wanted_at = models.DateTimeField()
    due_at = models.DateTimeField(
        null=True, help_text="When to send it, or to look up its outcome; empty: not automatically"
    )
    sent_at = models.DateTimeField(null=True)
    sent_hash = models.CharField(max_length=64, blank=True, help_text="Of the data as sent")
    answered_at = models.DateTimeField(null=True)
    answered_hash = models.CharField(max_length=64, blank=True, help_text="Of the data that was answered last")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Without an answer since it was wanted")
    problem = models.CharField(max_length=300, blank=True)
    hold = models.ForeignKey(
        Restriction, on_delete=models.PROTECT, null=True, related_name="+", help_text="In force until the answer"
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["vendor", "is_bulk", "due_at"], name="vendor_checks_due", condition=Q(due_at__isnull=False)
            ),
            models.Index(fields=["vendor", "state", "answered_at"], name="vendor_checks_by_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "client"], condition=Q(party__isnull=True), name="one_vendor_check_per_client"
            ),
            models.UniqueConstraint(
                fields=["vendor", "party"], condition=Q(party__isnull=False), name="one_vendor_check_per_party"
            ),
            models.CheckConstraint(
                condition=~Q(state="answered") | Q(answered_at__isnull=False, hold__isnull=True),
                name="an_answered_check_holds_nothing",
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sent_at__isnull=False, due_at__isnull=False) & ~Q(sent_hash=""),
                name="a_sent_check_says_when_and_what",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor_id} · {self.reference[:8]}"


class VendorNotice(Webhook):
    """A webhook of a vendor."""

    BODY_PURPOSE = NOTICE_PURPOSE

    connection = models.ForeignKey(ScreeningVendor, on_delete=models.PROTECT, related_name="notices", db_index=False)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["connection", "-id"], name="vendor_notices_by_vendor"),
            models.Index(fields=["due_at", "id"], name="vendor_notices_due", condition=Q(state=WebhookState.WAITING)),
        ]
        constraints = Webhook.constraints("vendor_notice")

    def get_absolute_url(self) -> str:
        return f"/compliance/vendors/notices/{self.pk}/"
