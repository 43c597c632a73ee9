"""Connections to outside KYC providers, checks of clients there, the pictures they brought, and every webhook as received."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from clients.models import Client
from crm.connections.choices import WebhookState
from crm.connections.models import Connection, ConnectionProposal, Webhook
from crm.db.states import HasState
from crm.models import User
from crm.models.approvals import ApprovalMixin
from crm.security import crypto
from kyc.choices import DocumentKind, IssueCode, Side
from kyc.models.documents import Document
from kyc.providers.choices import CHECK_TRANSITIONS, OPEN_CHECKS, WITH_RESULT, ProviderCheckState

CREDENTIALS_PURPOSE = "kyc-provider-credentials"
MESSAGE_PURPOSE = "kyc-provider-message"
DEFAULT_ALGORITHMS = ("HMAC_SHA256_HEX", "HMAC_SHA512_HEX")


def default_algorithms() -> list[str]:
    """Allow the digests of today; SHA-1, which providers document too, only where it is selected."""
    return list(DEFAULT_ALGORITHMS)


class KycProvider(Connection):
    """One account of one brand at one KYC provider."""

    CREDENTIALS_PURPOSE = CREDENTIALS_PURPOSE

    level_name = models.CharField(max_length=100, help_text="The provider's name of what it checks")
    webhook_algorithms = ArrayField(models.CharField(max_length=20), default=default_algorithms)

    class Meta:
        ordering = ["brand_id", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand"], condition=Q(is_enabled=True), name="a_brand_uses_one_kyc_provider"
            ),
            models.CheckConstraint(condition=~Q(level_name=""), name="kyc_provider_has_a_level"),
            models.CheckConstraint(condition=~Q(webhook_algorithms=[]), name="kyc_provider_allows_an_algorithm"),
        ]

    def get_absolute_url(self) -> str:
        return f"/kyc/providers/{self.pk}/"


class KycProviderProposal(ConnectionProposal):
    """A provider, or a change of one, that another person decides."""

    CREDENTIALS_PURPOSE = CREDENTIALS_PURPOSE

    connection = models.ForeignKey(KycProvider, on_delete=models.PROTECT, null=True, related_name="proposals")
    level_name = models.CharField(max_length=100)
    webhook_algorithms = ArrayField(models.CharField(max_length=20), default=default_algorithms)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="kyc_provider_proposals")]
        constraints = [
            *ApprovalMixin.constraints("kyc_provider_proposal"),
            ApprovalMixin.one_open("brand", name="one_open_kyc_provider_per_brand"),
            ConnectionProposal.keeps_no_keys("kyc_provider_proposal"),
        ]


class ProviderCheck(HasState):
    """One check of a client at a provider. The provider's state as it was last looked up is what counts."""

    TRANSITIONS = {"state": CHECK_TRANSITIONS}

    provider = models.ForeignKey(KycProvider, on_delete=models.PROTECT, related_name="checks", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="provider_checks", db_index=False)
    external_id = models.CharField(max_length=40, unique=True, help_text="What the provider knows the client by")
    applicant_id = models.CharField(max_length=80, blank=True)
    level_name = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=ProviderCheckState.choices, default=ProviderCheckState.STARTING)
    labels = ArrayField(models.CharField(max_length=60), default=list, help_text="The provider's reasons")
    flaw = models.CharField(max_length=20, choices=IssueCode.choices, blank=True, help_text="Our name of the first")
    message = models.TextField(blank=True, help_text="Message to client")
    attempt = models.PositiveSmallIntegerField(default=0, help_text="The provider counts from 0")
    results = models.JSONField(default=list, help_text="Each check's verdict, reason and labels, without personal data")
    result_sealed = models.BinaryField(null=True, help_text="The provider's answer under the client's key")
    result_sha256 = models.CharField(max_length=64, blank=True)
    has_pictures = models.BooleanField(default=False, help_text="All pictures of the result are in our own store")
    problem = models.CharField(max_length=300, blank=True, help_text="Why the last call brought nothing")
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    started_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, help_text="When the look-up began whose answer is applied")
    look_due_at = models.DateTimeField(null=True)
    look_attempts = models.PositiveSmallIntegerField(default=0)
    reviewed_at = models.DateTimeField(null=True, help_text="When the provider decided")
    deleted_at = models.DateTimeField(null=True, help_text="When the provider was made to delete the client's data")
    delete_due_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["client", "-id"], name="provider_checks_by_client"),
            models.Index(fields=["provider", "applicant_id"], name="provider_checks_by_applicant"),
            models.Index(
                fields=["look_due_at", "id"], name="provider_checks_due", condition=Q(look_due_at__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(state__in=OPEN_CHECKS), name="one_open_provider_check_per_client"
            ),
            models.UniqueConstraint(
                fields=["provider", "applicant_id"], condition=~Q(applicant_id=""), name="an_applicant_has_one_check"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=WITH_RESULT) | Q(result_sealed__isnull=False) & ~Q(result_sha256=""),
                name="provider_result_has_its_evidence",
            ),
            models.CheckConstraint(condition=~Q(state="retry") | ~Q(message=""), name="repeated_check_says_what_to_do"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} · {self.external_id}"

    @property
    def result(self) -> dict[str, Any]:
        """The provider's answer as it came; empty before there is one and after an erasure."""
        if not self.result_sealed:
            return {}
        try:
            answer: dict[str, Any] = orjson.loads(crypto.decrypt_for_client(self.client_id, bytes(self.result_sealed)))
        except crypto.KeyDestroyed:
            return {}
        return answer


class ProviderPicture(models.Model):
    """One picture of a check: a document of ours once it was fetched, or why it couldn't become one."""

    check_at_provider = models.ForeignKey(
        ProviderCheck, on_delete=models.PROTECT, related_name="pictures", db_index=False
    )
    image_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=DocumentKind.choices)
    side = models.CharField(max_length=6, choices=Side.choices, default=Side.FRONT)
    document = models.OneToOneField(Document, on_delete=models.PROTECT, null=True, related_name="provider_picture")
    problem = models.CharField(max_length=300, blank=True)
    issued_on = models.DateField(null=True, help_text="As the provider read it")
    expires_on = models.DateField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["check_at_provider", "image_id"], name="a_picture_is_fetched_once"),
            models.CheckConstraint(
                condition=Q(document__isnull=False, problem="") | Q(document__isnull=True) & ~Q(problem=""),
                name="picture_is_a_document_or_says_why_not",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.image_id}"


class ProviderMessage(Webhook):
    """A webhook of a provider; acted on only by a look-up."""

    BODY_PURPOSE = MESSAGE_PURPOSE

    connection = models.ForeignKey(KycProvider, on_delete=models.PROTECT, related_name="messages", db_index=False)
    check_at_provider = models.ForeignKey(ProviderCheck, on_delete=models.PROTECT, null=True, related_name="messages")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["connection", "-id"], name="kyc_messages_by_provider"),
            models.Index(fields=["due_at", "id"], name="kyc_messages_due", condition=Q(state=WebhookState.WAITING)),
        ]
        constraints = Webhook.constraints("kyc_message")

    @property
    def client(self) -> Client | None:
        return self.check_at_provider.client if self.check_at_provider else None

    def get_absolute_url(self) -> str:
        return f"/kyc/providers/messages/{self.pk}/"
