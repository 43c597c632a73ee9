"""The ground floor's own entries in menu and palette."""

from django.utils.translation import gettext_lazy as _

from crm.ui import panels

panels.menu("", _("Home"), "home", None, "house", 0)
panels.menu("setup", _("Staff"), "staff", "crm.manage_staff", "users", 10, words="roles grants invite users")
panels.menu("setup", _("Grants"), "staff_grants", "crm.manage_staff", "shield-check", 20, words="four eyes approve")
panels.menu("setup", _("Why can they see it?"), "explain_access", "crm.explain_access", "circle-question-mark", 30)
