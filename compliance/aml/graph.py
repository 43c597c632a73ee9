"""Who is linked with a client, as a picture: drawn here, so that it needs no script.

People who share a device, an account or a card with the client, those on the other side of repeated opposite trades, and what
apps above know: `source(links)` registers a function of reader and client (partners, `ib.aml_links`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import Count
from django.utils.translation import gettext as _

from clients.identifiers.links import linked_to
from clients.models import Client
from clients.queries import clients_visible_to
from compliance.aml.models import AmlMovement
from crm.models import User
from crm.security.scope import reach_of

SHOWN_MAX: Final = 16
OTHERS_MAX: Final = 100
RIGHT: Final = "clients.view_linked_clients"
WIDTH: Final = 640
HEIGHT: Final = 380
# Two people stand left and right of the client.
LOW_HEIGHT: Final = 120


@dataclass(frozen=True)
class Linked:
    """Somebody who is linked with a client, and by what. key: who it is; badge: what they are, where that is no client."""

    key: tuple[str, int]
    label: str
    url: str
    kinds: tuple[str, ...]
    badge: str = ""


Source = Callable[[User, Client], Iterable[Linked]]
SOURCES: Final[list[Source]] = []


def source(links: Source) -> None:
    """Register what an app knows of who is linked with a client, as far as the reader may see it."""
    SOURCES.append(links)


@dataclass(frozen=True)
class Node:
    """A person in the picture, in the units of its view box."""

    link: Linked
    x: int
    y: int

    @property
    def label(self) -> str:
        return self.link.label[:28]

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.link.kinds

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
    sharing = linked_to(user, client)
    traded, beyond = _opposite(user, client)
    shared = [
        Linked(
            ("user" if isinstance(link.person, User) else "client", link.person.pk),
            str(link.person),
            "" if isinstance(link.person, User) else link.person.get_absolute_url(),
            tuple(str(shared.kind.label) for shared in link.shared),
            _("Staff") if link.is_staff else "",
        )
        for link in sharing.rows
    ]
    links = _merged([*traded, *shared, *(link for links in SOURCES for link in links(user, client))])
    shown = links[:SHOWN_MAX]
    height = HEIGHT if len(shown) > 2 else LOW_HEIGHT
    nodes = []
    for place, link in enumerate(shown):
        angle = 2 * math.pi * place / len(shown)
        x, y = round(WIDTH / 2 + 190 * math.cos(angle)), round(height / 2 + 130 * math.sin(angle))
        nodes.append(Node(link, x, y))
    return Picture(tuple(nodes), len(links) - len(shown), sharing.beyond + beyond, height)


def _merged(links: Iterable[Linked]) -> list[Linked]:
    """Put together what is known of the same person."""
    found: dict[tuple[str, int], Linked] = {}
    for link in links:
        known = found.get(link.key)
        found[link.key] = replace(known, kinds=(*known.kinds, *link.kinds)) if known else link
    return list(found.values())


def _opposite(user: User, client: Client) -> tuple[list[Linked], int]:
    """List the clients on the other side of opposite trades, the most frequent first, and how many aren't in reach."""
    rows = (
        AmlMovement.objects.filter(client=client, counterpart__isnull=False)
        .order_by()
        .values_list("counterpart_id")
        .annotate(n=Count("pk"))
        .order_by("-n", "counterpart_id")[:OTHERS_MAX]
    )
    times = dict(rows)
    seen = clients_visible_to(user).in_bulk(times) if times else {}
    # Of another brand not even the number is said, as in `linked_to`.
    hidden = times.keys() - seen.keys()
    beyond = Client.objects.filter(pk__in=hidden, brand__in=reach_of(user).brands).count() if hidden else 0
    links = [
        Linked(
            ("client", pk),
            str(seen[pk]),
            seen[pk].get_absolute_url(),
            (_("Opposite trades: %(count)s") % {"count": times[pk]},),
        )
        for pk in times
        if pk in seen
    ]
    return links, beyond
