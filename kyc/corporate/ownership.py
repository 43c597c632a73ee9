"""Who holds which share of a company, directly or through other entities."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError
from crm.events import OwnershipChanged, publish
from crm.i18n import formats
from crm.i18n.territories import country_names
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.corporate.policies import can_manage
from kyc.corporate.structure import HOLDINGS_MAX, WHOLE
from kyc.levels.reaching import note_level
from kyc.models.corporate import DEPTH_MAX, Company, CompanyPerson, Shareholding

SMALLEST: Final = Decimal("0.01")


@transaction.atomic
def add_holding(
    *,
    client_id: int,
    share: Decimal,
    actor: Actor,
    parent_id: int | None = None,
    link_id: int | None = None,
    entity: tuple[str, str, str] = ("", "", ""),
) -> Shareholding:
    """Add a share of the company, or of an entity above it: of a linked person, or of an entity (name, number, country).

    Who: as `register_company`. Raises: NotAllowed, DomainError (more than 100 % of one entity, a chain deeper than five, both a
    person and an entity or neither, a person who holds a share there already).
    """
    client = lock(Client, client_id, "brand")
    require(can_manage(actor, client))
    company = lock(Company, client_id)
    if not SMALLEST <= share <= WHOLE or share != round(share, 2):
        raise DomainError(_("Enter a share from 0.01 to 100 %, with at most two decimal places."), code="share")
    parent = _parent(company, parent_id)
    _check_room(company, parent, share)
    name, number, country = (text.strip() for text in entity)
    person = CompanyPerson.objects.filter(company=company, left_at=None, pk=link_id).first() if link_id else None
    if (person is None) == (not name) or (link_id and person is None):
        raise DomainError(_("Choose a person, or enter the name of a company."))
    if person is not None and company.shareholdings.filter(parent=parent, person=person).exists():
        raise DomainError(_("%(person)s already holds a share here.") % {"person": person.person})
    if country and country not in country_names():
        raise DomainError(_("Choose a country."), code="entity_country")
    holding = Shareholding.objects.create(
        company=company,
        parent=parent,
        person=person,
        entity_name=name,
        entity_number=number,
        entity_country=country,
        share=share,
        depth=parent.depth + 1 if parent else 1,
    )
    _record(holding, client, actor, KycAction.SHAREHOLDING_ADDED)
    _publish(client, actor)
    note_level(client=client)
    return holding


def _parent(company: Company, parent_id: int | None) -> Shareholding | None:
    if parent_id is None:
        return None
    parent = company.shareholdings.filter(pk=parent_id, person=None).first()
    if parent is None:
        raise DomainError(_("Choose a company of the ownership tree."), code="parent")
    if parent.depth >= DEPTH_MAX:
        raise DomainError(_("Ownership is recorded up to %(depth)s levels deep.") % {"depth": DEPTH_MAX}, code="parent")
    return parent


def _check_room(company: Company, parent: Shareholding | None, share: Decimal) -> None:
    if company.shareholdings.count() >= HOLDINGS_MAX:
        raise DomainError(_("A company has at most %(count)s shareholdings.") % {"count": HOLDINGS_MAX})
    taken = company.shareholdings.filter(parent=parent).aggregate(total=Sum("share"))["total"] or Decimal(0)
    if taken + share > WHOLE:
        raise DomainError(
            _("The shares would add up to %(sum)s %%. At most %(left)s %% are left.")
            % {"sum": formats.number(taken + share), "left": formats.number(WHOLE - taken)},
            code="share",
        )


@transaction.atomic
def remove_holding(*, client_id: int, holding_id: int, actor: Actor) -> None:
    """Remove a share that was entered. One of an entity goes after its own holders' shares.

    Who: as `register_company`. Raises: NotAllowed, DomainError.
    """
    client = lock(Client, client_id, "brand")
    require(can_manage(actor, client))
    holding = lock(Shareholding.objects.filter(company_id=client_id), holding_id)
    if holding.holders.exists():
        raise DomainError(_("Remove the shares of %(entity)s first.") % {"entity": holding.entity_name})
    _record(holding, client, actor, KycAction.SHAREHOLDING_REMOVED)
    holding.delete()
    _publish(client, actor)
    note_level(client=client)


def _publish(client: Client, actor: Actor) -> None:
    """Announce which companies hold shares now, once each, so that they are screened."""
    rows = Shareholding.objects.filter(company=client.pk, person=None).order_by("pk")
    companies = dict(rows.values_list("entity_name", "entity_country")[:HOLDINGS_MAX])
    publish(
        OwnershipChanged(
            client_id=client.pk,
            brand_id=client.brand_id,
            companies=tuple(companies),
            countries=tuple(companies.values()),
        ),
        actor=actor,
    )


def _record(holding: Shareholding, client: Client, actor: Actor, action: KycAction) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=holding,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={
            "share": str(holding.share),
            "person": holding.person.person_id if holding.person else None,
            "entity": holding.entity_name,
            "of": holding.parent_id,
        },
    )
