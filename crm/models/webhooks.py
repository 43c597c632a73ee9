"""Webhooks: the addresses that a brand has its events sent to, what was sent, and each attempt with its answer."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

from django.db import models
from django.db.models import Q

from crm.choices import (
    WEBHOOK_DELIVERY_TRANSITIONS,
    WEBHOOK_TRANSITIONS,
    CallFailure,
    WebhookDeliveryState,
    WebhookState,
)
from crm.db.states import HasState
from crm.models.approvals import ApprovalMixin
from crm.models.outbox import EventSubscription, OutboxEvent
from crm.models.people import Brand, User

URL_CHARS_MAX: Final = 1_000


class WebhookEndpoint(HasState):
    """An address of a brand's own system. Which events it gets, and on what condition, is its event subscription.

    Written by `crm.outbound`.
    """

    TRANSITIONS = {"state": WEBHOOK_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=URL_CHARS_MAX)
    subscription = models.OneToOneField(EventSubscription, on_delete=models.PROTECT, related_name="webhook")
    versions = models.JSONField(default=dict, help_text="Event → version of its schema that the receiver was built for")
    has_personal_data = models.BooleanField(default=False, help_text="Approved by a second person for this address")
    state = models.CharField(max_length=8, choices=WebhookState.choices, default=WebhookState.ACTIVE)
    sealed_secret = models.BinaryField(editable=False)
    sealed_old_secret = models.BinaryField(null=True, editable=False, help_text="Signs too until `old_secret_until`")
    old_secret_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True, help_text="Nothing was taken since; empty while it takes")
    failures = models.PositiveIntegerField(default=0, help_text="In a row")
    held_until = models.DateTimeField(null=True, help_text="Not called before, after a failure or as it asked")
    taken_at = models.DateTimeField(null=True, help_text="When it last took something")
    is_hook = models.BooleanField(default=False, help_text="Made by an integration over the API")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sealed_old_secret__isnull=True, old_secret_until__isnull=True)
                | Q(sealed_old_secret__isnull=False, old_secret_until__isnull=False),
                name="an_old_webhook_secret_has_an_end",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/webhooks/{self.pk}/"

    def has_old_secret(self, now: dt.datetime) -> bool:
        """Tell whether the secret before the last rotation still signs too."""
        return self.old_secret_until is not None and self.old_secret_until > now


class WebhookDataProposal(ApprovalMixin):
    """Personal data in what an address is sent, which another person decides."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="proposals")
    url = models.CharField(max_length=URL_CHARS_MAX, help_text="As it was proposed: for another it isn't approved")

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("webhook_data_proposal"),
            ApprovalMixin.one_open("endpoint", name="one_open_webhook_data_proposal"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id}: {self.url[:60]}"


class WebhookDelivery(HasState):
    """One message to one address: written with what the event's delivery was, sent until it is taken or given up."""

    TRANSITIONS = {"state": WEBHOOK_DELIVERY_TRANSITIONS}

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    event = models.ForeignKey(
        OutboxEvent, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, help_text="Empty: a test"
    )
    event_name = models.CharField(max_length=80)
    client_id = models.BigIntegerField(null=True, help_text="Whose event: sent in order")
    message_id = models.UUIDField(default=uuid.uuid4, help_text="`webhook-id`: the same for every attempt")
    body = models.BinaryField(help_text="As sent; under the client's key where `is_sealed`")
    is_sealed = models.BooleanField(default=False)
    state = models.CharField(max_length=9, choices=WebhookDeliveryState.choices, default=WebhookDeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, help_text="A worker is sending it")
    status_code = models.PositiveSmallIntegerField(null=True)
    failure = models.CharField(max_length=11, choices=CallFailure.choices, blank=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="an_event_is_sent_once_per_webhook"),
            models.CheckConstraint(
                condition=~Q(state="delivered") | Q(done_at__isnull=False, failure=""),
                name="a_delivered_webhook_has_no_failure",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting") | Q(leased_until__isnull=True), name="only_a_waiting_webhook_is_leased"
            ),
            models.CheckConstraint(
                condition=Q(is_sealed=False) | Q(client_id__isnull=False), name="a_sealed_webhook_has_a_client"
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "next_at", "id"], condition=Q(state="waiting"), name="webhooks_to_send"),
            models.Index(
                fields=["endpoint", "client_id", "id"], condition=Q(state="waiting"), name="webhooks_in_order"
            ),
            models.Index(fields=["endpoint", "-id"], name="webhooks_of_an_endpoint"),
            models.Index(fields=["endpoint", "-id"], condition=Q(state="failed"), name="webhooks_failed"),
            models.Index(fields=["done_at"], condition=Q(done_at__isnull=False), name="webhooks_done"),
        ]

    def __str__(self) -> str:
        return f"{self.event_name} → {self.endpoint_id}"


class WebhookAttempt(models.Model):
    """One call with its answer, whose beginning is kept: under the client's key where the event is a client's."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="attempt_log")
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True)
    failure = models.CharField(max_length=11, choices=CallFailure.choices, blank=True)
    answer = models.BinaryField(blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.at}"
