"""What risk puts on the menu and on the client's page."""

from django.utils.translation import gettext_lazy as _

from crm import approvals
from crm.ui.panels import Card, MenuEntry, register
from prop.programmes.styles import register_styles
from risk.abuse.challenge_findings import FORBIDDABLE, findings_of
from risk.abuse.measures import AbuseMeasureApproval
from risk.abuse.queue import RIGHT as DECIDES_ABUSE
from risk.abuse.queue import SEES as SEES_ABUSE
from risk.abuse.quotes import keep_quotes
from risk.abuse.tables import waiting_count as abuse_waiting
from risk.dealing.day_result import follow_positions
from risk.dealing.routing import SEES as SEES_ROUTING
from risk.dealing.routing import TAB as ROUTING_TAB
from risk.dealing.routing import ClientRoutingApproval
from risk.dealing.views import routing_card
from risk.retention.kind import SEES, WORKS
from risk.retention.report_views import sees_lifetime, segment_card
from risk.retention.views import flags_card, waiting_count
from trading.sync.positions import AFTER_READING
from trading.sync.quotes import AFTER_QUOTES

approvals.register(AbuseMeasureApproval, ClientRoutingApproval)
register_styles(FORBIDDABLE, findings_of)
AFTER_READING.append(follow_positions)
AFTER_QUOTES.append(keep_quotes)

register(
    MenuEntry(
        "sales",
        _("Client retention"),
        "risk_retention",
        SEES,
        "trending-down",
        18,
        count=waiting_count,
        count_permission=WORKS,
        words="churn leaving lost clients flags win back inactive dormant",
    ),
    MenuEntry(
        "trading",
        _("Suspected abuse"),
        "risk_abuse",
        SEES_ABUSE,
        "shield",
        25,
        count=abuse_waiting,
        count_permission=DECIDES_ABUSE,
        also=("/risk/dealing/", "/risk/links/"),
        words="latency arbitrage toxic flow scalping hedging bonus abuse copy multi accounts fraud episodes",
    ),
    Card("client", "retention", "risk/retention/_card.html", flags_card, SEES, 8),
    Card("client", "routing", "risk/dealing/_card.html", routing_card, SEES_ROUTING, 60, tab=ROUTING_TAB),
    Card("segment", "lifetime", "risk/retention/_lifetime.html", segment_card, sees_lifetime, 10),
)
