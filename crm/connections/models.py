"""What the tables of every kind of connection have in common: the connection, a proposal of one, and its webhooks."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.connections.choices import WEBHOOK_TRANSITIONS, WebhookState, WebhookVerdict
from crm.db.states import HasState
from crm.models import Brand
from crm.models.approvals import ApprovalMixin
from crm.security import crypto


class WithKeys(models.Model):
    """What a connection and its proposal say, with keys that are encrypted under the instance's field key."""

    CREDENTIALS_PURPOSE: ClassVar[str]

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="%(class)ss", db_index=False)
    code = models.SlugField(max_length=20)
    name = models.CharField(max_length=60)
    adapter = models.CharField(max_length=20)
    base_url = models.CharField(max_length=200, blank=True)
    is_enabled = models.BooleanField(default=True)
    sealed_credentials = models.BinaryField(null=True, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def credentials(self) -> dict[str, Any]:
        """Keys in the clear; for adapters only, never for a page."""
        if not self.sealed_credentials:
            return {}
        opened = crypto.decrypt(bytes(self.sealed_credentials), purpose=self.CREDENTIALS_PURPOSE)
        keys: dict[str, Any] = json.loads(opened)
        return keys

    @property
    def stored_keys(self) -> frozenset[str]:
        """Name the keys that are stored, without their values."""
        return frozenset(name for name, value in self.credentials.items() if value)

    @classmethod
    def sealed(cls, keys: dict[str, Any]) -> bytes:
        """Seal keys under the instance's field key."""
        return crypto.encrypt(json.dumps(keys).encode(), purpose=cls.CREDENTIALS_PURPOSE)


class Connection(WithKeys):
    """One account of one brand at one outside service."""

    code = models.SlugField(max_length=20, unique=True, help_text=_("Used in the webhook's address"))
    last_checked_at = models.DateTimeField(null=True)
    last_check_error = models.CharField(max_length=300, blank=True)
    last_webhook_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True, help_text="Since when no call was answered; empty while it answers")
    problem = models.CharField(max_length=300, blank=True, help_text="Why it is failing")
    refused_on = models.DateField(null=True, help_text="The day that refused_count counts")
    refused_count = models.PositiveIntegerField(default=0, help_text="Webhooks refused on that day, kept or not")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


class ConnectionProposal(ApprovalMixin, WithKeys):
    """A connection, or a change of one, that another person decides. Keys that were entered are sealed here until then.

    `connection`: the one that changes; empty for a new one.
    """

    keys_changed = ArrayField(models.CharField(max_length=40), default=list)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def keeps_no_keys(name: str) -> models.CheckConstraint:
        """Hold that keys are with a proposal only until it is decided."""
        return models.CheckConstraint(
            condition=Q(state="pending") | Q(sealed_credentials__isnull=True), name=f"{name}_keeps_no_keys"
        )


class Webhook(HasState):
    """A message as received: stored first, judged by its signature then, acted on later, and only by asking the service.

    `connection`: whose address it came to.
    """

    TRANSITIONS = {"state": WEBHOOK_TRANSITIONS}
    BODY_PURPOSE: ClassVar[str]

    received_at = models.DateTimeField()
    body_sealed = models.BinaryField(
        help_text="Under the instance's key: it may name a person before we know whose it is"
    )
    body_sha256 = models.CharField(max_length=64)
    message_id = models.CharField(
        max_length=80, blank=True, help_text="The service's id of the message, or the digest of its body"
    )
    signed_at = models.DateTimeField(null=True)
    algorithm = models.CharField(max_length=40, blank=True)
    ip = models.GenericIPAddressField(null=True)
    verdict = models.CharField(max_length=16, choices=WebhookVerdict.choices, default=WebhookVerdict.UNJUDGED)
    event_type = models.CharField(max_length=60, blank=True)
    subject_id = models.CharField(max_length=120, blank=True, help_text="The service's id of what it is about")
    reference = models.CharField(max_length=80, blank=True, help_text="Ours, as the service knows it")
    correlation_id = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=10, choices=WebhookState.choices, default=WebhookState.RECEIVED)
    repeats = models.PositiveIntegerField(default=0, help_text="How often the same message was received again")
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=300, blank=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.connection_id} {self.event_type or self.verdict}"  # type: ignore[attr-defined]

    @property
    def body(self) -> bytes:
        return crypto.decrypt(bytes(self.body_sealed), purpose=self.BODY_PURPOSE)

    @property
    def client(self) -> Any:
        """Whom it is about, where that is known."""
        return None

    @classmethod
    def sealed(cls, body: bytes) -> bytes:
        """Seal a body under the instance's field key."""
        return crypto.encrypt(body, purpose=cls.BODY_PURPOSE)

    @staticmethod
    def constraints(name: str) -> list[models.BaseConstraint]:
        """Hold that a message is acted on once, and only if it was accepted."""
        accepted = Q(verdict=WebhookVerdict.ACCEPTED)
        return [
            models.UniqueConstraint(
                fields=["connection", "message_id"], condition=accepted, name=f"a_{name}_is_accepted_once"
            ),
            models.CheckConstraint(
                condition=accepted | Q(state__in=[WebhookState.RECEIVED, WebhookState.REFUSED]),
                name=f"only_an_accepted_{name}_is_acted_on",
            ),
        ]
