"""Who may register at a brand: of age, and resident where the brand may serve people."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.brand_policies import BLOCKED_NATIONALITIES
from clients.choices import Gate
from clients.countries import country_choices, country_name
from clients.country_rules.gates import minimum_age
from clients.country_rules.rules import decide, rule_of, rules_of
from crm.models import Brand
from crm.security.policies import YES

OLDEST_AGE = 120


@dataclass(frozen=True)
class Problem:
    """Why somebody can't register: the form's field, and words for them."""

    field: str
    message: str


def served_countries(brand: Brand) -> list[tuple[str, str]]:
    """List (code, name in the reader's language) of the countries whose residents may register."""
    choices = country_choices()
    rules = rules_of(brand, (code for code, _name in choices))
    return [(code, name) for code, name in choices if Gate.REGISTRATION in rules[code].accepted]


def problems(brand: Brand, *, country: str, date_of_birth: dt.date | None, nationality: str = "") -> list[Problem]:
    """List what prevents a registration: residence, citizenship, age; empty when nothing does."""
    obstacles = []
    accepted = decide(brand, country, Gate.REGISTRATION) if country else YES
    if not accepted:
        obstacles.append(Problem("country", accepted.reason))
    if nationality and nationality in BLOCKED_NATIONALITIES.of(brand):
        name = country_name(nationality)
        obstacles.append(
            Problem("nationality", _("We can't open accounts for citizens of %(country)s.") % {"country": name})
        )
    if date_of_birth is not None:
        obstacles += _age_problems(brand, country, date_of_birth)
    return obstacles


def _age_problems(brand: Brand, country: str, born: dt.date) -> list[Problem]:
    today = timezone.now().astimezone(zoneinfo.ZoneInfo(brand.time_zone or "UTC")).date()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    minimum = minimum_age(brand, rule_of(brand, country))
    if born > today or age > OLDEST_AGE:
        return [Problem("date_of_birth", _("Enter a valid date of birth."))]
    if age < minimum:
        return [Problem("date_of_birth", _("You must be at least %(age)s years old.") % {"age": minimum})]
    return []
