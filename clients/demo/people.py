"""Who the demo's people are: plausible names, addresses and numbers per country, on hosts that nobody owns."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path

from anyascii import anyascii


@dataclass(frozen=True)
class Country:
    """`weight`: how many of a brand's people come from here. `phone`: a mobile's first digits, then random ones."""

    code: str
    desk: str
    language: str
    weight: int
    phone: str
    digits: int
    names: str
    cities: str
    postal_digits: int


COUNTRIES = [
    Country(
        "DE", "DACH desk", "de", 24, "+491511", 7, "german",
        "Berlin Hamburg München Köln Frankfurt Stuttgart Düsseldorf Leipzig Dresden Hannover Nürnberg Bremen", 5,
    ),
    Country("AT", "DACH desk", "de", 7, "+43664", 7, "german", "Wien Graz Linz Salzburg Innsbruck Klagenfurt", 4),
    Country("CH", "DACH desk", "de", 6, "+4179", 7, "german", "Zürich Bern Basel Winterthur Luzern", 4),
    Country("ES", "Iberia desk", "es", 20, "+3461", 7, "spanish", "Madrid Barcelona Valencia Sevilla Málaga Bilbao Murcia", 5),
    Country("PT", "Iberia desk", "en", 5, "+35191", 7, "portuguese", "Lisboa Porto Braga Coimbra", 4),
    Country("IT", "Iberia desk", "en", 6, "+39347", 7, "italian", "Milano Roma Torino Napoli Bologna Firenze", 5),
    Country("FR", "Iberia desk", "en", 6, "+3361", 7, "french", "Paris Lyon Marseille Toulouse Nantes Lille", 5),
    Country("AU", "APAC desk", "en", 16, "+6141", 7, "english", "Sydney Melbourne Brisbane Perth Adelaide Hobart", 4),
    Country("NZ", "APAC desk", "en", 4, "+6421", 7, "english", "Auckland Wellington Christchurch", 4),
    Country("SG", "APAC desk", "en", 4, "+6581", 6, "asian", "Singapore", 6),
    Country("MY", "APAC desk", "en", 2, "+6012", 7, "asian", "Penang Ipoh Malacca", 5),
]  # fmt: skip  # a table of pairs
WEIGHTS = [country.weight for country in COUNTRIES]
STREETS = {
    "de": "Hauptstraße Bahnhofstraße Gartenweg Lindenallee Schulstraße Bergstraße Mühlweg Kirchgasse",
    "es": "Calle_Mayor Avenida_del_Sol Calle_Real Paseo_Nuevo Calle_Luna Plaza_Vieja",
    "en": "High_Street Station_Road Park_Avenue Mill_Lane King_Street Harbour_Road Church_Street",
}
# Hosts reserved for examples: a demo that is wired to a real mail server by mistake still writes to nobody.
HOSTS = ("example.com", "example.org", "example.net")
THROW_AWAY = "mailinator.com"


@dataclass(frozen=True)
class Person:
    country: Country
    first_name: str
    last_name: str
    email: str
    phone: str
    city: str
    postal_code: str
    address_line: str


class Crowd:
    """Makes people, each with an address of their own."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.taken: set[str] = set()
        names = tomllib.loads((Path(__file__).parent / "names.toml").read_text(encoding="utf-8"))
        self.lists = {
            country.code: (
                names[country.names]["first"].split(),
                names[country.names]["last"].split(),
                country.cities.split(),
            )
            for country in COUNTRIES
        }

    def anyone(self) -> Person:
        return self.someone_from(self.rng.choices(COUNTRIES, WEIGHTS)[0])

    def someone_from(self, country: Country) -> Person:
        rng = self.rng
        first_names, last_names, cities = self.lists[country.code]
        first, last = rng.choice(first_names), rng.choice(last_names)
        streets = STREETS.get(country.language, STREETS["en"]).split()
        return Person(
            country=country,
            first_name=first,
            last_name=last,
            email=self._email(first, last),
            city=rng.choice(cities),
            phone="" if rng.random() < 0.03 else country.phone + "".join(rng.choices("0123456789", k=country.digits)),
            postal_code=str(rng.randrange(10 ** (country.postal_digits - 1), 10**country.postal_digits)),
            address_line=f"{rng.choice(streets).replace('_', ' ')} {rng.randrange(1, 140)}",
        )

    def _email(self, first: str, last: str) -> str:
        rng = self.rng
        name = f"{anyascii(first)}{rng.choice(['.', '', '_'])}{anyascii(last)}".lower().replace(" ", "")
        host = THROW_AWAY if rng.random() < 0.015 else rng.choice(HOSTS)
        email = f"{name}@{host}"
        while email in self.taken:
            email = f"{name}{rng.randrange(2, 9999)}@{host}"
        self.taken.add(email)
        return email
