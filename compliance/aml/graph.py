"""Who shares a device, an account or a card with a client, as a picture: drawn here, so that it needs no script."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from clients.identifiers.links import Link, linked_to
from clients.models import Client
from crm.models import User

SHOWN_MAX: Final = 16
RIGHT: Final = "clients.view_linked_clients"
WIDTH: Final = 640
HEIGHT: Final = 380
# Two people stand left and right of the client.
LOW_HEIGHT: Final = 120


@dataclass(frozen=True)
class Node:
    """A person in the picture, in the units of its view box."""

    link: Link
    x: int
    y: int
    label: str
    kinds: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Where the name stands: away from the middle."""
        return "start" if self.x > WIDTH / 2 + 40 else "end" if self.x < WIDTH / 2 - 40 else "middle"

    @property
    def text_x(self) -> int:
        return self.x + {"start": 14, "end": -14, "middle": 0}[self.anchor]

    @property
    def text_y(self) -> int:
        if self.anchor != "middle":
            return self.y + 4
        return self.y + 26 if self.y > HEIGHT / 2 else self.y - 16


@dataclass(frozen=True)
class Picture:
    """At most `SHOWN_MAX` people around the client. more: how many are linked and not drawn; beyond: who isn't in reach."""

    nodes: tuple[Node, ...]
    more: int
    beyond: int
    height: int
    width: int = WIDTH
    middle_x: int = WIDTH // 2

    @property
    def middle_y(self) -> int:
        return self.height // 2

    @property
    def label_y(self) -> int:
        """Where the client's own name stands: below the middle."""
        return self.middle_y + 30


def draw(user: User, client: Client) -> Picture | None:
    """Lay out who is linked with a client, as far as the reader may see them; None for who may not see links."""
    if not user.has_perm(RIGHT):
        return None
    found = linked_to(user, client)
    shown = found.rows[:SHOWN_MAX]
    height = HEIGHT if len(shown) > 2 else LOW_HEIGHT
    nodes = []
    for place, link in enumerate(shown):
        angle = 2 * math.pi * place / len(shown)
        nodes.append(
            Node(
                link,
                round(WIDTH / 2 + 190 * math.cos(angle)),
                round(height / 2 + 130 * math.sin(angle)),
                str(link.person)[:28],
                tuple(str(shared.kind.label) for shared in link.shared),
            )
        )
    return Picture(tuple(nodes), len(found.rows) - len(shown), found.beyond, height)
