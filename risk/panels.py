"""What risk puts on the menu and on the client's page."""

from django.utils.translation import gettext_lazy as _

from crm.ui.panels import Card, MenuEntry, register
from risk.retention.kind import SEES, WORKS
from risk.retention.views import flags_card, waiting_count

register(
    MenuEntry(
        "clients",
        _("Client retention"),
        "risk_retention",
        SEES,
        "trending-down",
        18,
        count=waiting_count,
        count_permission=WORKS,
        words="churn leaving lost clients flags win back inactive dormant",
    ),
    Card("client", "retention", "risk/retention/_card.html", flags_card, SEES, 8),
)
