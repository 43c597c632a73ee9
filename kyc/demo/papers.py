"""The documents of a demo client: numbers that are nobody's, and what may be wrong with a document."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL.Image import Image

from clients.models import Client
from crm.demo import Demo
from kyc import specimens
from kyc.specimens import Holder

LETTERS = "CFGHJKLMNPRTVWXYZ"


def number(rng: random.Random) -> str:
    """A passport number as Utopia gives them."""
    return f"{rng.choice(LETTERS)}{rng.choice(LETTERS)}{rng.randrange(1_000_000, 9_999_999)}"


def holder(demo: Demo, client: Client, **changes: object) -> Holder:
    assert client.date_of_birth is not None
    values = {
        "first_name": client.first_name,
        "last_name": client.last_name,
        "birth_date": client.date_of_birth,
        "sex": demo.rng.choice("FM"),
        "number": number(demo.rng),
        "expires_on": demo.now.date() + dt.timedelta(days=demo.rng.randrange(200, 3400)),
        **changes,
    }
    return Holder(**values)  # type: ignore[arg-type]


def bill(demo: Demo, client: Client, *, issued_on: dt.date, is_small: bool = False, **changes: str) -> bytes:
    values: dict[str, Any] = {
        "name": client.full_name,
        "address_line": client.address_line,
        "postal_code": client.postal_code,
        "city": client.city,
        "country": client.country,
        **changes,
    }
    is_latin = all(ord(character) < 256 for value in values.values() for character in value)
    printed = specimens.UtilityBill(issued_on=issued_on, number=demo.rng.randrange(10_000, 99_999), **values)
    return specimens.utility_bill(printed, is_small=is_small and is_latin)


@dataclass(frozen=True)
class Sent:
    """One upload: what the client calls it, and the file."""

    kind: str
    content: bytes
    side: str = "front"
    name: str = "IMG_4711.jpg"


Papers = Callable[[Demo, Client], list[Sent]]


def _passport(demo: Demo, client: Client, spoil: Callable[[Image], Image] | None = None, **changes: object) -> Sent:
    page = specimens.passport(holder(demo, client, **changes))
    page = spoil(page) if spoil else page
    return Sent("passport", specimens.jpeg(page, quality=84))


def _bill(demo: Demo, client: Client, days_old: int = 0, **changes: Any) -> Sent:
    issued_on = demo.now.date() - dt.timedelta(days=days_old or demo.rng.randrange(4, 70))
    return Sent("proof_of_address", bill(demo, client, issued_on=issued_on, **changes), name="bill.pdf")


def _card(demo: Demo, client: Client) -> list[Sent]:
    front, back = specimens.id_card(holder(demo, client))
    return [
        Sent("id_card", specimens.jpeg(front, quality=84), name="front.jpg"),
        Sent("id_card", specimens.jpeg(back, quality=84), side="back", name="back.jpg"),
    ]


def _misspelt(name: str) -> str:
    return name[:-2] + name[-1] + name[-2] if len(name) > 4 else f"{name}son"


def _a_year_late(client: Client) -> dt.date:
    assert client.date_of_birth is not None
    return client.date_of_birth.replace(year=client.date_of_birth.year + 1)


# What the people in the queue have sent: about half of it is good.
CASES: list[Papers] = [
    lambda d, c: [_passport(d, c), _bill(d, c)],
    lambda d, c: [_passport(d, c, last_name="Vandenberg")],
    lambda d, c: [_passport(d, c, specimens.photographed), _bill(d, c, days_old=170)],
    lambda d, c: [_bill(d, c, address_line="Harbour Road 3", city="Valletta", postal_code="1010")],
    lambda d, c: [_passport(d, c, lambda page: specimens.with_glare(page, centre=(0.2, 0.45), radius=0.11))],
    lambda d, c: [_passport(d, c, expires_on=d.now.date() - dt.timedelta(days=23)), _bill(d, c)],
    lambda d, c: _card(d, c),
    lambda d, c: [_passport(d, c, birth_date=_a_year_late(c))],
    lambda d, c: [_passport(d, c, lambda page: specimens.blurred(page, 6)), _bill(d, c)],
    lambda d, c: [_passport(d, c, expires_on=d.now.date() + dt.timedelta(days=21))],
    lambda d, c: [_bill(d, c)],
    lambda d, c: [_passport(d, c, lambda page: page.resize((560, 394)))],
    lambda d, c: [_passport(d, c), _bill(d, c, name="Jordan Fairweather")],
    lambda d, c: [_passport(d, c, lambda page: specimens.with_glare(page, centre=(0.55, 0.9), radius=0.09))],
    lambda d, c: [_passport(d, c, specimens.photographed)],
    lambda d, c: [_passport(d, c, last_name=_misspelt(c.last_name))],
    lambda d, c: [_passport(d, c), _bill(d, c)],
]
