"""The ground floor's own entries in menu and palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from crm import approvals
from crm.approvals.queries import count_to_decide, takes_part
from crm.choices import DeliveryState
from crm.staff.grants import GrantApproval
from crm.ui.panels import MenuEntry, register

if TYPE_CHECKING:
    from crm.models import User

approvals.register(GrantApproval)


def failed_events(user: User) -> int:
    """Count the deliveries that wait for a decision, up to a hundred."""
    from crm.models import EventDelivery

    dead = EventDelivery.objects.filter(state=DeliveryState.DEAD).order_by()
    return len(dead.values_list("pk", flat=True)[:100])


register(
    MenuEntry("", _("Home"), "home", None, "house", 0),
    MenuEntry(
        "",
        _("Second approvals"),
        "approvals",
        takes_part,
        "users",
        20,
        count=count_to_decide,
        words="four eyes waiting for me proposals maker checker",
    ),
    MenuEntry("setup", _("Staff"), "staff", "crm.manage_staff", "users", 10, words="roles grants invite users"),
    MenuEntry(
        "setup", _("Access requests"), "staff_grants", "crm.manage_staff", "shield-check", 20, words="four eyes approve"
    ),
    MenuEntry("setup", _("Access explained"), "explain_access", "crm.explain_access", "circle-question-mark", 30),
    MenuEntry(
        "setup",
        _("Failed events"),
        "events",
        "crm.manage_events",
        "webhook",
        80,
        count=failed_events,
        words="outbox replay",
    ),
    MenuEntry(
        "setup", _("Style guide"), "styleguide", "crm.manage_staff", "image", 95, words="components design icons"
    ),
)
