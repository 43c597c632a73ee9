"""Where a chat is, and what its lines are."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.choices import BadgeChoices


class ChatState(BadgeChoices):
    """Where a chat is."""

    WAITING = "waiting", "orange", _("Awaiting an agent")
    OPEN = "open", "green", pgettext_lazy("chat", "In progress")
    MESSAGE = "message", "purple", _("Message left")
    ENDED = "ended", "secondary", pgettext_lazy("chat", "Ended")


CHAT_TRANSITIONS: dict[str, set[str]] = {
    ChatState.WAITING: {ChatState.OPEN, ChatState.MESSAGE, ChatState.ENDED},
    ChatState.OPEN: {ChatState.WAITING, ChatState.MESSAGE, ChatState.ENDED},
    ChatState.MESSAGE: {ChatState.OPEN, ChatState.WAITING, ChatState.ENDED},
    ChatState.ENDED: set(),
}
RUNNING: Final = frozenset({ChatState.WAITING, ChatState.OPEN, ChatState.MESSAGE})


class LineKind(models.TextChoices):
    """Who wrote a line of a chat."""

    CLIENT = "client", _("Client")
    AGENT = "agent", _("Agent")
    NOTE = "note", _("Note")
