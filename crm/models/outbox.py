"""The transactional outbox: an event row in the transaction of its change, and one delivery row per handler."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from crm.choices import DELIVERY_TRANSITIONS, ActorKind, DeliveryState, SubscriptionState
from crm.db.states import HasState
from crm.models.people import Brand, User

SUBSCRIPTION = "subscription:"


class OutboxEvent(models.Model):
    """Something that happened. Written only by `crm.events.publish`."""

    name = models.CharField(max_length=80)
    version = models.PositiveSmallIntegerField(default=1, help_text="Of the payload's schema")
    payload = models.JSONField()
    client_id = models.BigIntegerField(null=True, help_text="Whose event: deliveries keep their order per client")
    brand_id = models.BigIntegerField(null=True)
    occurred_at = models.DateTimeField(default=timezone.now)
    actor_kind = models.CharField(max_length=8, choices=ActorKind.choices, default=ActorKind.SYSTEM)
    actor_id = models.BigIntegerField(null=True, help_text="The login of whoever caused it; empty for the system")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(client_id__isnull=True) | models.Q(brand_id__isnull=False),
                name="event_of_a_client_has_a_brand",
            ),
            models.CheckConstraint(
                condition=models.Q(actor_kind=ActorKind.SYSTEM, actor_id__isnull=True)
                | (~models.Q(actor_kind=ActorKind.SYSTEM) & models.Q(actor_id__isnull=False)),
                name="event_of_a_person_names_them",
            ),
        ]
        indexes = [
            models.Index(fields=["client_id", "id"], name="outbox_by_client"),
            models.Index(fields=["name", "id"], name="outbox_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"


class JsonPathField(models.TextField):  # type: ignore[type-arg]
    """An SQL/JSON path, which PostgreSQL checks when it is stored: a wrong one would stop everything that is published."""

    def db_type(self, connection: Any) -> str:
        return "jsonpath"


class EventSubscription(models.Model):
    """Events that a brand's administrator wants to have sent somewhere: to people, or to what else an app has declared.

    Written by `crm.staff.event_subscriptions`. Its deliveries are those whose handler is `handler`.
    """

    name = models.CharField(max_length=80)
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, related_name="+", help_text="Empty: events of all brands"
    )
    events = ArrayField(models.CharField(max_length=80))
    condition = models.JSONField(default=dict, help_text="On the events' data; empty: every event")
    path = JsonPathField(null=True, help_text="The condition as the publishing statement asks it")
    target = models.CharField(max_length=20, help_text="A kind of crm.events.targets")
    options = models.JSONField(default=dict, help_text="The target's own: whom to notify, where to send")
    is_enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", help_text="Empty: the system"
    )
    created_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(events__len__gte=1), name="subscription_hears_an_event"),
            models.CheckConstraint(
                condition=models.Q(archived_at__isnull=True) | models.Q(is_enabled=False),
                name="archived_subscription_is_off",
            ),
            models.UniqueConstraint(
                fields=["brand", "name"],
                condition=models.Q(archived_at__isnull=True),
                nulls_distinct=False,
                name="subscription_name_is_unique_in_its_brand",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def handler(self) -> str:
        """Name its deliveries in the delivery table."""
        return f"{SUBSCRIPTION}{self.pk}"

    @property
    def state(self) -> SubscriptionState:
        """Tell whether it hears events, as a badge."""
        if self.archived_at is not None:
            return SubscriptionState.ARCHIVED
        return SubscriptionState.ACTIVE if self.is_enabled else SubscriptionState.PAUSED


class EventDelivery(HasState):
    """One handler's copy of one event; done in the same transaction as what the handler did."""

    TRANSITIONS = {"state": DELIVERY_TRANSITIONS}

    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    handler = models.CharField(max_length=160)
    client_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_index=False)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["event", "handler"], name="an_event_is_handled_once_per_handler"),
            models.CheckConstraint(
                condition=models.Q(state="pending") | models.Q(finished_at__isnull=False),
                name="finished_delivery_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="deliveries_due", condition=models.Q(state="pending")),
            models.Index(
                fields=["handler", "client_id", "id"], name="deliveries_in_order", condition=models.Q(state="pending")
            ),
            models.Index(fields=["id"], name="deliveries_dead", condition=models.Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"{self.handler} ← event {self.event_id}"
