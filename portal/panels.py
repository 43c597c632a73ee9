"""The menu of the trader's room."""

from django.utils.translation import gettext_lazy as _

from crm.ui import panels

panels.menu("", _("Home"), "portal", None, "house", 0, audience="client")
