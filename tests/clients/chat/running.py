"""People who take chats, as the pages make them."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.utils import timezone

from clients.chat.presence import set_availability
from crm.models import User


def go_online(*people: User) -> None:
    """Have people take chats, and be at work."""
    for person in people:
        set_availability(actor=person, is_available=True)
        UserSession.objects.create(
            user=person, ip="10.0.0.1", session_key=f"chat-{person.pk}", user_agent="x", last_seen_at=timezone.now()
        )
