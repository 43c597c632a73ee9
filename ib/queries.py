"""Reads of partners. Every one starts from what the user may see."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import BigIntegerField, Q, QuerySet
from django.db.models.functions import Cast
from django.http import Http404
from guardian.models import UserObjectPermission

from crm.models import User
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from ib.choices import AccrualKind
from ib.models import Partner, Plan, Replay, Upline
from ib.team.rights import access_of


def granted_partners(user: User) -> QuerySet[UserObjectPermission, int]:
    """Select the partners that a member of staff was granted one by one (`access_partner`), by their ids."""
    held = UserObjectPermission.objects.filter(
        user_id=user.pk, permission__codename="access_partner", content_type__app_label="ib"
    )
    return held.values_list(Cast("object_pk", BigIntegerField()), flat=True)


def granted_to(user: User) -> list[int]:
    """List the ids of `granted_partners`, read once per user object (so once per request), as `reach_of` is."""
    cached: list[int] | None = getattr(user, "_keelson_granted_partners", None)
    if cached is None:
        cached = user._keelson_granted_partners = list(granted_partners(user))
    return cached


def partners_visible_to(user: User, *, reads_grants: bool = True) -> QuerySet[Partner]:
    """Staff: partners of brands they reach as a whole, those they manage, and those granted with the network below.
    A partner's team: the partner and today's network below. Nobody else: none.

    reads_grants: False leaves the grants to the statement, which may be kept then and is right after the next grant, too."""
    if not user or not user.is_authenticated or not user.is_active:
        return Partner.objects.none()
    if user.is_partner:
        access = access_of(user)
        if access is None:
            return Partner.objects.none()
        below = Upline.objects.filter(ancestor_id=access.partner.pk, ends_at__isnull=True)
        return Partner.objects.filter(pk__in=below.values("partner_id"))
    if not user.is_team:
        return Partner.objects.none()
    seen = Q(brand_id__in=reach_of(user).whole_brands) | Q(manager_id=user.pk)
    granted = granted_to(user) if reads_grants else granted_partners(user)
    if not reads_grants or granted:
        seen |= Q(pk__in=Upline.objects.filter(ancestor_id__in=granted, ends_at__isnull=True).values("partner_id"))
    return Partner.objects.filter(seen)


def get_partner(user: User, partner_id: int, *, permission: str = "ib.view_partner") -> Partner:
    """Find one partner, or 404 when it is not visible, NotAllowed (403) when it is but the role lacks the right."""
    partner = partners_visible_to(user).select_related("brand", "user", "manager").filter(pk=partner_id).first()
    if partner is None:
        raise Http404
    if user.is_team:
        require_permission(user, permission)
    return partner


def plans_visible_to(user: User) -> QuerySet[Plan]:
    """List the plans of the brands that a member of staff reaches as a whole."""
    if not user or not user.is_authenticated or not user.is_team:
        return Plan.objects.none()
    return Plan.objects.filter(brand_id__in=reach_of(user).whole_brands)


def replays_visible_to(user: User) -> QuerySet[Replay]:
    """List the replays of the brands that a member of staff reaches as a whole."""
    if not user or not user.is_authenticated or not user.is_team:
        return Replay.objects.none()
    return Replay.objects.filter(brand_id__in=reach_of(user).whole_brands)


def of_deals(deal_ids: Iterable[int]) -> Q:
    """Match all accruals of some deals: originals and what was added to them have an index each, so both are named."""
    of_deals = Q(deal_id__in=list(deal_ids))
    return (of_deals & Q(kind=AccrualKind.ORIGINAL)) | (of_deals & ~Q(kind=AccrualKind.ORIGINAL))
