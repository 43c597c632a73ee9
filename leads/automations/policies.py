"""Who sees and who makes automations."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet

from crm.models import Actor, Brand, User
from crm.security.policies import Decision, on_whole_brand
from crm.security.scope import reach_of
from leads.models import Automation

SEES: Final = "leads.view_automation"
MAKES: Final = "leads.manage_automation"


def automations_visible_to(user: User) -> QuerySet[Automation]:
    """Select the automations of brands that the user reaches any part of. Whose runs they see is another question."""
    return Automation.objects.filter(brand_id__in=reach_of(user).brands)


def brands_for(user: User) -> QuerySet[Brand]:
    """Select the brands that the user may make automations for."""
    return Brand.objects.filter(pk__in=reach_of(user).whole_brands, archived_at=None).order_by("name")


def can_manage(actor: Actor, brand_id: int) -> Decision:
    """Allow making automations to who has the right and reaches the whole brand."""
    return on_whole_brand(actor, MAKES, brand_id)
