"""Where a ticket is, what it is about and how it came."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.choices import BadgeChoices
from crm.notices.kinds import CLIENTS, NoticeGroup, NotificationKind, staff


class TicketState(BadgeChoices):
    """Where a ticket is: with us, with the client, or over."""

    NEW = "new", "azure", pgettext_lazy("ticket", "New")
    OPEN = "open", "blue", pgettext_lazy("ticket", "Open")
    PENDING = "pending", "orange", _("Awaiting client")
    SOLVED = "solved", "green", _("Solved")
    CLOSED = "closed", "secondary", _("Closed")
    MERGED = "merged", "secondary", _("Merged")


TICKET_TRANSITIONS: dict[str, set[str]] = {
    TicketState.NEW: {TicketState.OPEN, TicketState.PENDING, TicketState.SOLVED, TicketState.MERGED},
    TicketState.OPEN: {TicketState.PENDING, TicketState.SOLVED, TicketState.MERGED},
    TicketState.PENDING: {TicketState.OPEN, TicketState.SOLVED, TicketState.MERGED},
    TicketState.SOLVED: {TicketState.OPEN, TicketState.CLOSED},
    TicketState.CLOSED: set(),
    TicketState.MERGED: {TicketState.OPEN},
}
WITH_US: Final = (TicketState.NEW, TicketState.OPEN)
UNSOLVED: Final = (*WITH_US, TicketState.PENDING)


class TicketCategory(models.TextChoices):
    """What a ticket is about."""

    ACCOUNT = "account", _("Account and sign-in")
    VERIFICATION = "verification", _("Verification and documents")
    DEPOSIT = "deposit", _("Deposit")
    WITHDRAWAL = "withdrawal", _("Withdrawal")
    TRADING = "trading", _("Trading and orders")
    PLATFORM = "platform", _("Trading platform")
    PARTNER = "partner", _("Partner programme")
    COMPLAINT = "complaint", _("Complaint")
    OTHER = "other", _("Other")


class TicketChannel(models.TextChoices):
    """How a ticket came."""

    PORTAL = "portal", _("Client portal")
    EMAIL = "email", _("E-mail")
    PHONE = "phone", _("Phone")
    CHAT = "chat", _("Chat")


# What staff enter themselves: the others are noted by where the ticket came in.
ENTERED: Final = (TicketChannel.PHONE, TicketChannel.CHAT, TicketChannel.EMAIL)


class MessageKind(models.TextChoices):
    """Who reads a message of a ticket."""

    REPLY = "reply", _("Reply")
    NOTE = "note", _("Internal note")


class TicketClock(models.TextChoices):
    """What a ticket's service level promises."""

    FIRST_REPLY = "first_reply", _("First reply")
    RESOLUTION = "resolution", _("Solution")


class SupportNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    TICKET_OPENED = "support.ticket_opened", _("New tickets"), NoticeGroup.CLIENTS, staff("support.work_ticket")
    CLIENT_REPLIED = (
        "support.client_replied",
        _("Clients' replies to your tickets"),
        NoticeGroup.CLIENTS,
        staff("support.work_ticket"),
    )
    TICKET_LATE = "support.ticket_late", _("Late tickets"), NoticeGroup.CLIENTS, staff("support.work_ticket")
    REPLIED = "support.replied", _("Replies to your tickets"), NoticeGroup.ACCOUNT, CLIENTS
