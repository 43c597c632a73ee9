"""Turning a client into a company, and changing a company's details."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import ClientKind
from clients.identifiers import learn_many
from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import CompanyChanged, publish
from crm.i18n.territories import country_names
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.corporate.lei import is_lei
from kyc.corporate.people import PersonDetails, link_client, link_person
from kyc.corporate.policies import can_manage
from kyc.fingerprints import sightings_of_company
from kyc.levels.reaching import note_level
from kyc.models.corporate import Company, CompanyPerson

OLDEST: Final = dt.date(1600, 1, 1)


@dataclass(frozen=True)
class CompanyDetails:
    """What is entered about a company."""

    name: str
    registration_number: str
    legal_form: str
    country: str
    registered_address: str
    activity: str
    incorporated_on: dt.date | None = None
    lei: str = ""
    trading_address: str = ""

    def checked(self) -> dict[str, Any]:
        """Return the values as they are kept. Raises: DomainError, which names the field in its code."""
        values: dict[str, Any] = {
            name: value.strip() if isinstance(value, str) else value for name, value in asdict(self).items()
        }
        values["lei"] = values["lei"].upper().replace(" ", "")
        for name in ("name", "registration_number", "legal_form", "registered_address", "activity"):
            if not values[name]:
                raise DomainError(_("This field is required."), code=name)
        if values["country"] not in country_names():
            raise DomainError(_("Choose a country."), code="country")
        if values["lei"] and not is_lei(values["lei"]):
            raise DomainError(_("This isn't a valid LEI. Check its 20 characters."), code="lei")
        founded = values["incorporated_on"]
        if founded is not None and not OLDEST <= founded <= timezone.now().date():
            raise DomainError(_("Enter a date in the past."), code="incorporated_on")
        return values


@transaction.atomic
def register_company(
    *, client_id: int, details: CompanyDetails, actor: Actor, contact: Client | None = None
) -> Company:
    """Make a client a company. Who registered becomes its first person, as authorised signatory and director.

    contact: their own record at the brand, where they have one beside the company's; else one is made of the client's details.
    Who: the client's own login before verification, or `kyc.manage_company` in reach. Raises: NotAllowed, WrongState (a company
    already, or documents were approved for the person), DomainError (a field, or a company that is a client already).
    """
    client = lock(Client, client_id, "brand")
    require(can_manage(actor, client))
    if client.kind == ClientKind.COMPANY:
        raise WrongState(_("This client is a company already."))
    if client.documents.exists() or client.kyc_level:
        raise WrongState(
            _("This client has sent documents as a person. Register the company with another e-mail address.")
        )
    values = details.checked()
    registrant = PersonDetails.of(client)
    before = {"first_name": client.first_name, "last_name": client.last_name}
    client.kind, client.first_name, client.last_name = ClientKind.COMPANY, "", values["name"]
    client.date_of_birth, client.nationality, client.country = None, "", values["country"]
    client.save(update_fields=["kind", "first_name", "last_name", "date_of_birth", "nationality", "country"])
    company = Company(client=client, brand_id=client.brand_id, created_at=timezone.now(), **values)
    _write(company)
    _record(company, actor, KycAction.COMPANY_REGISTERED, before=before, after=values)
    if contact is not None:
        link_client(company, contact, actor=actor, is_director=True, is_signatory=True)
    elif registrant.first_name and registrant.last_name:
        link_person(company, registrant, actor=actor, is_director=True, is_signatory=True)
    return company


@transaction.atomic
def change_company(*, client_id: int, details: CompanyDetails, actor: Actor) -> Company:
    """Change a company's details; its name is the client's name everywhere.

    Who: as `register_company`. Raises: NotAllowed, DomainError.
    """
    client = lock(Client, client_id, "brand")
    require(can_manage(actor, client))
    company = lock(Company, client_id)
    values = details.checked()
    before = {name: getattr(company, name) for name, value in values.items() if getattr(company, name) != value}
    if not before:
        return company
    for name in before:
        setattr(company, name, values[name])
    _write(company)
    client.last_name, client.country = company.name, company.country
    client.save(update_fields=["last_name", "country"])
    _record(company, actor, KycAction.COMPANY_CHANGED, before=before, after={name: values[name] for name in before})
    return company


def _write(company: Company) -> None:
    try:
        with transaction.atomic():
            company.save()
            learn_many(sightings_of_company(company))
    except IntegrityError as problem:
        raise DomainError(
            _("We already have a company with this registration number. Please contact support."),
            code="registration_number",
        ) from problem


def _record(
    company: Company, actor: Actor, action: KycAction, *, before: dict[str, Any], after: dict[str, Any]
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=company,
        client_id=company.client_id,
        brand_id=company.brand_id,
        before=_plain(before),
        after=_plain(after),
    )
    publish(CompanyChanged(client_id=company.client_id, brand_id=company.brand_id), actor=actor)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in values.items()}


@transaction.atomic
def note_people(*, person_id: int) -> list[int]:
    """Recompute the levels of the companies that a person is linked to, after a document or a restriction of theirs changed."""
    ids = CompanyPerson.objects.filter(person_id=person_id, left_at=None).order_by("company_id")
    companies = list(ids.values_list("company_id", flat=True).distinct())
    for company_id in companies:
        note_level(client=lock(Client, company_id, "brand", no_key=True))
    return companies
