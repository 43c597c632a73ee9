"""Banners: uploading and switching them, their embed code, and counting what they bring."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor, Brand, User
from crm.security import audit, policies
from crm.security.scope import reach_of
from crm.staff.company import open_brand
from ib.audit_codes import IbAction
from ib.links import link_url
from ib.models import Material, MaterialDay, Partner, ReferralLink
from ib.partner_pages.sharing import LANGUAGE, PAGE
from ib.policies import can_manage_partners

BANNER: Final = "banner"
PAGE_TYPE: Final = "text/html"
# Stands in a stored HTML5 banner where its click tag is assigned.
CLICK_TAG: Final = "%%KEELSON-CLICK-TAG%%"
# A banner that is a page runs in a frame with an origin of its own: no cookies, storage, requests or forms; it may open its link.
MAY: Final = "allow-scripts allow-popups allow-popups-to-escape-sandbox"
POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:;"
    f" form-action 'none'; base-uri 'none'; sandbox {MAY}; frame-ancestors "
)
ACTIVE_MAX: Final = 200
COUNT: Final = """
INSERT INTO ib_materialday (material_id, link_id, day, views, clicks) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT one_row_per_banner_link_and_day
DO UPDATE SET views = ib_materialday.views + EXCLUDED.views, clicks = ib_materialday.clicks + EXCLUDED.clicks
"""


@dataclass(frozen=True)
class Picture:
    """A picture as it was rebuilt from an upload, or the page that an HTML5 banner's files were joined into."""

    content: bytes
    content_type: str
    width: int
    height: int


@transaction.atomic
def add_banner(
    *, brand_id: int, name: str, alt: str, picture: Picture, actor: Actor, language: str = "", page: str = ""
) -> Material:
    """Offer a banner to a brand's partners. Who: `ib.manage_partners` at the brand.

    Raises: NotAllowed; DomainError where the brand has this picture already, or too many.
    """
    policies.require(can_manage_partners(actor, brand_id))
    brand = open_brand(brand_id)
    if Material.objects.filter(brand=brand, is_active=True).count() >= ACTIVE_MAX:
        raise DomainError(_("A brand offers at most %(count)s banners. Withdraw one first.") % {"count": ACTIVE_MAX})
    try:
        with transaction.atomic():
            banner = Material.objects.create(
                brand=brand,
                name=name.strip(),
                alt=alt.strip(),
                language=language,
                page=page,
                content=picture.content,
                content_type=picture.content_type,
                sha256=hashlib.sha256(picture.content).hexdigest(),
                width=picture.width,
                height=picture.height,
                made_by=actor,
            )
    except IntegrityError:
        raise DomainError(_("The brand has this picture already."))
    audit.record(
        actor=actor,
        action=IbAction.BANNER_ADDED,
        target=banner,
        brand_id=brand.pk,
        after={"name": banner.name, "sha256": banner.sha256},
    )
    return banner


@transaction.atomic
def switch_banner(*, banner_id: int, is_active: bool, actor: Actor) -> Material:
    """Withdraw a banner or offer it again. Withdrawn, pages that embed it still show it. Who: as for adding one."""
    banner = lock(Material, banner_id, "brand")
    policies.require(can_manage_partners(actor, banner.brand_id))
    banner.is_active = is_active
    banner.save(update_fields=["is_active"])
    audit.record(
        actor=actor,
        action=IbAction.BANNER_SWITCHED,
        target=banner,
        brand_id=banner.brand_id,
        after={"is_active": is_active},
    )
    return banner


def banners_visible_to(user: User) -> QuerySet[Material]:
    """Select the banners of the brands that a member of staff reaches as a whole."""
    if not user or not user.is_authenticated or not user.is_team or not user.has_perm("ib.view_partner"):
        return Material.objects.none()
    return Material.objects.filter(brand_id__in=reach_of(user).whole_brands)


def banners_for(partner: Partner, *, language: str = "") -> QuerySet[Material]:
    """Select what a partner may embed: the brand's active banners, in a language and those for all."""
    rows = Material.objects.filter(brand_id=partner.brand_id, is_active=True).defer("content")
    return rows.filter(Q(language=language) | Q(language="")) if language else rows


def count(banner_id: int, link: ReferralLink, *, views: int = 0, clicks: int = 0) -> None:
    """Add to a banner's count of today (UTC) through a link. The caller knows that both are one brand's."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [banner_id, link.pk, timezone.now().date(), views, clicks])


def count_click(link: ReferralLink, given: str) -> None:
    """Count a click on a banner that an address names; anything else in its place is ignored."""
    if given.isascii() and given.isdigit() and len(given) < 10:
        banner = Material.objects.filter(pk=int(given), brand_id=link.partner.brand_id).only("pk").first()
        if banner is not None:
            count(banner.pk, link, clicks=1)


def figures(partner: Partner, since: dt.date) -> dict[int, dict[str, int]]:
    """Sum a partner's views and clicks per banner since a day."""
    days = MaterialDay.objects.filter(link__partner=partner, day__gte=since).order_by()
    rows = days.values("material_id").annotate(views_sum=Sum("views"), clicks_sum=Sum("clicks"))
    return {row["material_id"]: {"views": row["views_sum"], "clicks": row["clicks_sum"]} for row in rows}


def target_of(banner: Material, link: ReferralLink, request: HttpRequest) -> str:
    """Build the address that a click on a banner leads to: the partner's link, which counts it."""
    query: dict[str, Any] = {BANNER: banner.pk, PAGE: banner.page, LANGUAGE: banner.language}
    return f"{link_url(link, request)}?{urlencode({name: value for name, value in query.items() if value})}"


def page_of(banner: Material, target: str) -> bytes:
    """Fill the address of a click into a banner that is a page."""
    address = json.dumps(target).replace("<", "\\u003c")
    return bytes(banner.content).replace(f'"{CLICK_TAG}"'.encode(), address.encode())


def embed_code(banner: Material, link: ReferralLink, request: HttpRequest) -> str:
    """Write the HTML that a partner pastes into a page: the picture, counted, within the link; or a page in a frame."""
    target = target_of(banner, link, request)
    image = request.build_absolute_uri(reverse("referral_banner", args=[link.code, banner.pk]))
    if banner.is_page:
        frame = (
            '<iframe src="{}" width="{}" height="{}" title="{}" sandbox="{}" scrolling="no" frameborder="0"></iframe>'
        )
        return "".join(format_html(frame, image, banner.width, banner.height, banner.alt, MAY))
    code = format_html(
        '<a href="{}" rel="sponsored noopener" target="_blank"><img src="{}" width="{}" height="{}" alt="{}"></a>',
        target,
        image,
        banner.width,
        banner.height,
        banner.alt,
    )
    # No longer marked as safe: the page shows it as text.
    return "".join(code)


def brands_of(user: User) -> QuerySet[Brand]:
    """Select the brands for which somebody may add banners."""
    return Brand.objects.filter(pk__in=reach_of(user).whole_brands, archived_at__isnull=True)
