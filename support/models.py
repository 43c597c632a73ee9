"""Tickets: what a client asked, everything that was written about it, and how it ended."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from clients.models import Chat, Client, IncomingMail, MailThread, Message
from clients.models.side_facts import SideFacts
from crm.db.states import HasState
from crm.models import Brand, User, WorkItem
from crm.models.audit import append_only
from crm.security import crypto
from support.choices import (
    TICKET_TRANSITIONS,
    UNSOLVED,
    WITH_US,
    MessageKind,
    TicketCategory,
    TicketChannel,
    TicketState,
)

ENDED = Q(state__in=["solved", "closed"])


class TicketNumber(models.Model):
    """The last number that a brand gave to a ticket."""

    brand = models.OneToOneField(Brand, on_delete=models.PROTECT, related_name="+", primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.brand_id}: {self.last}"


class Ticket(HasState):
    """A client's request. `work`: its item in the queue; a reopened ticket gets a new one.

    `first_reply_due_at` and the item's `due_at` are the service level of its priority; the second is paused since `pending_since`.
    """

    TRANSITIONS = {"state": TICKET_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField(help_text="Counted per brand")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="tickets", db_index=False)
    subject = models.CharField(max_length=160)
    category = models.CharField(max_length=12, choices=TicketCategory.choices, default=TicketCategory.OTHER)
    channel = models.CharField(max_length=6, choices=TicketChannel.choices, default=TicketChannel.PORTAL)
    state = models.CharField(max_length=8, choices=TicketState.choices, default=TicketState.NEW)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="ticket")
    thread = models.OneToOneField(
        MailThread,
        on_delete=models.SET_NULL,
        null=True,
        related_name="ticket",
        help_text="Its e-mails, once there are any",
    )
    chat = models.OneToOneField(
        Chat, on_delete=models.PROTECT, null=True, related_name="ticket", help_text="The chat that it was opened from"
    )
    follows = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="follow_ups",
        help_text="The closed ticket it continues",
    )
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="merged", help_text="Which shows its messages too"
    )
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    opened_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(
        default=timezone.now, help_text="Of the newest message that the client reads or wrote"
    )
    first_reply_due_at = models.DateTimeField()
    first_replied_at = models.DateTimeField(null=True)
    first_replied_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    pending_since = models.DateTimeField(null=True, help_text="The resolution clock is paused")
    solved_at = models.DateTimeField(null=True)
    solved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    closed_at = models.DateTimeField(null=True)
    reopened = models.PositiveSmallIntegerField(default=0)
    is_reply_late = models.BooleanField(default=False)
    is_solution_late = models.BooleanField(default=False)
    rating = models.PositiveSmallIntegerField(null=True, help_text="1 to 5, by the client")
    rating_sealed = models.BinaryField(
        null=True, help_text="The client's comment, under the key of `rating_sealed_for`"
    )
    rating_sealed_for = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    rated_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at", "-id"]
        permissions = [
            ("work_ticket", "May reply to tickets, solve and assign them"),
            ("report_tickets", "May see how quickly and how well tickets are answered"),
        ]
        indexes = [
            models.Index(fields=["client", "-last_at", "-id"], name="tickets_by_client"),
            models.Index(fields=["-last_at", "-id"], name="tickets_by_time"),
            models.Index(fields=["-opened_at", "-id"], name="tickets_by_opening"),
            models.Index(fields=["state", "-last_at", "-id"], name="tickets_unsolved", condition=Q(state__in=UNSOLVED)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["brand", "number"], name="a_ticket_has_its_number_in_the_brand"),
            models.CheckConstraint(
                condition=ENDED & Q(solved_at__isnull=False) | ~ENDED & Q(solved_at__isnull=True),
                name="solved_ticket_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) | ~Q(state="closed") & Q(closed_at__isnull=True),
                name="closed_ticket_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", pending_since__isnull=False)
                | ~Q(state="pending") & Q(pending_since__isnull=True),
                name="clock_is_paused_while_client_is_awaited",
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=True, rated_at__isnull=True, rating_sealed__isnull=True)
                | Q(rating__isnull=False, rating__gte=1, rating__lte=5, rated_at__isnull=False),
                name="ticket_rating_is_one_to_five",
            ),
            models.CheckConstraint(
                condition=Q(rating_sealed__isnull=True) | Q(rating_sealed_for__isnull=False),
                name="ticket_rating_says_whose_key",
            ),
            models.CheckConstraint(condition=~Q(subject=""), name="ticket_has_a_subject"),
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False)
                | ~Q(state="merged") & Q(merged_into__isnull=True),
                name="merged_ticket_says_into_which",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.subject}"

    def get_absolute_url(self) -> str:
        return f"/tickets/{self.pk}/"

    @property
    def portal_url(self) -> str:
        return f"/portal/tickets/{self.pk}/"

    @property
    def is_unsolved(self) -> bool:
        return self.state in UNSOLVED

    @property
    def is_with_us(self) -> bool:
        return self.state in WITH_US

    @property
    def rating_comment(self) -> str:
        """The client's words about the rating; empty without any, or after an erasure."""
        return _opened(self.rating_sealed_for_id, self.rating_sealed)


class TicketMessage(models.Model):
    """One message of a ticket: a reply that the client reads, or a note that only staff do. Sealed under the client's key."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="messages", db_index=False)
    kind = models.CharField(max_length=5, choices=MessageKind.choices)
    is_from_client = models.BooleanField()
    author = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, help_text="NULL: an e-mail"
    )
    at = models.DateTimeField(default=timezone.now)
    sealed_for = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    text_sealed = models.BinaryField()
    incoming = models.OneToOneField(
        IncomingMail,
        on_delete=models.PROTECT,
        null=True,
        related_name="ticket_message",
        help_text="The e-mail it came as",
    )
    sent = models.OneToOneField(
        Message,
        on_delete=models.PROTECT,
        null=True,
        related_name="ticket_message",
        help_text="The e-mail it went out as",
    )

    class Meta:
        ordering = ["at", "id"]
        triggers = append_only("ticket_message")
        indexes = [
            models.Index(fields=["ticket", "-at", "-id"], name="ticket_messages_by_ticket"),
            models.Index(fields=["sealed_for"], name="ticket_messages_by_key"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="reply") | Q(is_from_client=False, incoming__isnull=True, sent__isnull=True),
                name="ticket_note_is_never_sent",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def text(self) -> str:
        """What it says; empty after the client's erasure."""
        return _opened(self.sealed_for_id, self.text_sealed)


class TicketFile(models.Model):
    """A file that was attached to a message, encrypted under the client's key."""

    message = models.ForeignKey(TicketMessage, on_delete=models.PROTECT, related_name="files", db_index=False)
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=100)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    sealed_for = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    store_key = models.CharField(max_length=32, unique=True)

    class Meta:
        ordering = ["number"]
        triggers = append_only("ticket_file", erased={"name": "'erased'"}, client="OLD.sealed_for_id")
        indexes = [models.Index(fields=["sealed_for"], name="ticket_files_by_key")]
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="a_ticket_file_has_its_place"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0) & ~Q(store_key=""), name="ticket_file_has_content"),
        ]

    def __str__(self) -> str:
        return self.name


class SupportFacts(SideFacts):
    """How many tickets of a client await us; written by `support.tickets`."""

    tickets_awaiting_us = models.PositiveIntegerField(db_default=0)

    class Meta:
        indexes = [
            models.Index(
                fields=["tickets_awaiting_us"], name="facts_by_tickets", condition=Q(tickets_awaiting_us__gt=0)
            )
        ]


class Macro(models.Model):
    """A reply that a brand has ready, and what is set when it is sent; empty: unchanged."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=80)
    text = models.TextField()
    then = models.CharField(max_length=8, choices=TicketState.choices, blank=True)
    category = models.CharField(max_length=12, choices=TicketCategory.choices, blank=True)
    assign_to = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["brand_id", "name"]
        permissions = [("manage_macro", "May write a brand's macros for tickets")]
        constraints = [
            models.UniqueConstraint(Lower("name"), "brand", name="a_macro_has_its_name_in_the_brand"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(text=""), name="macro_has_name_and_text"),
            models.CheckConstraint(
                condition=Q(then__in=["", "open", "pending", "solved"]), name="macro_goes_on_or_solves"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/tickets/macros/{self.pk}/"


def _opened(client_id: int | None, sealed: bytes | memoryview[int] | None) -> str:
    if client_id is None or sealed is None:
        return ""
    try:
        return crypto.decrypt_for_client(client_id, bytes(sealed)).decode()
    except crypto.KeyDestroyed:
        return ""
