"""Screening of a name that is nobody's record: a payee, a company's director, a vessel. Kept is that it was done, not the name."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from compliance import screening
from compliance.audit_codes import ComplianceAction
from compliance.brand_policies import SCREENING_THRESHOLD
from compliance.choices import EntryKind
from compliance.lists.numbers import marks_of
from compliance.matching import VERSION
from compliance.matching.evidence import Address
from compliance.matching.score import Person
from compliance.models import ListEntry
from compliance.sources.base import Identifier
from crm.errors import DomainError
from crm.models import User
from crm.security import audit
from crm.security.policies import require_permission

SHOWN_MAX: Final = 50
NAME_CHARS_MAX: Final = 300  # as long as a list's names are kept


@dataclass(frozen=True)
class Typed:
    """What an officer types. number: of `number_kind`, such as a passport or a vessel's IMO number, issued by `country`."""

    name: str
    kind: EntryKind = EntryKind.PERSON
    born: dt.date | None = None
    country: str = ""
    number_kind: str = ""
    number: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Found:
    """The entries at or above the threshold with their comparison, best first; how many there are, and how many were compared."""

    rows: list[tuple[ListEntry, dict[str, Any]]]
    count: int
    compared: int


@transaction.atomic
def check_name(typed: Typed, *, actor: User) -> Found:
    """Screen a typed name against the lists in force, at the standard threshold.

    Who: `compliance.screen_client`. The audit row says who screened how, and why; the name isn't kept where no erasure reaches
    it. Raises: NotAllowed; DomainError without a usable name or number, or with no list in force.
    """
    require_permission(actor, "compliance.screen_client")
    if not any(sign.isalnum() for sign in typed.name):
        raise DomainError(_("Enter the full name of a person, company or vessel."))
    version_ids = screening.current_version_ids()
    if not version_ids:
        raise DomainError(_("No watchlist is in force. Import one under Watchlists first."))
    found, compared = screening.matches(_person(typed), threshold=float(SCREENING_THRESHOLD.default), kind=typed.kind)
    audit.record(
        actor=actor,
        action=ComplianceAction.NAME_SCREENED,
        target=actor,
        brand_id=actor.brand_id,
        reason=typed.reference,
        after={"kind": typed.kind, "hits": len(found), "compared": compared},
        evidence={"versions": version_ids, "matcher": VERSION},
    )
    return Found([(entry, asdict(why)) for entry, why in found[:SHOWN_MAX]], len(found), compared)


def _person(typed: Typed) -> Person:
    numbers = frozenset[tuple[str, bytes]]()
    if typed.number:
        issued = [typed.country] if typed.country else []
        made = marks_of([Identifier(typed.number_kind, typed.number, typed.country)], issued)
        numbers = frozenset((mark.kind, mark.mark) for mark in made)
        if not numbers:
            raise DomainError(
                _("This number can't be compared. Enter the issuing country, and at least six characters.")
            )
    return Person(
        (typed.name,),
        typed.born,
        (typed.country,) if typed.country else (),
        typed.kind == EntryKind.ENTITY,
        is_vessel=typed.kind == EntryKind.VESSEL,
        numbers=numbers,
        address=Address("", "", "", typed.country),
    )
