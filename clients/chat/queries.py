"""Reads of chats: each starts from whom the person reaches."""

from __future__ import annotations

from django.db.models import QuerySet

from clients.chat.choices import RUNNING, ChatState
from clients.models import Chat, Client
from clients.queries import clients_visible_to
from crm.models import User

COUNTED_MAX = 100


def chats_visible_to(user: User) -> QuerySet[Chat]:
    """Select the chats with clients in reach; for a client, their own."""
    return Chat.objects.filter(client__in=clients_visible_to(user))


def current_chat_of(client: Client) -> Chat | None:
    """Find the client's running chat, else their last one."""
    return Chat.objects.filter(client=client).select_related("agent").order_by("-pk").first()


def chats_awaiting(user: User) -> int | None:
    """Count the chats that wait for this person, up to a hundred: their own, and those that await an agent."""
    rows = chats_visible_to(user).filter(awaits_reply=True, state__in=RUNNING)
    rows = rows.filter(agent=user) | rows.filter(state=ChatState.WAITING)
    return len(rows.order_by().values_list("pk", flat=True)[:COUNTED_MAX]) or None
