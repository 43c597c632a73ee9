"""Connections to screening vendors, what each was asked about whom, and every webhook as received."""

from __future__ import annotations

import json
import secrets
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from compliance.choices import ScreeningTrigger
from compliance.models.parties import ScreenedParty
from compliance.models.restrictions import Restriction
from compliance.models.watchlists import WatchlistSource
from compliance.vendors.choices import CHECK_TRANSITIONS, NOTICE_TRANSITIONS, CheckState, NoticeState, NoticeVerdict
from crm.db.states import HasState
from crm.models import Brand
from crm.models.approvals import ApprovalMixin
from crm.security import crypto

CREDENTIALS_PURPOSE = "screening-vendor-credentials"
NOTICE_PURPOSE = "screening-vendor-notice"
THRESHOLD = Decimal("0.7")


def opened_credentials(sealed: bytes | memoryview | None) -> dict[str, Any]:
    """Open sealed keys; none where there are none."""
    if not sealed:
        return {}
    keys: dict[str, Any] = json.loads(crypto.decrypt(bytes(sealed), purpose=CREDENTIALS_PURPOSE))
    return keys


def sealed_credentials(values: dict[str, Any]) -> bytes:
    """Seal keys under the instance's field key."""
    return crypto.encrypt(json.dumps(values).encode(), purpose=CREDENTIALS_PURPOSE)


def new_reference() -> str:
    """Make what a vendor knows a person by: it tells nothing of them."""
    return secrets.token_hex(16)


class ScreeningVendor(models.Model):
    """One account of one brand at one screening vendor. Its keys are encrypted under the instance's field key.

    The entities that it reported are the entries of a source of its own, which the built-in matcher never reads.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="screening_vendors", db_index=False)
    source = models.OneToOneField(WatchlistSource, on_delete=models.PROTECT, related_name="vendor")
    code = models.SlugField(max_length=20, unique=True, help_text=_("Used in the webhook's address"))
    name = models.CharField(max_length=60)
    adapter = models.CharField(max_length=20)
    base_url = models.CharField(max_length=200, blank=True)
    dataset = models.CharField(max_length=60, help_text="The vendor's collection that is asked")
    threshold = models.DecimalField(
        max_digits=4,
        decimal_places=3,
        default=THRESHOLD,
        validators=[MinValueValidator(Decimal("0.3")), MaxValueValidator(Decimal(1))],
        help_text="Score of the vendor's from which on a result is a possible match",
    )
    is_enabled = models.BooleanField(default=True)
    sealed_credentials = models.BinaryField(null=True, editable=False)
    last_checked_at = models.DateTimeField(null=True)
    last_check_error = models.CharField(max_length=300, blank=True)
    last_answer_at = models.DateTimeField(null=True, help_text="When it last answered about somebody")
    last_notice_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True, help_text="Since when no call was answered; empty while it answers")
    problem = models.CharField(max_length=300, blank=True, help_text="Why it is failing")
    refused_on = models.DateField(null=True, help_text="The day that refused_count counts")
    refused_count = models.PositiveIntegerField(default=0, help_text="Webhooks refused on that day, kept or not")
    created_at = models.DateTimeField(auto_now_add=True)

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

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/compliance/vendors/{self.pk}/"

    @property
    def credentials(self) -> dict[str, Any]:
        """Keys in the clear; for adapters only, never for a page."""
        return opened_credentials(self.sealed_credentials)


class ScreeningVendorProposal(ApprovalMixin):
    """A connection, or a change of one, that another person decides. Keys that were entered are sealed here until then."""

    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, related_name="screening_vendor_proposals", db_index=False
    )
    vendor = models.ForeignKey(ScreeningVendor, on_delete=models.PROTECT, null=True, related_name="proposals")
    code = models.SlugField(max_length=20)
    name = models.CharField(max_length=60)
    adapter = models.CharField(max_length=20)
    base_url = models.CharField(max_length=200, blank=True)
    dataset = models.CharField(max_length=60)
    threshold = models.DecimalField(max_digits=4, decimal_places=3, default=THRESHOLD)
    is_enabled = models.BooleanField(default=True)
    sealed_credentials = models.BinaryField(null=True, editable=False)
    keys_changed = ArrayField(models.CharField(max_length=40), default=list)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="screening_vendor_proposals")]
        constraints = [
            *ApprovalMixin.constraints("screening_vendor_proposal"),
            ApprovalMixin.one_open("brand", name="one_open_screening_vendor_per_brand"),
            models.CheckConstraint(
                condition=Q(state="pending") | Q(sealed_credentials__isnull=True),
                name="screening_vendor_proposal_keeps_no_keys",
            ),
        ]

    def __str__(self) -> str:
        return self.name


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


class VendorNotice(HasState):
    """A webhook as received: stored first, judged by its signature then, acted on later, and only by asking the vendor."""

    TRANSITIONS = {"state": NOTICE_TRANSITIONS}

    vendor = models.ForeignKey(ScreeningVendor, on_delete=models.PROTECT, related_name="notices", db_index=False)
    received_at = models.DateTimeField()
    body_sealed = models.BinaryField(help_text="Under the instance's key")
    body_sha256 = models.CharField(max_length=64)
    message_id = models.CharField(max_length=80, blank=True, help_text="The vendor's id of the message")
    signed_at = models.DateTimeField(null=True)
    ip = models.GenericIPAddressField(null=True)
    verdict = models.CharField(max_length=16, choices=NoticeVerdict.choices, default=NoticeVerdict.UNJUDGED)
    event_type = models.CharField(max_length=60, blank=True)
    entity_id = models.CharField(max_length=120, blank=True)
    reference = models.CharField(max_length=32, blank=True)
    state = models.CharField(max_length=10, choices=NoticeState.choices, default=NoticeState.RECEIVED)
    repeats = models.PositiveIntegerField(default=0, help_text="How often the same message was received again")
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=300, blank=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["vendor", "-id"], name="vendor_notices_by_vendor"),
            models.Index(fields=["due_at", "id"], name="vendor_notices_due", condition=Q(state=NoticeState.WAITING)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "message_id"],
                condition=Q(verdict=NoticeVerdict.ACCEPTED),
                name="a_vendor_notice_is_accepted_once",
            ),
            models.CheckConstraint(
                condition=Q(verdict=NoticeVerdict.ACCEPTED) | Q(state__in=[NoticeState.RECEIVED, NoticeState.REFUSED]),
                name="only_an_accepted_vendor_notice_is_acted_on",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor_id} {self.event_type or self.verdict}"

    def get_absolute_url(self) -> str:
        return f"/compliance/vendors/notices/{self.pk}/"

    @property
    def body(self) -> bytes:
        return crypto.decrypt(bytes(self.body_sealed), purpose=NOTICE_PURPOSE)
