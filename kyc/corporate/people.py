"""The people of a company: directors, signatories and senior managing officials. Each is a client record without a login."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import Stage
from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError
from crm.events import CompanyPersonLinked, publish
from crm.i18n.territories import country_names
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.corporate.policies import can_manage
from kyc.corporate.structure import PEOPLE_MAX
from kyc.levels.reaching import note_level
from kyc.models.corporate import Company, CompanyPerson

ROLES: Final = ("is_director", "is_signatory", "is_managing_official")
OLDEST_YEARS: Final = 120


@dataclass(frozen=True)
class PersonDetails:
    """What is entered about a person; documents are compared with it."""

    first_name: str
    last_name: str
    date_of_birth: dt.date | None = None
    nationality: str = ""
    country: str = ""
    address_line: str = ""
    city: str = ""
    postal_code: str = ""

    @classmethod
    def of(cls, client: Client) -> Self:
        """Read them from the client who registered."""
        return cls(**{name: getattr(client, name) for name in cls.__dataclass_fields__})

    def checked(self) -> dict[str, Any]:
        """Return the values as they are kept. Raises: DomainError, which names the field in its code."""
        values: dict[str, Any] = {
            name: value.strip() if isinstance(value, str) else value for name, value in asdict(self).items()
        }
        for name in ("first_name", "last_name"):
            if not values[name]:
                raise DomainError(_("This field is required."), code=name)
        for name in ("nationality", "country"):
            if values[name] and values[name] not in country_names():
                raise DomainError(_("Choose a country."), code=name)
        born, today = values["date_of_birth"], timezone.now().date()
        if born is not None and not today.year - OLDEST_YEARS <= born.year <= today.year:
            raise DomainError(_("Enter a date in the past."), code="date_of_birth")
        return values


@transaction.atomic
def add_person(*, client_id: int, details: PersonDetails, actor: Actor, **roles: bool) -> CompanyPerson:
    """Add a person to a company, with any of `ROLES`; an owner without a role is linked too. They are screened.

    Who: as `register_company`. Raises: NotAllowed, DomainError (a field, too many people).
    """
    client = lock(Client, client_id, "brand")
    require(can_manage(actor, client))
    company = lock(Company, client_id)
    if company.people.filter(left_at=None)[:PEOPLE_MAX].count() >= PEOPLE_MAX:
        raise DomainError(_("A company has at most %(count)s people.") % {"count": PEOPLE_MAX})
    link = link_person(company, details, actor=actor, **roles)
    note_level(client=client)
    return link


def link_person(company: Company, details: PersonDetails, *, actor: Actor, **roles: bool) -> CompanyPerson:
    """Write a person's record and their link; the caller holds the company's lock and has asked whether the actor may."""
    owner = company.client
    person = Client.objects.create(
        brand_id=owner.brand_id,
        book_id=owner.book_id,
        stage=Stage.RELATED,
        language=owner.language,
        created_at=timezone.now(),
        **details.checked(),
    )
    return link_client(company, person, actor=actor, **roles)


def link_client(company: Company, person: Client, *, actor: Actor, **roles: bool) -> CompanyPerson:
    """Link a record of the brand to a company, with what it has proved so far; the caller has asked whether the actor may."""
    link = CompanyPerson.objects.create(
        company=company, person=person, linked_at=timezone.now(), **{name: bool(roles.get(name)) for name in ROLES}
    )
    audit.record(
        actor=actor,
        action=KycAction.COMPANY_PERSON_ADDED,
        target=link,
        client_id=company.client_id,
        brand_id=company.brand_id,
        after={"person": person.pk, **{name: getattr(link, name) for name in ROLES}},
    )
    publish(
        CompanyPersonLinked(company_id=company.client_id, client_id=person.pk, brand_id=company.brand_id), actor=actor
    )
    return link


@transaction.atomic
def change_person(
    *, client_id: int, link_id: int, actor: Actor, details: PersonDetails | None = None, **roles: bool
) -> CompanyPerson:
    """Change a person's details and roles. Details stay as they are once a document was approved.

    Who: as `register_company`. Raises: NotAllowed, DomainError.
    """
    client, link = _locked(client_id, link_id, actor)
    person = lock(Client, link.person_id)
    if details is not None:
        values = {name: value for name, value in details.checked().items() if getattr(person, name) != value}
        if values and person.user_id is not None:
            raise DomainError(_("%(person)s has an account and changes these details there.") % {"person": person})
        if values and person.kyc_level:
            raise DomainError(_("An approved document confirms these details. Please contact support to change them."))
        for name, value in values.items():
            setattr(person, name, value)
        if values:
            person.save(update_fields=list(values))
            publish(
                CompanyPersonLinked(company_id=client.pk, client_id=person.pk, brand_id=client.brand_id), actor=actor
            )
    before = {name: getattr(link, name) for name in ROLES}
    for name in ROLES:
        setattr(link, name, bool(roles.get(name, before[name])))
    link.save(update_fields=list(ROLES))
    audit.record(
        actor=actor,
        action=KycAction.COMPANY_PERSON_CHANGED,
        target=link,
        client_id=client.pk,
        brand_id=client.brand_id,
        before=before,
        after={name: getattr(link, name) for name in ROLES},
    )
    note_level(client=client)
    return link


@transaction.atomic
def remove_person(*, client_id: int, link_id: int, actor: Actor) -> CompanyPerson:
    """End a person's link; their record and documents stay as evidence. Someone who holds shares stays until these are removed.

    Who: as `register_company`. Raises: NotAllowed, DomainError.
    """
    client, link = _locked(client_id, link_id, actor)
    if link.shareholdings.exists():
        raise DomainError(_("%(person)s holds shares. Remove these first.") % {"person": link.person})
    link.left_at = timezone.now()
    link.save(update_fields=["left_at"])
    audit.record(
        actor=actor,
        action=KycAction.COMPANY_PERSON_REMOVED,
        target=link,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"person": link.person_id},
    )
    note_level(client=client)
    return link


def _locked(client_id: int, link_id: int, actor: Actor) -> tuple[Client, CompanyPerson]:
    client = lock(Client, client_id, "brand")
    require(can_manage(actor, client))
    link = lock(CompanyPerson.objects.filter(company_id=client_id, left_at=None), link_id, "person")
    return client, link
