"""Who calls the API: tokens of people and of service accounts, their powerful scopes, and writes that may be sent twice."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from crm.choices import TokenState
from crm.models.approvals import ApprovalMixin
from crm.models.people import User


class ApiToken(models.Model):
    """A key to the API with the rights of its user, narrowed to its scopes. The secret is shown once; its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens", db_index=False)
    name = models.CharField(max_length=60)
    scopes = ArrayField(models.CharField(max_length=30))
    hint = models.CharField(max_length=12, help_text="Its first characters, by which people recognise it")
    secret_hash = models.BinaryField(max_length=32, unique=True)
    networks = ArrayField(
        models.CharField(max_length=43), default=list, blank=True, help_text="Addresses it may be used from; empty: any"
    )
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    last_used_at = models.DateTimeField(null=True)
    last_used_ip = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("use_api", "May create personal API tokens"),
            ("manage_api", "May set up service accounts and their API tokens"),
        ]
        indexes = [models.Index(fields=["user", "-id"], name="api_tokens_of_a_user")]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="api_token_has_a_name"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="api_token_expires_after_its_creation"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="revoked_api_token_says_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def get_absolute_url(self) -> str:
        return f"/api-tokens/{self.pk}/"

    @property
    def state(self) -> TokenState:
        if self.revoked_at:
            return TokenState.REVOKED
        return TokenState.EXPIRED if self.expires_at <= timezone.now() else TokenState.ACTIVE


class ApiScopeRequest(ApprovalMixin):
    """Powerful scopes for a token: another person decides whether it gets them."""

    token = models.ForeignKey(ApiToken, on_delete=models.PROTECT, related_name="scope_requests")
    scopes = ArrayField(models.CharField(max_length=30))

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("api_scope_request"),
            ApprovalMixin.one_open("token", name="one_open_scope_request_per_token"),
        ]

    def __str__(self) -> str:
        return f"{', '.join(self.scopes)} → {self.token}"


class IdempotentRequest(models.Model):
    """A write that was done under an Idempotency-Key, in the transaction of the write itself.

    It names the record that came of it, not its content: a repeated request reads the record as it is now.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=80)
    request_hash = models.BinaryField(max_length=32, help_text="Of method, address and body")
    status = models.PositiveSmallIntegerField(default=0)
    resource = models.CharField(max_length=40, blank=True)
    record_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["created_at"], name="idempotent_requests_by_age")]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_request_per_idempotency_key")]

    def __str__(self) -> str:
        return f"{self.key} → {self.resource} {self.record_id}"
