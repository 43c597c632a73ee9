"""What the pages of country rules show: every country with what holds, what is planned, what waits, and its history."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from clients.choices import CountryBand, Gate
from clients.countries import country_choices
from clients.country_rules.rules import ACCEPTED, Limits, Rule, Source, rules_of
from clients.models.country_rules import ALL_OTHERS, CountryRule, CountryRuleProposal
from crm import approvals
from crm.brand_policies.registry import today
from crm.models import Brand

OTHERS_SLUG = "others"  # the rule for all others in addresses and forms, where an empty text can't stand
HISTORY_MAX = 100
STATES = ("own", "default", "planned", "waiting", "refused")


@dataclass(frozen=True, slots=True)
class Planned:
    """What a row of a later day says; without a band that the default holds again."""

    effective_on: dt.date
    band: str
    accepted: list[str]

    @property
    def label(self) -> str:
        return str(CountryBand(self.band).label) if self.band else _("Default")


@dataclass(frozen=True, slots=True)
class Line:
    """One country of the list, or all others. `planned`: its next change; `proposal`: what awaits a second approval."""

    slug: str
    name: str
    rule: Rule
    planned: Planned | None
    proposal: CountryRuleProposal | None

    @property
    def is_default(self) -> bool:
        return self.rule == ACCEPTED if self.slug == OTHERS_SLUG else self.rule.source.is_default

    @property
    def default_hint(self) -> str:
        return _("Prohibited by default") if self.rule.source is Source.STANDARD_LIST else _("Default")

    @property
    def ticks(self) -> list[tuple[str, bool]]:
        """(the gate's label, whether it is accepted there), in their order."""
        return [(str(gate.label), gate in self.rule.accepted) for gate in Gate]

    @property
    def limits(self) -> list[str]:
        return limit_lines(self.rule.limits)

    def is_in(self, state: str) -> bool:
        return {
            "own": not self.is_default,
            "default": self.is_default,
            "planned": self.planned is not None,
            "waiting": self.proposal is not None,
            "refused": len(self.rule.accepted) < len(Gate),
        }.get(state, True)


def limit_lines(limits: Limits) -> list[str]:
    """Write ages and products of a rule as short lines; none where it says nothing about them."""
    lines = []
    if limits.minimum_age:
        lines.append(_("From age %(age)s") % {"age": limits.minimum_age})
    if limits.approval_age:
        lines.append(_("Exemption needed from age %(age)s") % {"age": limits.approval_age})
    return lines + [f"{who}: {', '.join(map(str, products))}" for who, products in limits.audiences]


def code_of(slug: str) -> str:
    """Return the country that a slug of an address or a form stands for."""
    return ALL_OTHERS if slug == OTHERS_SLUG else slug


def choices() -> list[tuple[str, str]]:
    """List (slug, name): all others first, then every country in the reader's order."""
    return [(OTHERS_SLUG, _("All other countries")), *country_choices()]


def lines_of(brand: Brand) -> list[Line]:
    """List all countries of a brand with what holds today, is planned and waits. Three queries at most."""
    day = today(brand)
    names = choices()
    rules = rules_of(brand, [code_of(slug) for slug, _name in names], day)
    planned: dict[str, Planned] = {}
    for row in CountryRule.objects.filter(brand=brand, effective_on__gt=day).order_by("-effective_on", "pk"):
        planned[row.country] = Planned(row.effective_on, row.band, row.accepted)
    waiting: dict[str, CountryRuleProposal] = {}
    for proposal in approvals.kind_of(CountryRuleProposal).awaiting(
        CountryRuleProposal.objects.filter(brand=brand).select_related("requested_by")
    ):
        waiting.update(dict.fromkeys(proposal.countries, proposal))
    return [
        Line(slug, name, rules[code_of(slug)], planned.get(code_of(slug)), waiting.get(code_of(slug)))
        for slug, name in names
    ]


def filtered(lines: list[Line], *, query: str = "", band: str = "", state: str = "") -> list[Line]:
    """Select lines by name or code, band and state; what isn't known filters nothing."""
    words = query.lower().split()
    return [
        line
        for line in lines
        if all(word in f"{line.name} {line.slug}".lower() for word in words)
        and (band not in CountryBand.values or line.rule.band == band)
        and line.is_in(state)
    ]


def history_of(brand: Brand, country: str) -> list[CountryRule]:
    """List a country's rules, the latest day first; the newest hundred."""
    rows = CountryRule.objects.filter(brand=brand, country=country).select_related("set_by")
    return list(rows.order_by("-effective_on", "-pk")[:HISTORY_MAX])
