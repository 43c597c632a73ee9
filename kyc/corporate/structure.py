"""A company's people and owners as they follow from what was entered: effective shares, beneficial owners, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Final

from django.utils.translation import gettext as _

from clients.models import Client
from crm.i18n import formats
from kyc.models.corporate import Company, CompanyPerson, Shareholding
from kyc.queries import requirements_by_client

# From this share on a person is a beneficial owner (AMLR (EU) 2024/1624, Article 52; 4AMLD, Article 3(6)).
OWNER_FROM: Final = Decimal(25)
PEOPLE_MAX: Final = 60
HOLDINGS_MAX: Final = 120
WHOLE: Final = Decimal(100)


@dataclass
class Node:
    """One holder in the tree. effective: the share of the company itself, through all entities between."""

    holding: Shareholding
    effective: Decimal
    holders: list[Node] = field(default_factory=list)

    @property
    def is_person(self) -> bool:
        return self.holding.person_id is not None

    @property
    def name(self) -> str:
        return str(self.holding.person.person) if self.holding.person else self.holding.entity_name

    @property
    def declared(self) -> Decimal:
        return sum((node.holding.share for node in self.holders), Decimal(0))


@dataclass(frozen=True, slots=True)
class LinkedPerson:
    """A person with their roles, their effective share, and how far their identity is proved."""

    link: CompanyPerson
    share: Decimal
    identity: str

    @property
    def person(self) -> Client:
        return self.link.person

    @property
    def is_owner(self) -> bool:
        return self.share >= OWNER_FROM

    @property
    def is_verified(self) -> bool:
        return self.identity == "approved" and not self.person.restrictions

    @property
    def must_be_verified(self) -> bool:
        link = self.link
        return self.is_owner or link.is_director or link.is_signatory or link.is_managing_official

    @property
    def roles(self) -> list[str]:
        named = [
            (self.link.is_director, _("Director")),
            (self.link.is_signatory, _("Authorised signatory")),
            (self.is_owner, _("Beneficial owner")),
            (self.link.is_managing_official, _("Senior managing official")),
            (0 < self.share < OWNER_FROM, _("Shareholder")),
        ]
        return [label for holds, label in named if holds]


@dataclass
class Structure:
    """Everything about a company's people and ownership, read with five queries."""

    company: Company
    people: list[LinkedPerson]
    roots: list[Node]

    @property
    def declared(self) -> Decimal:
        return sum((node.holding.share for node in self.roots), Decimal(0))

    @cached_property
    def flaws(self) -> list[str]:
        """Name what keeps the company from being verified, people first."""
        return list(self._flaws())

    def _flaws(self) -> Iterator[str]:
        if not any(one.link.is_director for one in self.people):
            yield _("No director is named.")
        owners = [one for one in self.people if one.is_owner]
        official = any(one.link.is_managing_official for one in self.people)
        undeclared = WHOLE - self.declared
        if undeclared < 0:
            yield _("The shares add up to %(sum)s %%.") % {"sum": formats.number(self.declared)}
        if not official and (undeclared >= OWNER_FROM or not owners):
            yield _(
                "%(share)s %% of the shares are not accounted for. Name the owners, or a senior managing official where there is "
                "no beneficial owner."
            ) % {"share": formats.number(max(undeclared, Decimal(0)))}
        for node in self.nodes():
            if not node.is_person and node.effective >= OWNER_FROM and node.declared < WHOLE - OWNER_FROM:
                yield _("%(entity)s holds %(share)s %%, but its own owners aren't named.") % {
                    "entity": node.name,
                    "share": formats.number(node.effective.normalize()),
                }
        for one in self.people:
            if one.must_be_verified and not one.is_verified:
                yield _("%(person)s isn't verified.") % {"person": one.person}

    def nodes(self) -> Iterator[Node]:
        """Walk the tree, those nearest to the company first."""
        waiting = list(self.roots)
        while waiting:
            node = waiting.pop(0)
            yield node
            waiting.extend(node.holders)


def structure_of(company: Company) -> Structure:
    """Read a company's people and owners. The caller has got the company through a scoped read."""
    links = list(company.people.filter(left_at=None).select_related("person__brand")[:PEOPLE_MAX])
    holdings = list(company.shareholdings.select_related("person__person")[:HOLDINGS_MAX])
    roots, shares = _tree(holdings)
    identity = requirements_by_client([link.person for link in links])
    people = [LinkedPerson(link, shares.get(link.pk, Decimal(0)), identity[link.person_id][0].state) for link in links]
    return Structure(company, people, roots)


def _tree(holdings: list[Shareholding]) -> tuple[list[Node], dict[int, Decimal]]:
    """Build the tree from rows sorted by depth, and sum each person's effective shares."""
    nodes: dict[int, Node] = {}
    roots: list[Node] = []
    shares: dict[int, Decimal] = {}
    for holding in holdings:
        above = nodes.get(holding.parent_id) if holding.parent_id else None
        effective = holding.share if above is None else above.effective * holding.share / 100
        node = nodes[holding.pk] = Node(holding, effective)
        (roots if above is None else above.holders).append(node)
        if holding.person_id is not None:
            shares[holding.person_id] = shares.get(holding.person_id, Decimal(0)) + effective
    return roots, shares
