"""What tickets put on the menu and on the client's page."""

from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.choices import Role
from crm.models import User
from crm.ui.panels import Card, CreateEntry, MenuEntry, Tab, register
from support import policies
from support.choices import UNSOLVED
from support.clock import clocks  # noqa: F401  it declares the handlers of due rows
from support.models import Ticket
from support.queries import waiting_count
from support.views import chat_card, thread_card, tickets_tab


def unsolved_of(_user: User, client: Client) -> int | None:
    """Count a client's unsolved tickets for the tab; None where there are none."""
    rows = Ticket.objects.filter(client=client, state__in=UNSOLVED).order_by()
    return len(rows.values_list("pk", flat=True)[:100]) or None


register(
    MenuEntry(
        "clients",
        _("Tickets"),
        "tickets",
        policies.SEES,
        "life-buoy",
        17,
        count=waiting_count,
        count_permission=policies.WORKS,
        roles=(Role.AGENT, Role.DESK_HEAD, Role.SUPPORT, Role.KYC_OFFICER, Role.FINANCE),
        words="support helpdesk requests complaints questions",
    ),
    CreateEntry(_("Ticket"), "client_ticket_new", policies.WORKS, "life-buoy", 35, for_client=True),
    Card("chat", "ticket", "support/_chat_card.html", chat_card, policies.SEES, 10),
    Card("mail_thread", "ticket", "support/_thread_card.html", thread_card, policies.SEES, 10),
    Tab("client", "tickets", _("Tickets"), tickets_tab, policies.SEES, 25),
)
