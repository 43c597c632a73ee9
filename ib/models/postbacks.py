"""Server-to-server postbacks: where a partner wants to hear of their clients, what was sent, and what a network reported."""

from __future__ import annotations

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from clients.models import Client
from crm.db.states import HasState
from crm.security import crypto
from ib.models.partners import Partner, ReferralLink
from ib.tracking.choices import (
    DELIVERY_TRANSITIONS,
    REPORT_TRANSITIONS,
    DeliveryState,
    PostbackEvent,
    PostbackFailure,
    ReportKind,
    ReportState,
)
from leads.models import LeadSource

PURPOSE: Final = "ib.postback"
URL_LONGEST: Final = 1000
SENT_URL_LONGEST: Final = 3000


class WithSecret(models.Model):
    """A row with a signing key, sealed under the instance's key."""

    sealed_secret = models.BinaryField(editable=False)

    class Meta:
        abstract = True

    @property
    def secret(self) -> str:
        """The signing key in the clear, for its owner and for signing."""
        return crypto.decrypt(bytes(self.sealed_secret), purpose=PURPOSE).decode()

    @classmethod
    def sealed(cls, secret: str) -> bytes:
        """Seal a signing key."""
        return crypto.encrypt(secret.encode(), purpose=PURPOSE)


class Postback(WithSecret):
    """An address of a partner's or lead source's own tracking system, called when one of their clients takes a step."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, null=True, related_name="postbacks")
    source = models.ForeignKey(LeadSource, on_delete=models.PROTECT, null=True, related_name="postbacks")
    url = models.CharField(max_length=URL_LONGEST, help_text="With macros in braces")
    events = ArrayField(models.CharField(max_length=12, choices=PostbackEvent.choices))
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(partner__isnull=True) ^ Q(source__isnull=True), name="a_postback_has_one_owner"
            )
        ]

    def __str__(self) -> str:
        return f"{self.owner}: {self.url[:60]}"

    @property
    def owner(self) -> Partner | LeadSource:
        """Whose system it is."""
        found = self.partner or self.source
        assert found is not None  # the CHECK holds it
        return found


class PostbackDelivery(HasState):
    """One call of a postback, as its address was when the step was taken: once per client and step, or a test."""

    TRANSITIONS = {"state": DELIVERY_TRANSITIONS}

    postback = models.ForeignKey(Postback, on_delete=models.PROTECT, related_name="deliveries")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+")
    event = models.CharField(max_length=12, choices=PostbackEvent.choices)
    url = models.CharField(max_length=SENT_URL_LONGEST)
    state = models.CharField(max_length=9, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    status_code = models.PositiveSmallIntegerField(null=True)
    failure = models.CharField(max_length=11, choices=PostbackFailure.choices, blank=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["postback", "client", "event"], name="a_postback_is_sent_once_per_client_and_step"
            ),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.DELIVERED) | Q(done_at__isnull=False, failure=""),
                name="a_delivered_postback_has_no_failure",
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state=DeliveryState.WAITING), name="postbacks_to_send"),
            models.Index(fields=["postback", "-id"], name="deliveries_of_a_postback"),
        ]

    def __str__(self) -> str:
        return f"{self.postback_id} {self.event}"

    @property
    def is_test(self) -> bool:
        return self.client_id is None


class PostbackKey(WithSecret):
    """What an affiliate network signs its reports with, and the public code in its address."""

    partner = models.OneToOneField(Partner, on_delete=models.PROTECT, related_name="postback_key")
    code = models.CharField(max_length=32, unique=True)
    refused_on = models.DateField(null=True, help_text="The day that refused_count counts")
    refused_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.code


class PostbackReport(HasState):
    """A click or conversion that a network reported: stored as it came, judged then, acted on once."""

    TRANSITIONS = {"state": REPORT_TRANSITIONS}

    key = models.ForeignKey(PostbackKey, on_delete=models.PROTECT, related_name="reports")
    received_at = models.DateTimeField()
    query = models.CharField(max_length=2000, help_text="As received, without the signature")
    state = models.CharField(max_length=9, choices=ReportState.choices, default=ReportState.RECEIVED)
    report_id = models.CharField(max_length=100, blank=True, help_text="The network's own id: the same one counts once")
    kind = models.CharField(max_length=10, choices=ReportKind.choices, blank=True)
    click_id = models.CharField(max_length=200, blank=True)
    sub_id = models.CharField(max_length=60, blank=True)
    link = models.ForeignKey(ReferralLink, on_delete=models.PROTECT, null=True, related_name="+")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+")
    repeats = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["key", "report_id"], condition=~Q(report_id=""), name="a_report_of_a_network_counts_once"
            )
        ]
        indexes = [
            models.Index(fields=["key", "-id"], name="reports_of_a_network"),
            models.Index(fields=["click_id"], condition=~Q(click_id=""), name="reported_clicks"),
        ]

    def __str__(self) -> str:
        return f"{self.key_id} {self.kind} {self.report_id}"
