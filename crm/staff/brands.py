"""Brands: founded, changed, archived. A brand prints the name and licence of its legal entity."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.db.locking import lock, lock_all
from crm.errors import DomainError, WrongState
from crm.i18n.time_zones import all_zones
from crm.models import Actor, Brand, LegalEntity
from crm.security import audit
from crm.security.policies import require
from crm.staff import company, founding, reach
from crm.staff.blockers import require_changeable

# What wallets and accounts are offered in: the currencies of the European Central Bank's rates, and the usual coins.
CURRENCIES: Final = (
    *(
        "EUR",
        "USD",
        "GBP",
        "CHF",
        "JPY",
        "AUD",
        "CAD",
        "NZD",
        "BGN",
        "BRL",
        "CNY",
        "CZK",
        "DKK",
        "HKD",
        "HUF",
        "IDR",
        "ILS",
    ),
    *(
        "INR",
        "ISK",
        "KRW",
        "MXN",
        "MYR",
        "NOK",
        "PHP",
        "PLN",
        "RON",
        "SEK",
        "SGD",
        "THB",
        "TRY",
        "ZAR",
        "AED",
        "KWD",
        "SAR",
    ),
    *("USDT", "USDC", "BTC", "ETH"),
)


@dataclass(frozen=True, slots=True)
class BrandDetails:
    """What a brand is, but for its code and its look."""

    name: str
    legal_entity: LegalEntity
    support_email: str
    base_currency: str = "EUR"
    currencies: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    default_language: str = "en-gb"
    time_zone: str = "UTC"
    sender_email: str = ""
    loss_percentage: int | None = None


@transaction.atomic
def create_brand(*, actor: Actor, code: str, details: BrandDetails) -> Brand:
    """Found a brand under an open legal entity. Its founder gets access, and so do administrators who reach all brands.

    Who: `crm.manage_company`, reaching all brands; on an installation without a brand, any administrator.
    Raises: NotAllowed; DomainError when the code is taken or a value doesn't fit.
    """
    require(company.can_found(actor))
    entity = lock(LegalEntity, details.legal_entity.pk, no_key=True)
    brand = Brand()
    _before, after = company.assign(brand, {"code": code.strip().lower(), **_values(brand, entity, details)})
    try:
        with transaction.atomic():
            brand.save()
    except IntegrityError:
        raise DomainError(_("A brand with this code already exists."), code="duplicate") from None
    audit.record(actor=actor, action=CrmAction.BRAND_CREATED, target=brand, brand_id=brand.pk, after=after)
    if actor is not None:
        reach.give(actor, brand, actor=actor)
        founding.let_in_administrators(brand, actor=actor)
    return brand


@transaction.atomic
def change_brand(*, brand_id: int, actor: Actor, details: BrandDetails) -> Brand:
    """Change a brand's details. Its code never changes; its base currency only while it has no clients and no journals.

    Who: `crm.manage_company` on the whole brand. Raises: NotAllowed; DomainError when a value doesn't fit.
    """
    require(company.can_set_up(actor, brand_id))
    entity = lock(LegalEntity, details.legal_entity.pk, no_key=True)
    brand = lock(Brand, brand_id, "legal_entity")
    if details.base_currency != brand.base_currency:
        require_changeable(brand, "base_currency")
    before, after = company.assign(brand, _values(brand, entity, details))
    if after:
        brand.save()
        audit.record(
            actor=actor, action=CrmAction.BRAND_CHANGED, target=brand, brand_id=brand.pk, before=before, after=after
        )
    return brand


@transaction.atomic
def archive_brand(*, brand_id: int, actor: Actor, reason: str) -> Brand:
    """Close a brand to new clients: no registrations, leads, deposits or accounts. Clients still sign in and withdraw.

    Who: `crm.manage_company` on the whole brand. Raises: NotAllowed, WrongState; DomainError for the last open brand.
    """
    require(company.can_set_up(actor, brand_id))
    # All open brands, so that two administrators can't each archive what the other one takes for the last.
    open_brands = lock_all(Brand.objects.filter(archived_at=None))
    brand = next((row for row in open_brands if row.pk == brand_id), None) or lock(Brand, brand_id)
    if open_brands == [brand]:
        raise DomainError(_("This is the last open brand. Add another brand before you archive it."))
    return company.archive(brand, actor=actor, action=CrmAction.BRAND_ARCHIVED, reason=reason, brand_id=brand.pk)


@transaction.atomic
def restore_brand(*, brand_id: int, actor: Actor, reason: str) -> Brand:
    """Open an archived brand again. Who: as for archiving. Raises: NotAllowed, WrongState, DomainError."""
    require(company.can_set_up(actor, brand_id))
    brand = lock(Brand, brand_id, "legal_entity")
    if brand.legal_entity is not None and brand.legal_entity.archived_at is not None:
        raise WrongState(_("%(name)s is archived. Restore it first.") % {"name": brand.legal_entity})
    return company.restore(brand, actor=actor, action=CrmAction.BRAND_RESTORED, reason=reason, brand_id=brand.pk)


def _values(brand: Brand, entity: LegalEntity, details: BrandDetails) -> dict[str, Any]:
    """Check the details and return the columns they fill, with the copies of what the legal entity prints."""
    if entity.archived_at is not None and entity.pk != brand.legal_entity_id:
        raise WrongState(_("%(name)s is archived. Restore it first.") % {"name": entity})
    _check(details)
    return {column.name: getattr(details, column.name) for column in fields(details)} | {
        "legal_entity": entity,
        "legal_name": entity.name,
        "jurisdiction": entity.jurisdiction,
        "licence_number": entity.licence_number,
    }


def _check(details: BrandDetails) -> None:
    unknown = sorted({details.base_currency, *details.currencies} - set(CURRENCIES))
    if unknown:
        raise DomainError(_("Unknown currency: %(code)s.") % {"code": unknown[0]})
    if details.currencies and details.base_currency not in details.currencies:
        raise DomainError(_("The base currency must be among the currencies offered."))
    if details.time_zone not in all_zones():
        raise DomainError(_("Unknown time zone: %(name)s.") % {"name": details.time_zone})
