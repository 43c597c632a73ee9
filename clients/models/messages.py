"""E-mail accounts that are read, threads with clients, what came in with its attachments, and addresses that get no e-mail."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.messages.choices import (
    INCOMING_TRANSITIONS,
    AttachmentVerdict,
    IncomingState,
    MatchedBy,
    SenderProof,
    SuppressionReason,
)
from clients.models.client import Client
from crm.connections.models import Connection, ConnectionProposal
from crm.db.states import HasState
from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin
from crm.security import crypto

CREDENTIALS_PURPOSE = "mailbox-credentials"
BODY_PURPOSE = "incoming-mail"


class Mailbox(Connection):
    """An e-mail account of a brand that clients write to, read over IMAP."""

    CREDENTIALS_PURPOSE = CREDENTIALS_PURPOSE

    address = models.EmailField(help_text="Where clients write to; replies come to it with the thread's token")
    auth_server = models.CharField(
        max_length=120, blank=True, help_text="Whose Authentication-Results count; empty: no sender is proved"
    )
    uid_validity = models.BigIntegerField(default=0)
    last_uid = models.BigIntegerField(default=0, help_text="The newest e-mail that was read")
    polled_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["brand_id", "name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["brand"], condition=Q(is_enabled=True), name="a_brand_reads_one_mailbox"),
            models.CheckConstraint(condition=~Q(address=""), name="mailbox_has_an_address"),
        ]

    def get_absolute_url(self) -> str:
        return f"/mail/mailboxes/{self.pk}/"


class MailboxProposal(ConnectionProposal):
    """A mailbox, or a change of one, that another person decides."""

    CREDENTIALS_PURPOSE = CREDENTIALS_PURPOSE

    connection = models.ForeignKey(Mailbox, on_delete=models.PROTECT, null=True, related_name="proposals")
    address = models.EmailField()
    auth_server = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="mailbox_proposals")]
        constraints = [
            *ApprovalMixin.constraints("mailbox_proposal"),
            ApprovalMixin.one_open("brand", name="one_open_mailbox_per_brand"),
            ConnectionProposal.keeps_no_keys("mailbox_proposal"),
        ]


class MailThread(models.Model):
    """E-mails with one client that answer each other."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="mail_threads", db_index=False)
    subject = models.CharField(max_length=200, blank=True)
    awaits_reply = models.BooleanField(default=False, help_text="The client wrote last, and a person hasn't replied")
    opened_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-last_at", "-id"]
        indexes = [
            models.Index(fields=["client", "-last_at", "-id"], name="mail_threads_by_client"),
            models.Index(fields=["-last_at", "-id"], name="mail_threads_by_time"),
        ]

    def __str__(self) -> str:
        return self.subject or "–"

    def get_absolute_url(self) -> str:
        return f"/mail/threads/{self.pk}/"


class IncomingMail(HasState):
    """An e-mail that came in. Its text is sealed: under the client's key, else under the instance's until it has one."""

    TRANSITIONS = {"state": INCOMING_TRANSITIONS}
    FIRST_STATES = {"state": {IncomingState.UNASSIGNED, IncomingState.REPORT}}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="incoming_mail", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.PROTECT, null=True, related_name="mail", db_index=False)
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, null=True, related_name="incoming_mail", db_index=False
    )
    thread = models.ForeignKey(MailThread, on_delete=models.PROTECT, null=True, related_name="incoming", db_index=False)
    state = models.CharField(max_length=10, choices=IncomingState.choices, default=IncomingState.UNASSIGNED)
    matched_by = models.CharField(max_length=10, choices=MatchedBy.choices, blank=True)
    proof = models.CharField(max_length=10, choices=SenderProof.choices, default=SenderProof.NOT_PROVED)
    fingerprint = models.CharField(max_length=64, help_text="The same for each copy of one e-mail")
    copies = models.PositiveIntegerField(default=0, help_text="How often it came again")
    message_id = models.CharField(max_length=255, blank=True)
    references = ArrayField(models.CharField(max_length=255), default=list)
    from_name = models.CharField(max_length=100, blank=True)
    from_address = models.EmailField(blank=True, help_text="Empty where the sender can't be read")
    to_addresses = ArrayField(models.CharField(max_length=254), default=list)
    subject = models.CharField(max_length=200, blank=True)
    is_automatic = models.BooleanField(default=False, help_text="An absence note, a newsletter or a machine")
    note = models.TextField(blank=True, help_text="What of it couldn't be taken")
    sealed_for = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    body_sealed = models.BinaryField(null=True, help_text="Under the instance's key, while no client is known")
    body_for_client = models.BinaryField(null=True, help_text="Under the key of `sealed_for`")
    sent_at = models.DateTimeField(null=True, help_text="As its sender says")
    received_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(fields=["client", "-received_at"], name="incoming_mail_by_client"),
            models.Index(fields=["thread", "received_at"], name="incoming_mail_by_thread"),
            models.Index(fields=["brand", "-received_at", "-id"], name="incoming_mail_by_brand"),
            models.Index(
                fields=["-received_at", "-id"], name="incoming_mail_unassigned", condition=Q(state="unassigned")
            ),
            models.Index(fields=["brand", "message_id"], name="incoming_mail_by_message_id"),
            models.Index(fields=["sealed_for"], name="incoming_mail_by_key", condition=Q(sealed_for__isnull=False)),
            GinIndex(fields=["references"], name="incoming_mail_by_reference"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["brand", "fingerprint"], name="an_incoming_mail_is_kept_once"),
            models.CheckConstraint(
                condition=Q(state="threaded", client__isnull=False, thread__isnull=False)
                | (~Q(state="threaded") & Q(thread__isnull=True)),
                name="threaded_mail_has_client_and_thread",
            ),
            models.CheckConstraint(
                condition=Q(body_sealed__isnull=True, body_for_client__isnull=False, sealed_for__isnull=False)
                | Q(body_sealed__isnull=False, body_for_client__isnull=True, sealed_for__isnull=True),
                name="incoming_mail_is_sealed_under_one_key",
            ),
        ]
        permissions = [("assign_mail", "Can assign e-mails of unknown senders to clients")]

    def __str__(self) -> str:
        return self.subject or "–"

    def get_absolute_url(self) -> str:
        return f"/mail/incoming/{self.pk}/"

    @property
    def body(self) -> dict[str, str]:
        """Text and cleaned HTML. Raises: crypto.KeyDestroyed after the client's erasure."""
        if self.sealed_for_id is not None:
            opened = crypto.decrypt_for_client(self.sealed_for_id, self.body_for_client or b"")
        else:
            opened = crypto.decrypt(bytes(self.body_sealed or b""), purpose=BODY_PURPOSE)
        body: dict[str, str] = json.loads(opened)
        return body

    def seal(self, body: dict[str, str], client_id: int | None) -> None:
        """Seal the text under a client's key, or the instance's; the caller saves."""
        plain = json.dumps(body).encode()
        self.sealed_for_id = client_id
        self.body_for_client = crypto.encrypt_for_client(client_id, plain) if client_id is not None else None
        self.body_sealed = crypto.encrypt(plain, purpose=BODY_PURPOSE) if client_id is None else None

    @property
    def sender(self) -> str:
        return self.from_name or self.from_address

    @property
    def attachments_kept(self) -> list[Any]:
        return [one for one in self.attachments.all() if one.store_key]


class MailAttachment(models.Model):
    """A file that came with an e-mail. `sealed_for`: whose key opens it."""

    mail = models.ForeignKey(IncomingMail, on_delete=models.PROTECT, related_name="attachments", db_index=False)
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=100)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    verdict = models.CharField(max_length=10, choices=AttachmentVerdict.choices)
    sealed_for = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    store_key = models.CharField(max_length=32, blank=True)

    class Meta:
        ordering = ["number"]
        indexes = [
            models.Index(fields=["sealed_for"], name="mail_attachments_by_key", condition=Q(sealed_for__isnull=False)),
            models.Index(fields=["store_key"], name="mail_attachments_by_file", condition=~Q(store_key="")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["mail", "number"], name="an_attachment_is_kept_once"),
            models.CheckConstraint(
                condition=(Q(verdict="kept") & ~Q(store_key="")) | (~Q(verdict="kept") & Q(store_key="")),
                name="a_kept_attachment_has_its_file",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SentAttachment(models.Model):
    """A file that a person sent with an e-mail. `sealed_for`: whose key opens it."""

    message = models.ForeignKey("clients.Message", on_delete=models.PROTECT, related_name="attachments", db_index=False)
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=100)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    sealed_for = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    store_key = models.CharField(max_length=32)

    class Meta:
        ordering = ["number"]
        indexes = [
            models.Index(fields=["sealed_for"], name="sent_attachments_by_key"),
            models.Index(fields=["store_key"], name="sent_attachments_by_file"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="a_sent_attachment_is_kept_once"),
            models.CheckConstraint(condition=~Q(store_key=""), name="a_sent_attachment_has_its_file"),
        ]

    def __str__(self) -> str:
        return self.name


class MailDraft(models.Model):
    """An e-mail that a person has begun to write to a client."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="mail_drafts", db_index=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="mail_drafts", db_index=False)
    thread = models.ForeignKey(MailThread, on_delete=models.SET_NULL, null=True, related_name="+")
    subject = models.CharField(max_length=160, blank=True)
    message = models.TextField(blank=True)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "author"], name="one_mail_draft_per_client_and_person")
        ]
        indexes = [models.Index(fields=["author", "-saved_at"], name="mail_drafts_by_author")]

    def __str__(self) -> str:
        return self.subject or "–"


class Suppression(models.Model):
    """That a brand doesn't e-mail an address: why and since when; and who lifted it."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="suppressions", db_index=False)
    address = models.EmailField()
    reason = models.CharField(max_length=12, choices=SuppressionReason.choices)
    detail = models.CharField(max_length=300, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-added_at", "-id"]
        indexes = [models.Index(fields=["brand", "-added_at", "-id"], name="suppressions_by_brand")]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "address", "reason"],
                condition=Q(lifted_at__isnull=True),
                name="an_address_is_suppressed_once_per_reason",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason="")),
                name="a_lifted_suppression_says_by_whom_and_why",
            ),
        ]
        permissions = [("lift_suppression", "Can let an address get e-mails again")]

    def __str__(self) -> str:
        return self.address
