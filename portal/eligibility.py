"""Who may register at a brand: of age, and resident where the brand may serve people."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.brand_policies import BLOCKED_COUNTRIES, BLOCKED_NATIONALITIES, MINIMUM_AGE
from clients.countries import country_choices, country_name
from crm.models import Brand

OLDEST_AGE = 120


@dataclass(frozen=True)
class Problem:
    """Why somebody can't register: the form's field, and words for them."""

    field: str
    message: str


def blocked_countries(brand: Brand) -> frozenset[str]:
    """List the countries whose residents the brand takes no registrations from: its policy, else the standard list."""
    return BLOCKED_COUNTRIES.of(brand)


def served_countries(brand: Brand) -> list[tuple[str, str]]:
    """List (code, name in the reader's language) for the registration form."""
    blocked = blocked_countries(brand)
    return [(code, name) for code, name in country_choices() if code not in blocked]


def problems(brand: Brand, *, country: str, date_of_birth: dt.date | None, nationality: str = "") -> list[Problem]:
    """List what prevents a registration: residence, citizenship, age; empty when nothing does."""
    obstacles = []
    if country and country in blocked_countries(brand):
        name = country_name(country)
        obstacles.append(
            Problem("country", _("We can't open accounts for residents of %(country)s.") % {"country": name})
        )
    if nationality and nationality in BLOCKED_NATIONALITIES.of(brand):
        name = country_name(nationality)
        obstacles.append(
            Problem("nationality", _("We can't open accounts for citizens of %(country)s.") % {"country": name})
        )
    if date_of_birth is not None:
        obstacles += _age_problems(brand, date_of_birth)
    return obstacles


def _age_problems(brand: Brand, born: dt.date) -> list[Problem]:
    today = timezone.now().astimezone(zoneinfo.ZoneInfo(brand.time_zone or "UTC")).date()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    minimum = MINIMUM_AGE.of(brand)
    if born > today or age > OLDEST_AGE:
        return [Problem("date_of_birth", _("Enter a valid date of birth."))]
    if age < minimum:
        return [Problem("date_of_birth", _("You must be at least %(age)s years old.") % {"age": minimum})]
    return []
