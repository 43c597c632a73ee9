"""How a brand's pages look: colours, logo, picture."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor, Brand, BrandLook
from crm.security import audit
from crm.security.policies import Decision, on_whole_brand, require

MANAGES: Final = "crm.manage_brand_look"
VERSION_CHARS: Final = 12
WIDE: Final = 1.8  # a logo this many times as wide as high has the brand's name in it
PICTURE_BYTES_MAX: Final = 600 * 1024


@dataclass(frozen=True, slots=True)
class Drawing:
    """A checked picture: rebuilt bytes of a PNG or SVG, and its width to height."""

    content: bytes
    ratio: float


def can_manage_look(actor: Actor, brand_id: int) -> Decision:
    """Allow changing the look of a brand that the user reaches as a whole."""
    return on_whole_brand(actor, MANAGES, brand_id)


@transaction.atomic
def change_look(
    *, brand_id: int, actor: Actor, colour: str, accent_colour: str, logo: Drawing | None, picture: Drawing | None
) -> Brand:
    """Change what a brand's pages look like. A drawing without content removes what is there, None leaves it.

    Who: `crm.manage_brand_look` on the whole brand. Raises: NotAllowed, DomainError for a picture that is too large.
    """
    require(can_manage_look(actor, brand_id))
    if picture is not None and len(picture.content) > PICTURE_BYTES_MAX:
        raise DomainError(_("The picture is too large for a page. Use an SVG drawing or a smaller picture."))
    brand = lock(Brand, brand_id)
    look = BrandLook.objects.filter(brand=brand).first() or BrandLook(brand=brand)
    before = _state(brand)
    brand.colour, brand.accent_colour = colour.lower(), accent_colour.lower()
    if logo is not None:
        look.logo, brand.logo_version = logo.content, _version(logo)
        brand.is_logo_wide = bool(logo.content) and logo.ratio >= WIDE
    if picture is not None:
        look.picture, brand.picture_version = picture.content, _version(picture)
    look.changed_by, look.changed_at = actor, timezone.now()
    look.save()
    brand.save()
    after = _state(brand)
    audit.record(
        actor=actor,
        action=CrmAction.BRAND_LOOK_CHANGED,
        target=brand,
        brand_id=brand.pk,
        before={name: before[name] for name in before if before[name] != after[name]},
        after={name: after[name] for name in after if before[name] != after[name]},
    )
    return brand


def _version(drawing: Drawing) -> str:
    return hashlib.sha256(drawing.content).hexdigest()[:VERSION_CHARS] if drawing.content else ""


def _state(brand: Brand) -> dict[str, str]:
    return {
        "colour": brand.colour,
        "accent_colour": brand.accent_colour,
        "logo": brand.logo_version,
        "picture": brand.picture_version,
    }
