"""What a rule would do today: how many clients it would stop at which gate, how many it would let through, and who."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import Count, Q, Sum

from clients.choices import Gate, Product, Stage
from clients.country_rules.gates import NO_ONE, OF_CLIENTS, cause_of, refused_q
from clients.country_rules.rules import Rule, proposed_rule, rules_of
from clients.models import Client, Exemption
from clients.models.country_rules import ALL_OTHERS, CountryTerms
from clients.queries import clients_visible_to
from crm.brand_policies.registry import today
from crm.choices import ApprovalState
from crm.i18n.territories import country_names
from crm.models import Brand, User

SAMPLE: Final = 20
NO_CLIENTS: Final = (Stage.LEAD, Stage.RELATED, Stage.CLOSED)
WHAT: Final[tuple[Gate | Product, ...]] = (Gate.REGISTRATION, *OF_CLIENTS, *Product)


@dataclass(slots=True)
class Line:
    """One gate or product: how many would be stopped and let through, and their net deposits in the brand's currency."""

    what: Gate | Product
    stopped: int = 0
    freed: int = 0
    stopped_deposits: Decimal = Decimal(0)
    freed_deposits: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do. stopped, freed: clients by country and by stage who lose or gain at least one gate."""

    lines: list[Line]
    countries: list[tuple[str, int, int]]
    stages: list[tuple[str, int, int]]
    sample: list[tuple[Client, list[Any], list[Any]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Effect:
    """Filters of the clients whom a change stops, or lets through, by gate or product."""

    stopped: Mapping[Gate | Product, Q]
    freed: Mapping[Gate | Product, Q]


def preview(brand: Brand, countries: Collection[str], terms: CountryTerms, user: User) -> Preview:
    """Compute what a rule would do if it held from today, for all clients of the brand; the sample is of those in the user's reach.

    Two statements over the countries that it changes, whatever their number of clients, and one for exemptions.
    """
    day = today(brand)
    changes = _changes(brand, countries, terms, day)
    effect = _effect(brand, changes, day)
    lines, places, stages = _counted(brand, effect)
    return Preview(lines, places, stages, _sample(brand, effect, changes, user, day))


def _changes(
    brand: Brand, countries: Collection[str], terms: CountryTerms, day: dt.date
) -> dict[tuple[Rule, Rule], list[str]]:
    """Group the countries whose rule becomes another one by what it was and would be; "" are clients without a country."""
    codes = [ALL_OTHERS, *country_names()]
    before, after = (
        rules_of(brand, codes, day),
        rules_of(brand, codes, day, instead=dict.fromkeys(countries, proposed_rule(terms))),
    )
    grouped: dict[tuple[Rule, Rule], list[str]] = defaultdict(list)
    for code in codes:
        if before[code] != after[code]:
            grouped[before[code], after[code]].append(code)
    return grouped


def _effect(brand: Brand, changes: Mapping[tuple[Rule, Rule], list[str]], day: dt.date) -> Effect:
    exempt = _exempt(brand, day)
    stopped, freed = {}, {}
    for what in WHAT:
        who = Q(stage=Stage.LEAD) if what is Gate.REGISTRATION else ~Q(stage__in=NO_CLIENTS)
        gate = Gate.TRADING if what in (Product.CFD, Product.CRYPTO_CFD) else what
        who &= ~Q(pk__in=exempt.get(gate, []))
        pairs = [
            (Q(country__in=codes), refused_q(what, before, brand, day), refused_q(what, after, brand, day))
            for (before, after), codes in changes.items()
        ]
        stopped[what] = who & reduce(or_, (there & now & ~then for there, then, now in pairs), NO_ONE)
        freed[what] = who & reduce(or_, (there & then & ~now for there, then, now in pairs), NO_ONE)
    return Effect(stopped, freed)


def _exempt(brand: Brand, day: dt.date) -> dict[str, list[int]]:
    """List the clients of a brand who are exempt today, by gate: few, as each took two people."""
    newest = Exemption.objects.filter(client__brand=brand, state=ApprovalState.APPROVED)
    by_gate: dict[str, list[int]] = defaultdict(list)
    rows = newest.order_by("client_id", "-pk").distinct("client_id").values_list("client_id", "gates", "ends_on")
    for client_id, gates, ends_on in rows:
        for gate in gates if ends_on is not None and ends_on >= day else ():
            by_gate[gate].append(client_id)
    return by_gate


def _counted(brand: Brand, effect: Effect) -> tuple[list[Line], list[tuple[str, int, int]], list[tuple[str, int, int]]]:
    """Count by gate, country and stage in one statement."""
    any_stopped, any_freed = reduce(or_, effect.stopped.values()), reduce(or_, effect.freed.values())
    figures: dict[str, Any] = {
        "any_stopped": Count("pk", filter=any_stopped),
        "any_freed": Count("pk", filter=any_freed),
    }
    for what in WHAT:
        for name, filters in (("stopped", effect.stopped), ("freed", effect.freed)):
            figures[f"{what.value}_{name}"] = Count("pk", filter=filters[what])
            figures[f"{what.value}_{name}_deposits"] = Sum("net_deposits", filter=filters[what])
    rows = Client.objects.filter(any_stopped | any_freed, brand=brand).order_by().values("country", "stage")
    lines = {what: Line(what) for what in WHAT}
    places: dict[str, Counter[str]] = {"country": Counter(), "stage": Counter()}
    back: dict[str, Counter[str]] = {"country": Counter(), "stage": Counter()}
    counted: Iterable[dict[str, Any]] = rows.annotate(**figures)  # type: ignore[assignment]  # the figures are named above
    for row in counted:
        for name in places:
            places[name][row[name]] += row["any_stopped"]
            back[name][row[name]] += row["any_freed"]
        for what, line in lines.items():
            line.stopped += row[f"{what.value}_stopped"]
            line.freed += row[f"{what.value}_freed"]
            line.stopped_deposits += row[f"{what.value}_stopped_deposits"] or 0
            line.freed_deposits += row[f"{what.value}_freed_deposits"] or 0

    def listed(name: str) -> list[tuple[str, int, int]]:
        return sorted(
            ((key, places[name][key], back[name][key]) for key in places[name]),
            key=lambda row: (-row[1] - row[2], row[0]),
        )

    return list(lines.values()), listed("country"), listed("stage")


def _sample(
    brand: Brand, effect: Effect, changes: Mapping[tuple[Rule, Rule], list[str]], user: User, day: dt.date
) -> list[tuple[Client, list[Any], list[Any]]]:
    """List the clients in reach with the largest net deposits whom it would stop or let through, and at what."""
    touched = reduce(or_, [*effect.stopped.values(), *effect.freed.values()])
    clients = (
        clients_visible_to(user).filter(touched, brand=brand).select_related("brand").order_by("-net_deposits", "pk")
    )
    rules = {code: pair for pair, codes in changes.items() for code in codes}
    shown = []
    exempt = _exempt(brand, day)
    for client in clients.defer("search_text")[:SAMPLE]:
        before, after = rules[client.country]
        stopped, freed = [], []
        for what in WHAT:
            if (client.stage == Stage.LEAD) != (what is Gate.REGISTRATION):
                continue
            gate = Gate.TRADING if what in (Product.CFD, Product.CRYPTO_CFD) else what
            if client.pk in exempt.get(gate, ()):
                continue
            was, would = (cause_of(client, what, rule, day) is not None for rule in (before, after))
            if would and not was:
                stopped.append(what.label)
            elif was and not would:
                freed.append(what.label)
        shown.append((client, stopped, freed))
    return shown
