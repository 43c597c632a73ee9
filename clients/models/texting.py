"""Services for text messages, conversations with one number each, their messages, opt-outs, and every webhook as received."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models.client import Client
from clients.texting.choices import (
    OPEN_STATES,
    TEXT_FILE_TRANSITIONS,
    TEXT_TRANSITIONS,
    OptOutReason,
    TextChannel,
    TextFileState,
    TextState,
)
from crm.connections.choices import WebhookState
from crm.connections.models import Connection, ConnectionProposal, Webhook
from crm.db.states import HasState
from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin
from crm.security import crypto

TEXT_CREDENTIALS_PURPOSE = "text-service-credentials"
TEXT_EVENT_PURPOSE = "text-event"
TEXT_PURPOSE = "text-message"


def new_text_reference() -> str:
    """Make what a service knows a message by, as part of where its reports are sent."""
    return secrets.token_hex(16)


class TextService(Connection):
    """One account of one brand at one service for text messages. A number that is empty: the channel isn't used."""

    CREDENTIALS_PURPOSE = TEXT_CREDENTIALS_PURPOSE

    sms_number = models.CharField(max_length=20, blank=True, help_text="E.164: SMS come from it and go to it")
    whatsapp_number = models.CharField(max_length=20, blank=True, help_text="E.164, registered with WhatsApp")

    class Meta:
        ordering = ["brand_id", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand"], condition=Q(is_enabled=True), name="a_brand_uses_one_text_service"
            ),
            models.CheckConstraint(condition=~Q(sms_number="", whatsapp_number=""), name="text_service_has_a_number"),
        ]

    def get_absolute_url(self) -> str:
        return f"/sms/services/{self.pk}/"

    def number_of(self, channel: str) -> str:
        """Return our number on a channel; "" where it isn't used."""
        return self.sms_number if channel == TextChannel.SMS else self.whatsapp_number

    @property
    def channels(self) -> list[TextChannel]:
        return [channel for channel in TextChannel if self.number_of(channel)]


class TextServiceProposal(ConnectionProposal):
    """A service, or a change of one, that another person decides."""

    CREDENTIALS_PURPOSE = TEXT_CREDENTIALS_PURPOSE

    connection = models.ForeignKey(TextService, on_delete=models.PROTECT, null=True, related_name="proposals")
    sms_number = models.CharField(max_length=20, blank=True)
    whatsapp_number = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="text_service_proposals")]
        constraints = [
            *ApprovalMixin.constraints("text_service_proposal"),
            ApprovalMixin.one_open("brand", name="one_open_text_service_per_brand"),
            ConnectionProposal.keeps_no_keys("text_service_proposal"),
        ]


class _Sealed(models.Model):
    """A text under the client's key (`sealed_for`), else under the instance's until a client is known."""

    sealed_for = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    sealed = models.BinaryField(null=True, help_text="Under the instance's key, while no client is known")
    for_client = models.BinaryField(null=True, help_text="Under the key of `sealed_for`")

    class Meta:
        abstract = True

    def seal(self, text: str, client_id: int | None) -> None:
        """Seal a text under a client's key, or the instance's; the caller saves."""
        plain = text.encode()
        self.sealed_for_id = client_id
        self.for_client = crypto.encrypt_for_client(client_id, plain) if client_id is not None else None
        self.sealed = crypto.encrypt(plain, purpose=TEXT_PURPOSE) if client_id is None else None

    @property
    def opened(self) -> str:
        """What was sealed. Raises: crypto.KeyDestroyed after the client's erasure."""
        if self.sealed_for_id is not None:
            return crypto.decrypt_for_client(self.sealed_for_id, self.for_client or b"").decode()
        return crypto.decrypt(bytes(self.sealed or b""), purpose=TEXT_PURPOSE).decode()

    @staticmethod
    def one_key(name: str) -> models.CheckConstraint:
        return models.CheckConstraint(
            condition=Q(sealed__isnull=True, for_client__isnull=False, sealed_for__isnull=False)
            | Q(sealed__isnull=False, for_client__isnull=True, sealed_for__isnull=True),
            name=name,
        )


class TextThread(_Sealed):
    """The messages with one number on one channel. What is sealed is the number; `number_mark`: its keyed hash."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="text_threads", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="text_threads", db_index=False)
    channel = models.CharField(max_length=8, choices=TextChannel.choices)
    number_mark = models.BinaryField(null=True, help_text="Empty after the client's erasure")
    awaits_reply = models.BooleanField(default=False, help_text="The client wrote last, and a person hasn't replied")
    opened_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    last_received_at = models.DateTimeField(null=True, help_text="WhatsApp takes free text for 24 hours after it")
    discarded_at = models.DateTimeField(null=True)
    discarded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    discard_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-last_at", "-id"]
        indexes = [
            models.Index(fields=["client", "-last_at", "-id"], name="text_threads_by_client"),
            models.Index(fields=["-last_at", "-id"], name="text_threads_by_time"),
            models.Index(fields=["-last_at", "-id"], name="text_threads_unassigned", condition=Q(client__isnull=True)),
            models.Index(fields=["sealed_for"], name="text_threads_by_key", condition=Q(sealed_for__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["brand", "channel", "number_mark"], name="a_number_has_one_text_thread"),
            models.CheckConstraint(
                condition=Q(discarded_at__isnull=True, discarded_by__isnull=True, discard_reason="")
                | (Q(discarded_at__isnull=False, discarded_by__isnull=False) & ~Q(discard_reason="")),
                name="a_discarded_text_thread_says_by_whom_and_why",
            ),
            _Sealed.one_key("text_thread_is_sealed_under_one_key"),
        ]

    def __str__(self) -> str:
        return str(self.get_channel_display())

    def get_absolute_url(self) -> str:
        return f"/sms/threads/{self.pk}/"


class TextMessage(HasState, _Sealed):
    """One SMS or WhatsApp message, received or ours. What is sealed is its text."""

    TRANSITIONS = {"state": TEXT_TRANSITIONS}
    FIRST_STATES = {"state": {TextState.QUEUED, TextState.RECEIVED}}

    thread = models.ForeignKey(TextThread, on_delete=models.PROTECT, related_name="messages", db_index=False)
    service = models.ForeignKey(TextService, on_delete=models.PROTECT, related_name="messages", db_index=False)
    state = models.CharField(max_length=12, choices=TextState.choices, default=TextState.QUEUED)
    reference = models.CharField(max_length=32, unique=True, default=new_text_reference)
    remote_id = models.CharField(max_length=80, blank=True, help_text="The service's id; empty until known")
    sender = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    template = models.CharField(max_length=60, blank=True, help_text="Key of its text; empty: free text")
    content_id = models.CharField(max_length=40, blank=True, help_text="The approved WhatsApp template it is sent as")
    content_values = models.BinaryField(null=True, help_text="Its values, under the client's key")
    is_marketing = models.BooleanField(default=False)
    segments = models.PositiveSmallIntegerField(default=1, help_text="As how many SMS it is billed")
    files = models.PositiveSmallIntegerField(default=0, help_text="How many came with it")
    dedupe_key = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, help_text="When it was handed to the service")
    delivered_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="When to send it, or to look it up")
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["thread", "-created_at", "-id"], name="text_messages_by_thread"),
            models.Index(fields=["service", "-id"], name="text_messages_by_service"),
            models.Index(fields=["due_at", "id"], name="text_messages_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["sealed_for"], name="text_messages_by_key", condition=Q(sealed_for__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "remote_id"], condition=~Q(remote_id=""), name="a_text_message_is_kept_once"
            ),
            models.UniqueConstraint(
                fields=["thread", "dedupe_key"], condition=~Q(dedupe_key=""), name="a_text_message_is_sent_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(OPEN_STATES)) | Q(due_at__isnull=True),
                name="only_an_open_text_message_is_due",
            ),
            _Sealed.one_key("text_message_is_sealed_under_one_key"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id} · {self.get_state_display()}"

    @property
    def is_received(self) -> bool:
        return self.state == TextState.RECEIVED

    @property
    def unfetched(self) -> int:
        """Count the files that the service gave no usable address of."""
        return max(self.files - len(self.attachments.all()), 0)


class TextFile(HasState):
    """A picture or file of a message: as the service has it and as we keep it, or ours. `sealed_for`: whose key opens it."""

    TRANSITIONS = {"state": TEXT_FILE_TRANSITIONS}
    FIRST_STATES = {"state": {TextFileState.WAITING, TextFileState.KEPT}}

    message = models.ForeignKey(TextMessage, on_delete=models.PROTECT, related_name="attachments", db_index=False)
    number = models.PositiveSmallIntegerField()
    remote_id = models.CharField(max_length=80, help_text="The service's")
    state = models.CharField(max_length=8, choices=TextFileState.choices, default=TextFileState.WAITING)
    name = models.CharField(max_length=120, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    sealed_for = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    store_key = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(null=True, help_text="When to fetch it")
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["number"]
        indexes = [
            models.Index(fields=["due_at", "id"], name="text_files_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["sealed_for"], name="text_files_by_key", condition=Q(sealed_for__isnull=False)),
            models.Index(fields=["store_key"], name="text_files_by_file", condition=~Q(store_key="")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["message", "remote_id"], name="a_text_file_is_kept_once"),
            models.CheckConstraint(
                condition=(Q(state="kept") & ~Q(store_key="")) | (~Q(state="kept") & Q(store_key="")),
                name="a_kept_text_file_has_its_file",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.remote_id


class TextOptOut(models.Model):
    """That a brand sends a number no messages on a channel: why and since when; and who lifted it. A number is its keyed hash.

    It stays after an erasure, as the objection does: a hash of a number names nobody.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="text_opt_outs", db_index=False)
    channel = models.CharField(max_length=8, choices=TextChannel.choices)
    number_mark = models.BinaryField()
    reason = models.CharField(max_length=8, choices=OptOutReason.choices)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    added_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-added_at", "-id"]
        indexes = [models.Index(fields=["brand", "-added_at"], name="text_opt_outs_by_brand")]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "channel", "number_mark", "reason"],
                condition=Q(lifted_at__isnull=True),
                name="a_number_opts_out_once_per_reason",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | (Q(lifted_at__isnull=False) & ~Q(lift_reason="")),
                name="a_lifted_opt_out_says_why",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_reason_display())


class TextEvent(Webhook):
    """A webhook of a service for text messages."""

    BODY_PURPOSE = TEXT_EVENT_PURPOSE

    connection = models.ForeignKey(TextService, on_delete=models.PROTECT, related_name="events", db_index=False)
    text_message = models.ForeignKey(
        TextMessage, on_delete=models.PROTECT, null=True, related_name="events", db_index=False
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["connection", "-id"], name="text_events_by_service"),
            models.Index(fields=["connection", "subject_id"], name="text_events_by_subject"),
            models.Index(
                fields=["text_message"], name="text_events_by_message", condition=Q(text_message__isnull=False)
            ),
            models.Index(fields=["due_at", "id"], name="text_events_due", condition=Q(state=WebhookState.WAITING)),
        ]
        constraints = Webhook.constraints("text_event")

    def get_absolute_url(self) -> str:
        return f"/sms/events/{self.pk}/"

    @property
    def client(self) -> Client | None:
        return self.text_message.thread.client if self.text_message is not None else None
