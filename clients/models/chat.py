"""Chats of clients with the desks, their lines, canned answers, and who is available."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from clients.chat.choices import CHAT_TRANSITIONS, RUNNING, ChatState, LineKind
from clients.models.client import Client
from crm.db.states import HasState
from crm.models import Brand, Desk, User


class Chat(HasState):
    """One chat of a client, from the first line to its end. `sealed_for`: whose key opens its lines."""

    TRANSITIONS = {"state": CHAT_TRANSITIONS}
    FIRST_STATES = {"state": {ChatState.WAITING, ChatState.MESSAGE}}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="chats", db_index=False)
    sealed_for = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    agent = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="chats", db_index=False)
    state = models.CharField(max_length=8, choices=ChatState.choices, default=ChatState.WAITING)
    lines_count = models.PositiveIntegerField(default=0)
    awaits_reply = models.BooleanField(default=True, help_text="The client wrote last")
    started_at = models.DateTimeField(default=timezone.now)
    waiting_since = models.DateTimeField(default=timezone.now, help_text="The client's oldest line without an answer")
    answered_at = models.DateTimeField(null=True, help_text="The first answer")
    last_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-last_at", "-id"]
        indexes = [
            models.Index(fields=["client", "-id"], name="chats_by_client"),
            models.Index(fields=["-last_at", "-id"], name="chats_newest"),
            models.Index(fields=["agent"], name="chats_by_agent", condition=Q(state="open")),
            models.Index(fields=["sealed_for"], name="chats_by_key"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(state__in=sorted(RUNNING)), name="a_client_has_one_running_chat"
            ),
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False) | (~Q(state="ended") & Q(ended_at__isnull=True)),
                name="an_ended_chat_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(state="open") | Q(agent__isnull=False), name="a_chat_in_progress_has_an_agent"
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True) | Q(answered_at__gte=F("started_at")),
                name="a_chat_is_answered_after_its_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client} · {self.get_state_display()}"

    def get_absolute_url(self) -> str:
        return f"/chats/{self.pk}/"

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING


class ChatLine(models.Model):
    """One line of a chat, sealed under the client's key. It is never changed."""

    chat = models.ForeignKey(Chat, on_delete=models.PROTECT, related_name="lines", db_index=False)
    kind = models.CharField(max_length=6, choices=LineKind.choices)
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    text_sealed = models.BinaryField(help_text="Under the key of the chat's `sealed_for`")
    key = models.CharField(max_length=36, blank=True, help_text="Of the form: a line that is sent twice is kept once")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["chat", "id"], name="lines_by_chat")]
        constraints = [
            models.UniqueConstraint(fields=["chat", "key"], condition=~Q(key=""), name="a_line_is_kept_once"),
            models.CheckConstraint(
                condition=Q(kind="note") | Q(author__isnull=False), name="a_line_of_a_person_has_an_author"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chat_id} · {self.get_kind_display()}"


class ChatPresence(models.Model):
    """Whether a person takes chats. They count as online while they also work in Keelson."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="chat_presence", primary_key=True)
    is_available = models.BooleanField(default=False)
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.is_available}"


class CannedAnswer(models.Model):
    """A ready answer of a brand in one language, with variables; for chats and wherever staff answer clients."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="canned_answers", db_index=False)
    language = models.CharField(max_length=8)
    title = models.CharField(max_length=80)
    body = models.TextField(max_length=2_000)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["brand_id", "language", "title", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "language", "title"],
                condition=Q(archived_at__isnull=True),
                name="a_canned_answer_has_its_own_title",
            ),
            models.CheckConstraint(condition=~Q(body="") & ~Q(title=""), name="a_canned_answer_has_title_and_text"),
        ]
        permissions = [("manage_canned_answer", "Can write canned answers")]

    def __str__(self) -> str:
        return self.title
