"""The menu of the trader's room. Five entries: on a phone they are the bar at the bottom."""

from django.utils.translation import gettext_lazy as _

import portal.evidence  # noqa: F401 — registers its chapter of the evidence
from crm.ui import panels

panels.menu("", _("Home"), "portal", None, "house", 0, audience="client")
panels.menu("", _("Money"), "portal_wallet", None, "wallet", 10, audience="client")
panels.menu("", _("Accounts"), "portal_accounts", None, "chart-candlestick", 20, audience="client")
panels.menu("", _("Documents"), "portal_documents", None, "id-card", 30, audience="client")
panels.menu("", _("Profile"), "portal_profile", None, "user", 40, audience="client")
