"""The demo's identifiers: what the parts know, and the devices that clients sign in with. A few households share one."""

from __future__ import annotations

import datetime as dt
import random
from typing import Final

from clients.identifiers import IdentifierKind, Seen, learn_many
from clients.identifiers.sources import SOURCES, rebuild
from clients.models import Client
from crm.demo import Demo

HOUSEHOLDS: Final = 12


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
