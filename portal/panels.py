"""The menu of the client portal (five entries: on a phone they are the bar at the bottom), and its tab on the client's page."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

import portal.evidence  # noqa: F401 — registers its chapter of the evidence
from crm.ui.panels import MenuEntry, Tab, register
from portal.views.client_tab import consents_tab

register(
    MenuEntry("", _("Home"), "portal", None, "house", 0, audience="client"),
    MenuEntry("", pgettext_lazy("portal", "Money"), "portal_wallet", None, "wallet", 10, audience="client"),
    MenuEntry("", _("Accounts"), "portal_accounts", None, "chart-candlestick", 20, audience="client"),
    MenuEntry("", _("Documents"), "portal_documents", None, "id-card", 30, audience="client"),
    MenuEntry("", _("Profile"), "portal_profile", None, "user", 40, audience="client"),
    Tab("client", "consents", _("Consents"), consents_tab, "crm.view_audit", 90),
)
