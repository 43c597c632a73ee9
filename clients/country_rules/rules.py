"""What holds for a country at a brand: its own rule, else the standard list, else the brand's rule for all others.

What a client may do, with their age, category and exemptions, is asked of `clients.country_rules.gates.may`.
Changing one: `clients.country_rules.changes`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import CountryBand, Gate, Product
from clients.countries import country_name
from clients.models.country_rules import ALL_OTHERS, CountryRule, CountryTerms
from crm.brand_policies.registry import today
from crm.models import Brand
from crm.security.policies import YES, Decision, no

Dated = Mapping[str, tuple[tuple[dt.date, "Rule | None"], ...]]
NONE: Final[Dated] = {}
EVERYTHING: Final = frozenset(Gate)
# Where no brand of ours holds a licence or sanctions forbid it: prohibited unless a brand's own rule says otherwise.
PROHIBITED_BY_DEFAULT: Final = frozenset({"BY", "CU", "IR", "KP", "MM", "RU", "SY", "US"})


TONES: Final = {
    CountryBand.LOW: "success",
    CountryBand.STANDARD: "neutral",
    CountryBand.HIGH: "warning",
    CountryBand.PROHIBITED: "danger",
}
NOT_FOR_RETAIL: Final = gettext_lazy("Not offered to retail clients")


class Source(Enum):
    """Where a rule comes from."""

    OWN = "own"
    STANDARD_LIST = "standard_list"
    ALL_OTHERS = "all_others"
    NOTHING_SET = "nothing_set"

    @property
    def is_default(self) -> bool:
        return self is not Source.OWN


@dataclass(frozen=True, slots=True)
class Limits:
    """What a rule says beside its gates: ages, and products that aren't offered to anybody, to retail clients, or below an age."""

    minimum_age: int | None = None
    approval_age: int | None = None
    not_offered: frozenset[str] = frozenset()
    not_for_retail: frozenset[str] = frozenset()
    product_age: int | None = None
    not_below_age: frozenset[str] = frozenset()

    def body(self) -> dict[str, Any]:
        """Write them as the columns of a row."""
        return {
            "minimum_age": self.minimum_age,
            "approval_age": self.approval_age,
            "not_offered": sorted(self.not_offered),
            "not_for_retail": sorted(self.not_for_retail),
            "product_age": self.product_age,
            "not_below_age": sorted(self.not_below_age),
        }

    @classmethod
    def of(cls, row: CountryTerms) -> Limits:
        return cls(
            row.minimum_age,
            row.approval_age,
            frozenset(row.not_offered),
            frozenset(row.not_for_retail),
            row.product_age,
            frozenset(row.not_below_age),
        )

    @property
    def audiences(self) -> list[tuple[str | Promise, list[Promise]]]:
        """(who isn't offered them, the labels of the products), where there are any."""
        given = (
            (gettext_lazy("Not offered"), self.not_offered),
            (NOT_FOR_RETAIL, self.not_for_retail),
            (_("Not offered below age %(age)s") % {"age": self.product_age}, self.not_below_age),
        )
        return [(who, [row.label for row in Product if row in codes]) for who, codes in given if codes]


NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one country on one day."""

    band: CountryBand
    accepted: frozenset[Gate]
    source: Source
    limits: Limits = NO_LIMITS

    @property
    def gates(self) -> list[str]:
        return sorted_gates(self.accepted)

    @property
    def refused(self) -> list[Promise]:
        """The labels of the gates where the country isn't accepted."""
        return [gate.label for gate in Gate if gate not in self.accepted]

    @property
    def products(self) -> list[tuple[str | Promise, list[Promise]]]:
        """As `Limits.audiences`."""
        return self.limits.audiences

    @property
    def tone(self) -> str:
        return TONES[self.band]


ACCEPTED = Rule(CountryBand.STANDARD, EVERYTHING, Source.NOTHING_SET)
# The money of somebody who became a client before goes out in any case, and they sign in to ask for it.
PROHIBITED = Rule(CountryBand.PROHIBITED, frozenset({Gate.LOGIN, Gate.WITHDRAWAL}), Source.STANDARD_LIST)

REFUSALS: Final[Mapping[Gate, Promise]] = {
    Gate.LEAD: gettext_lazy("We don't offer our services to residents of %(country)s."),
    Gate.REGISTRATION: gettext_lazy("We can't open accounts for residents of %(country)s."),
    Gate.LOGIN: gettext_lazy(
        "The client portal isn't available to residents of %(country)s. Please contact support, also to withdraw your money."
    ),
    Gate.DEPOSIT: gettext_lazy("We can't accept deposits from residents of %(country)s. Please contact support."),
    Gate.TRADING: gettext_lazy("We can't open trading accounts for residents of %(country)s. Please contact support."),
    Gate.WITHDRAWAL: gettext_lazy("Withdrawals of residents of %(country)s are reviewed by a person."),
}


def decide(brand: Brand, country: str, gate: Gate) -> Decision:
    """Decide by a person's country of residence whether the brand accepts them at a gate today, with the sentence for them.

    No query where the brand's rules are known to this process. Without a country the brand's rule for all others holds,
    except for leads: they are asked where they live when they register.
    """
    if gate == Gate.LEAD and not country:
        return YES
    if gate in rule_of(brand, country).accepted:
        return YES
    return no(refusal_text(gate, country))


def refusal_text(gate: Gate, country: str) -> str:
    """Return the sentence for a person who isn't accepted at a gate."""
    return str(REFUSALS[gate]) % {"country": country_name(country) or _("your country")}


def rule_of(brand: Brand, country: str, day: dt.date | None = None) -> Rule:
    """Return what holds for a country on a day; today by the brand's calendar where none is given."""
    return _resolve(_rules(brand), country, day or today(brand))


def rules_of(
    brand: Brand,
    countries: Iterable[str],
    day: dt.date | None = None,
    *,
    instead: Mapping[str, Rule | None] | None = None,
) -> dict[str, Rule]:
    """Return what holds for many countries on a day. instead: what would hold if these rules did; None is the default."""
    dated, on = _rules(brand), day or today(brand)
    if instead:
        dated = {**dated, **{code: ((on, rule), *dated.get(code, ())) for code, rule in instead.items()}}
    return {country: _resolve(dated, country, on) for country in countries}


def default_of(brand: Brand, country: str, day: dt.date | None = None) -> Rule:
    """Return what holds for a country without a rule of its own."""
    return _default(_rules(brand), country, day or today(brand))


def proposed_rule(terms: CountryTerms) -> Rule | None:
    """Return the rule that a row says, or would once it is approved; None where it goes back to the default."""
    if not terms.band:
        return None
    gates = frozenset(Gate(gate) for gate in terms.accepted)
    return Rule(CountryBand(terms.band), gates, Source.OWN, Limits.of(terms))


def sorted_gates(gates: Iterable[str]) -> list[str]:
    """List gates in the order of a client's way through them, each once."""
    given = set(gates)
    return [gate.value for gate in Gate if gate.value in given]


def _resolve(dated: Dated, country: str, day: dt.date) -> Rule:
    return (_set(dated, country, day, Source.OWN) if country else None) or _default(dated, country, day)


def _default(dated: Dated, country: str, day: dt.date) -> Rule:
    if country in PROHIBITED_BY_DEFAULT:
        return PROHIBITED
    return _set(dated, ALL_OTHERS, day, Source.ALL_OTHERS) or ACCEPTED


def _set(dated: Dated, country: str, day: dt.date, source: Source) -> Rule | None:
    """Find the row that holds on a day; None where none does, or the one that does goes back to the default."""
    for effective_on, rule in dated.get(country, ()):
        if effective_on <= day:
            return rule and replace(rule, source=source)
    return None


def _rules(brand: Brand) -> Dated:
    """Read a brand's rules, the newest first. Kept in this process under the mark in the brand's row, so never outdated."""
    return _read(brand.pk, brand.country_rules_version) if brand.country_rules_version else NONE


@lru_cache(maxsize=256)
def _read(brand_id: int, version: str) -> Dated:
    """Read all rules; `version` is the key under which they are kept."""
    dated: dict[str, list[tuple[dt.date, Rule | None]]] = {}
    for row in CountryRule.objects.filter(brand_id=brand_id).order_by("-effective_on", "-pk"):
        dated.setdefault(row.country, []).append((row.effective_on, proposed_rule(row)))
    return {country: tuple(values) for country, values in dated.items()}
