"""E-mails to clients: every one that was sent, or is to be."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.choices import MESSAGE_TRANSITIONS, MessageState
from clients.messages.choices import DeliveryState
from clients.models.client import Client
from clients.models.messages import IncomingMail, MailThread
from crm.db.states import HasState
from crm.models import User
from crm.texts.catalogue import without_addresses


class Message(HasState):
    """One letter to one client. The row is the intent; a worker hands it to the mail server and notes the outcome."""

    TRANSITIONS = {"state": MESSAGE_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="messages", db_index=False)
    template = models.CharField(max_length=60, blank=True, help_text=_("Empty: written manually"))
    language = models.CharField(max_length=8)
    to_address = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    # A link that must not be kept readable in the archive: filled into the mail, shown as dots on the page.
    secret = models.BinaryField(null=True, help_text="Encrypted values for the letter; removed once it is sent")
    sender = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    thread = models.ForeignKey(
        MailThread, on_delete=models.PROTECT, null=True, blank=True, related_name="sent", db_index=False
    )
    answers = models.ForeignKey(
        IncomingMail, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="What it replies to"
    )
    # A forward: what it quotes, and whether the quoted e-mail's files go with it. `to_address` isn't the client's then.
    forwards_mail = models.ForeignKey(
        IncomingMail, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    forwards_sent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    forwards_files = models.BooleanField(default=False)
    delivery = models.CharField(
        max_length=10, choices=DeliveryState.choices, blank=True, default=DeliveryState.NOT_KNOWN
    )
    delivery_at = models.DateTimeField(null=True, blank=True)
    delivery_detail = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=MessageState.choices, default=MessageState.QUEUED)
    dedupe_key = models.CharField(max_length=120, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["client", "-id"], name="messages_by_client"),
            models.Index(
                fields=["thread", "created_at"], name="messages_by_thread", condition=models.Q(thread__isnull=False)
            ),
            models.Index(fields=["due_at"], name="messages_due", condition=models.Q(state__in=["queued", "sending"])),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "dedupe_key"], condition=~models.Q(dedupe_key=""), name="a_letter_is_sent_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sent") | models.Q(sent_at__isnull=False), name="sent_message_has_a_time"
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(template="clients.forward", forwards_mail__isnull=False, forwards_sent__isnull=True)
                    | models.Q(template="clients.forward", forwards_mail__isnull=True, forwards_sent__isnull=False)
                    | ~models.Q(template="clients.forward")
                    & models.Q(forwards_mail__isnull=True, forwards_sent__isnull=True)
                ),
                name="a_forward_quotes_one_e_mail",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def as_kept(self) -> str:
        return without_addresses(self.body)
