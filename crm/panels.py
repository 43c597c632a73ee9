"""The ground floor's own entries in menu and palette."""

from django.utils.translation import gettext_lazy as _

from crm.ui import panels

panels.menu("", _("Home"), "home", None, "house", 0)
