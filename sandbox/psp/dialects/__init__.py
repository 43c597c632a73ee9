"""How each kind of PSP speaks: the bytes of its webhooks and what it wants to hear. Its API's routes stand in its module.

The core (payments, transfers, movements, timers, faults) is the same for all; a dialect translates.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sandbox.psp.characters import Character


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, in the core's words: type `payment.captured`, `payout.paid` …, data as the plain API shows it."""

    id: str
    type: str
    created: int
    data: dict[str, Any]


class Dialect(Protocol):
    """The outward voice of one kind of PSP."""

    def message(self, character: "Character", event: Event) -> bytes | list[bytes] | None:
        """Write the unsigned body of an event, or None where such a PSP sends nothing.

        Several, each with an id of its own (`event.id`, `event.id_1` …), where it reports one thing in several messages.
        """
        ...

    def signed(
        self, character: "Character", body: bytes, *, event_id: str, at: int, secret: str
    ) -> tuple[bytes, dict[str, str]]:
        """Body and headers as they go out, signed at that second with that secret."""
        ...

    def tampered(self, body: bytes, added_minor: int) -> bytes:
        """Rewrite the message with another amount."""
        ...

    def is_taken(self, status: int, answer: bytes) -> bool:
        """Did the receiver take it?"""
        ...


def compact(value: Any) -> bytes:
    """Write JSON without spaces, its names sorted."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Plain:
    """The sandbox's own: `Sandbox-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body" under the PSP's secret>`.
    The receiver should accept 300 s either side.
    """

    def message(self, character: "Character", event: Event) -> bytes | None:
        if event.type.startswith("dispute."):
            return None
        merchant = f"merchant-{character.code}"
        return compact(
            {"id": event.id, "type": event.type, "created": event.created, "merchant": merchant, "data": event.data}
        )

    def signed(
        self, character: "Character", body: bytes, *, event_id: str, at: int, secret: str
    ) -> tuple[bytes, dict[str, str]]:
        digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return body, {"Sandbox-Event-Id": event_id, "Sandbox-Signature": f"t={at},v1={digest}"}

    def tampered(self, body: bytes, added_minor: int) -> bytes:
        event = json.loads(body)
        for field in ("amount_minor", "received_minor"):
            if event["data"].get(field) is not None:
                event["data"][field] += added_minor
        return compact(event)

    def is_taken(self, status: int, answer: bytes) -> bool:
        return 200 <= status < 300


class Silent(Plain):
    """A bank: it tells nothing by itself, its statements do."""

    def message(self, character: "Character", event: Event) -> bytes | None:
        return None


DIALECTS: dict[str, Dialect] = {"plain": Plain(), "silent": Silent()}
