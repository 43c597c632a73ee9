"""What goes into an evidence pack, and its machine-readable form."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.conf import settings

from clients.models import Client
from compliance.trails import TrailFilter
from crm.security import keys

FORMAT = "keelson-audit-pack/1"


@dataclass
class Pack:
    """What goes into the file."""

    pack_id: str
    client: Client
    made_at: str
    made_by: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    seals: dict[int, dict[str, Any]] = field(default_factory=dict)
    unsealed: int = 0
    head: dict[str, Any] = field(default_factory=dict)
    chosen: TrailFilter = field(default_factory=TrailFilter)

    @property
    def public_key(self) -> str:
        return keys.public_hex(keys.signing_key())

    @property
    def key_fingerprint(self) -> str:
        return fingerprint(self.public_key)

    def as_json(self) -> bytes:
        client = self.client
        return orjson.dumps(
            {
                "format": FORMAT,
                "pack_id": self.pack_id,
                "made_at": self.made_at,
                "made_by": self.made_by,
                "instance": settings.BASE_URL,
                "public_key": self.public_key,
                "brand": {
                    "name": client.brand.name,
                    "legal_name": client.brand.legal_name,
                    "licence": client.brand.licence_number,
                },
                "client": {"id": client.pk, "name": client.full_name},
                "filter": self.chosen.as_parameters(),
                "rows": self.rows,
                "unsealed_rows": self.unsealed,
                "seals": list(self.seals.values()),
                "head": self.head,
            },
            option=orjson.OPT_SORT_KEYS,
        )


def fingerprint(public_key: str) -> str:
    """Write a key as it is read aloud: the first 16 bytes of its hash."""
    digest = hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:32]
    return ":".join(digest[at : at + 4] for at in range(0, 32, 4))
