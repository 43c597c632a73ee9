"""The demo's identifiers: what the parts know, and the devices and countries clients sign in with and from.

A few households share a device; one client in thirty travelled.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Final

from clients.identifiers import IdentifierKind, Seen, learn_many
from clients.identifiers.sources import SOURCES, rebuild
from clients.models import Client, SignInCountry
from crm.demo import Demo

HOUSEHOLDS: Final = 12
TRAVELLED: Final = ("AE", "TR", "TH", "VN")


def write_identifiers(demo: Demo) -> None:
    """Write every source's identifiers, and a device for each client with a login."""
    for name in SOURCES:
        rebuild(name)
    rng = random.Random("devices")
    clients = list(Client.objects.exclude(user=None).order_by("pk").values_list("pk", "registered_at", "created_at"))
    shared = {pk: place // 2 for place, (pk, _at, _made) in enumerate(clients[: HOUSEHOLDS * 2])}
    learn_many(
        Seen(
            pk,
            IdentifierKind.DEVICE,
            f"household-{shared[pk]}" if pk in shared else f"{rng.getrandbits(96):024x}",
            registered_at or created_at,
            max(registered_at or created_at, demo.now - dt.timedelta(hours=rng.randint(1, 900))),
            rng.randint(1, 40),
        )
        for pk, registered_at, created_at in clients
    )
    _write_countries(demo, rng)


def _write_countries(demo: Demo, rng: random.Random) -> None:
    """A few days with sign-ins from home for each client with a login; some from elsewhere."""
    rows = []
    for pk, home in Client.objects.exclude(user=None).exclude(country="").order_by("pk").values_list("pk", "country"):
        countries = [home] * rng.randint(1, 6) + ([rng.choice(TRAVELLED)] if rng.random() < 1 / 30 else [])
        for country, ago in zip(countries, rng.sample(range(1, 90), len(countries)), strict=True):
            at = demo.now - dt.timedelta(days=ago, hours=rng.uniform(0, 12))
            rows.append(
                SignInCountry(
                    client_id=pk,
                    country=country,
                    day=at.astimezone(dt.UTC).date(),
                    first_at=at,
                    times=rng.randint(1, 4),
                )
            )
    SignInCountry.objects.bulk_create(rows, batch_size=2_000, ignore_conflicts=True)
