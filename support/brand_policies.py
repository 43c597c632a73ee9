"""What a brand sets about tickets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clients.messages.addresses import Addresses
from crm.brand_policies import Count, Policy, PolicyArea, Switch, declare
from crm.choices import WorkPriority

TICKET_ADDRESSES = declare(
    Policy(
        "ticket_addresses",
        PolicyArea.MESSAGES,
        _("Addresses whose e-mails open a ticket"),
        Addresses(),
        [],
        _(
            "An e-mail that a known client sends there, and that isn't a reply, opens a ticket; one from an unknown sender "
            "where it creates a lead, too. Empty: people open them."
        ),
        needs_four_eyes=False,
    )
)


def _reply_within(key: str, label: Promise, default: int) -> Policy[int]:
    help_text = _("Counted from the time the ticket is opened. Later ones are marked as late and escalated.")
    hours = Count(1, 240, _("working hours"))
    return declare(Policy(key, PolicyArea.PROMISES, label, hours, default, help_text, needs_four_eyes=False))


def _solved_within(key: str, label: Promise, default: int) -> Policy[int]:
    help_text = _(
        "The clock is paused while the client's answer is awaited, and starts again when a ticket is reopened."
    )
    hours = Count(1, 720, _("working hours"))
    return declare(Policy(key, PolicyArea.PROMISES, label, hours, default, help_text, needs_four_eyes=False))


FIRST_REPLY_HOURS: Final[Mapping[int, Policy[int]]] = {
    WorkPriority.URGENT: _reply_within(
        "ticket_first_reply_hours_urgent", _("Urgent tickets get their first reply within"), 1
    ),
    WorkPriority.HIGH: _reply_within(
        "ticket_first_reply_hours_high", _("High-priority tickets get their first reply within"), 2
    ),
    WorkPriority.NORMAL: _reply_within("ticket_first_reply_hours", _("Tickets get their first reply within"), 4),
    WorkPriority.LOW: _reply_within(
        "ticket_first_reply_hours_low", _("Low-priority tickets get their first reply within"), 8
    ),
}
RESOLUTION_HOURS: Final[Mapping[int, Policy[int]]] = {
    WorkPriority.URGENT: _solved_within("ticket_resolution_hours_urgent", _("Urgent tickets are solved within"), 8),
    WorkPriority.HIGH: _solved_within("ticket_resolution_hours_high", _("High-priority tickets are solved within"), 16),
    WorkPriority.NORMAL: _solved_within("ticket_resolution_hours", _("Tickets are solved within"), 24),
    WorkPriority.LOW: _solved_within("ticket_resolution_hours_low", _("Low-priority tickets are solved within"), 48),
}
CLOSING_DAYS = declare(
    Policy(
        "ticket_closing_days",
        PolicyArea.MESSAGES,
        _("Solved tickets are closed after"),
        Count(1, 60, _("days")),
        7,
        _("Until then the client's reply reopens the ticket. Afterwards it becomes a follow-up ticket."),
        needs_four_eyes=False,
    )
)
ASSIGN_TO_OWNER = declare(
    Policy(
        "ticket_assign_to_owner",
        PolicyArea.MESSAGES,
        _("New tickets are assigned to the client's agent"),
        Switch(),
        False,
        _("Otherwise they wait unassigned in the queue of tickets."),
        needs_four_eyes=False,
    )
)
