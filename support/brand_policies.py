"""What a brand sets about tickets."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Count, Lines, Policy, PolicyArea, Switch, declare


class Addresses(Lines):
    """E-mail addresses of the brand."""

    hint = _("One address a line, such as support@broker.example.")

    def clean_line(self, text: str) -> str:
        address = text.lower()
        try:
            validate_email(address)
        except ValidationError:
            raise ValueError(text) from None
        return address


TICKET_ADDRESSES = declare(
    Policy(
        "ticket_addresses",
        PolicyArea.MESSAGES,
        _("Addresses whose e-mails open a ticket"),
        Addresses(),
        [],
        _(
            "An e-mail that a known client sends there, and that isn't a reply, opens a ticket. Empty: people open them."
        ),
        needs_four_eyes=False,
    )
)
FIRST_REPLY_HOURS = declare(
    Policy(
        "ticket_first_reply_hours",
        PolicyArea.PROMISES,
        _("Tickets get their first reply within"),
        Count(1, 240, _("working hours")),
        4,
        _("Counted from the time the ticket is opened. Later ones are marked as late and escalated."),
        needs_four_eyes=False,
    )
)
RESOLUTION_HOURS = declare(
    Policy(
        "ticket_resolution_hours",
        PolicyArea.PROMISES,
        _("Tickets are solved within"),
        Count(1, 720, _("working hours")),
        24,
        _("The clock is paused while the client's answer is awaited, and starts again when a ticket is reopened."),
        needs_four_eyes=False,
    )
)
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
