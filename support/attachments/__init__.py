"""What of tickets follows when two records of one person are merged: all but what is sealed under a record's own key."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.merging.attachments import all_stay, follows
from support.clock.clocks import KINDS

follows("support.Ticket.client", _("Tickets"))
follows("crm.DueRow.client_id", only=Q(kind__in=[kind.code for kind in KINDS], state="pending"), part="support")
all_stay(
    [  # whose key opens the text or the file
        "support.SupportFacts.client",  # counted again
        "support.Ticket.rating_sealed_for",
        "support.TicketFile.sealed_for",
        "support.TicketMessage.sealed_for",
    ]
)
