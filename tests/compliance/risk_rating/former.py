"""The rating as it was in code before it became data: what the shipped model must reproduce, point for point."""

from clients.choices import Category, ClientKind, CountryBand
from clients.country_rules.rules import rule_of
from compliance.models import CountryRisk, Hit

POINTS = {
    "match_confirmed": 100,
    "match_open": 25,
    "black": 100,
    "grey": 30,
    "country_prohibited": 100,
    "country_high": 30,
    "country_differs": 15,
    "age_over_70": 10,
    "not_verified": 10,
    "professional": -5,
    "birth_unknown": 5,
}


def rating_of(client, day):
    """(rating, points) of one client."""
    points = max(0, sum(POINTS[code] for code in _codes(client, day)))
    return ("high" if points >= 60 else "medium" if points >= 25 else "low"), points


def _codes(client, day):
    states = set(Hit.objects.filter(client=client).values_list("state", flat=True))
    levels = dict(CountryRisk.objects.filter(valid__contains=day).values_list("country", "level"))
    if "confirmed" in states:
        yield "match_confirmed"
    elif "open" in states:
        yield "match_open"
    for country in {client.country, client.nationality} & levels.keys():
        yield levels[country]
    band = rule_of(client.brand, client.country, day).band if client.country and client.country not in levels else ""
    if band == CountryBand.HIGH:
        yield "country_high"
    if band == CountryBand.PROHIBITED:
        yield "country_prohibited"
    if client.country and client.nationality and client.country != client.nationality:
        yield "country_differs"
    age = client.age_on(day)
    if age is None and client.kind == ClientKind.PERSON:
        yield "birth_unknown"
    elif age is not None and age > 70:
        yield "age_over_70"
    if not client.kyc_level:
        yield "not_verified"
    if client.category != Category.RETAIL:
        yield "professional"
