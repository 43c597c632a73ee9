"""Facts of a client that this app writes: how many tickets await us. Automations, segments and lists read it."""

from django.utils.translation import gettext_lazy as _

from clients.facts import fact
from crm.conditions import FieldType
from support.models import SupportFacts

fact(
    "tickets_awaiting_us",
    _("Tickets awaiting us"),
    FieldType.NUMBER,
    owner="support",
    side=SupportFacts,
    default="0",
    absent=0,
    sql="SELECT client_id, count(*)::int FROM support_ticket WHERE state IN ('new', 'open') GROUP BY client_id",
)
