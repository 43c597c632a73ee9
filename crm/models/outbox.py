"""The transactional outbox: an event row in the transaction of its change, and one delivery row per handler."""

from django.db import models

from crm.choices import DELIVERY_TRANSITIONS, DeliveryState
from crm.db.states import HasState


class OutboxEvent(models.Model):
    """Something that happened. Written only by `crm.events.publish`."""

    name = models.CharField(max_length=80)
    payload = models.JSONField()
    client_id = models.BigIntegerField(null=True, help_text="Whose event: deliveries keep their order per client")
    brand_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["client_id", "id"], name="outbox_by_client"),
            models.Index(fields=["name", "id"], name="outbox_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"


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
