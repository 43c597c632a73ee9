"""Who sees and who makes segments."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clients.models import Segment
from crm.models import Actor, Brand, User
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.scope import reach_of

RIGHT: Final = "clients.manage_segment"


def segments_visible_to(user: User) -> QuerySet[Segment]:
    """Select the segments of brands that the user reaches any part of. Whom of the members they see is another question."""
    return Segment.objects.filter(brand_id__in=reach_of(user).brands)


def brands_for(user: User) -> QuerySet[Brand]:
    """Select the brands that the user may make segments for."""
    return Brand.objects.filter(pk__in=reach_of(user).brands, archived_at=None).order_by("name")


def can_manage(actor: Actor, brand_id: int) -> Decision:
    """Allow making and changing a brand's segments: with the right, to who reaches a part of the brand."""
    if actor is not None and (not actor.is_team or brand_id not in reach_of(actor).brands):
        return no(_("You don't have access to this brand."))
    return YES if actor is None else has_permission(actor, RIGHT)


def sees_size(user: User, brand_id: int) -> bool:
    """Check whether the user may know how many of the whole brand are in a segment."""
    return brand_id in reach_of(user).whole_brands
