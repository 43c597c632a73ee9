"""The links around a client: why, how strongly, since when; and all links of a brand at one go, for figures and checks."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _

from clients.choices import IdentifierKind
from clients.models import Client
from clients.queries import clients_visible_to
from crm.models import User
from risk.abuse.models import PairCount
from risk.links.known import known_among
from risk.links.models import KnownLink
from risk.links.weights import HOUSEHOLD, NEEDED, PERSON, SHARED_MAX, STRONG, Shared, strength

PEOPLE_MAX: Final = 40
DRAWN_MAX: Final = 16
WIDTH: Final = 640
LABELLED_MAX: Final = 8  # more words on the lines would cover each other
# The people who share a thing with the client, and the client; things that many use are left out.
AROUND: Final = """
WITH mine AS (
  SELECT i.kind, i.mark, n.users FROM clients_identifier i
  CROSS JOIN LATERAL (SELECT count(*) AS users FROM (
    SELECT 1 FROM clients_identifier o WHERE o.kind = i.kind AND o.mark = i.mark AND o.client_id IS NOT NULL LIMIT %(most)s + 1
  ) x) n
  WHERE i.client_id = %(client)s AND n.users BETWEEN 2 AND %(most)s
)
SELECT o.client_id, m.kind, m.users, min(o.first_seen), max(o.last_seen) FROM mine m
JOIN clients_identifier o ON o.kind = m.kind AND o.mark = m.mark AND o.client_id <> %(client)s
GROUP BY 1, 2, 3 ORDER BY 1, 2 LIMIT 2000
"""
# Each two clients of a brand who share something, with the kinds and how many people use each thing: one pass over the marks.
ALL: Final = """
WITH shared AS (
  SELECT i.kind, i.mark, array_agg(i.client_id ORDER BY i.client_id) AS clients, count(*) AS users
  FROM clients_identifier i JOIN clients_client c ON c.id = i.client_id AND c.brand_id = %(brand)s
  GROUP BY 1, 2 HAVING count(*) BETWEEN 2 AND %(most)s
)
SELECT a.id, b.id, array_agg(s.kind), array_agg(s.users) FROM shared s
CROSS JOIN LATERAL unnest(s.clients) AS a(id) JOIN LATERAL unnest(s.clients) AS b(id) ON a.id < b.id
WHERE NOT EXISTS (SELECT 1 FROM risk_knownlink k WHERE k.first_id = a.id AND k.second_id = b.id AND k.ended_at IS NULL)
GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Reason:
    """A kind of thing that two people share: how many people use it, since when and until when."""

    kind: IdentifierKind
    users: int
    first_seen: dt.datetime
    last_seen: dt.datetime


@dataclass(frozen=True)
class Tie:
    """Somebody linked with the client, and how strongly: from `NEEDED` on they are likely one person."""

    client: Client
    strength: float
    reasons: tuple[Reason, ...]
    meetings: int
    known: KnownLink | None = None
    x: int = 0
    y: int = 0

    @property
    def since(self) -> dt.datetime | None:
        return min((reason.first_seen for reason in self.reasons), default=None)

    @property
    def is_strong(self) -> bool:
        return self.strength >= STRONG

    @property
    def text_y(self) -> int:
        return self.y + 26 if self.y >= 0 else self.y - 16

    @property
    def why_x(self) -> int:
        return self.x * 3 // 5

    @property
    def why_y(self) -> int:
        return self.y * 3 // 5 - 9

    @property
    def why(self) -> str:
        """Say what links the two: the first things that they share, or trades alone."""
        kinds = list(dict.fromkeys(str(reason.kind.label) for reason in self.reasons))
        return ", ".join([*kinds[:2], *(["…"] if len(kinds) > 2 else [])]) or _("Trades")

    @property
    def verdict(self) -> str:
        """Say in a few words what the link means."""
        if self.known is not None:
            return self.known.get_why_display()
        kinds = {reason.kind.value for reason in self.reasons}
        if self.strength >= NEEDED:
            return _("Likely one person")
        if kinds and not kinds & set(PERSON) and len(kinds & set(HOUSEHOLD)) > 1:
            return _("Household or office")
        return _("Strong") if self.is_strong else _("Weak")


@dataclass(frozen=True)
class Surroundings:
    """The people linked with a client, strongest first; `beyond`: how many of the brand are out of the reader's reach."""

    ties: tuple[Tie, ...]
    beyond: int

    @property
    def drawn(self) -> tuple[Tie, ...]:
        return self.ties[:DRAWN_MAX]

    @property
    def height(self) -> int:
        """Return how high the picture is, around a middle of zero: as high as those who are drawn need."""
        return max((2 * (abs(tie.y) + 40) for tie in self.drawn), default=0) if len(self.ties) > 2 else 120

    @property
    def has_labels(self) -> bool:
        return len(self.drawn) <= LABELLED_MAX


def around(user: User, client: Client) -> Surroundings:
    """List who is linked with a client, within reach: by what they share, and by trades opened in the same seconds."""
    reasons: dict[int, list[Reason]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(AROUND, {"client": client.pk, "most": SHARED_MAX})
        for other, kind, users, first, last in cursor:
            reasons[other].append(Reason(IdentifierKind(kind), users, first, last))
    meetings = _meetings(client)
    found = clients_visible_to(user).filter(brand_id=client.brand_id).in_bulk({*reasons, *meetings})
    known = {pk: row for pair, row in known_among([client.pk]).items() for pk in pair}
    ties = [
        Tie(
            person,
            0.0
            if pk in known
            else round(strength(Shared(reason.kind.value, reason.users) for reason in reasons[pk]), 1),
            tuple(reasons[pk]),
            meetings.get(pk, 0),
            known.get(pk),
        )
        for pk, person in found.items()
    ]
    ties.sort(key=lambda tie: (-tie.strength, -tie.meetings, tie.client.pk))
    hidden = {*reasons, *meetings} - found.keys()
    # Of another brand not even the number is said.
    beyond = Client.objects.filter(pk__in=hidden, brand_id=client.brand_id).count() if hidden else 0
    return Surroundings(tuple(_placed(ties[:PEOPLE_MAX])), beyond)


def _meetings(client: Client) -> dict[int, int]:
    """Count by client how often accounts opened in the same seconds as this client's; a handful is chance."""
    accounts = list(client.trading_accounts.order_by("pk").values_list("pk", flat=True)[:50])
    counted: dict[int, int] = defaultdict(int)
    for mine, theirs in (("first", "second"), ("second", "first")):
        rows = PairCount.objects.filter(**{f"{mine}__in": accounts, "times__gte": 4})
        for other, times in rows.order_by("-times").values_list(f"{theirs}__client_id", "times")[:PEOPLE_MAX]:
            if other != client.pk:
                counted[other] += times
    return counted


def _placed(ties: list[Tie]) -> Iterable[Tie]:
    """Put those that are drawn around the client, who is in the middle, at zero."""
    drawn = min(len(ties), DRAWN_MAX)
    tall = 90 if drawn <= LABELLED_MAX else 150
    for place, tie in enumerate(ties):
        angle = 2 * math.pi * place / max(drawn, 1)
        yield replace(tie, x=round(215 * math.cos(angle)), y=round(tall * math.sin(angle)))


def all_links(brand_id: int, *, least: float = STRONG) -> dict[tuple[int, int], float]:
    """Compute every link of a brand's clients from a strength on, in one statement."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(ALL, {"brand": brand_id, "most": SHARED_MAX})
        for first, second, kinds, users in cursor:
            weight = strength(Shared(kind, count) for kind, count in zip(kinds, users, strict=True))
            if weight >= least:
                found[first, second] = weight
    return found


def groups(links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Put clients who are linked, also through others, together: the largest groups first."""
    root: dict[int, int] = {}

    def find(client: int) -> int:
        while root.setdefault(client, client) != client:
            root[client] = root[root[client]]
            client = root[client]
        return client

    for first, second in links:
        root[find(first)] = find(second)
    members: dict[int, list[int]] = defaultdict(list)
    for client in sorted(root):
        members[find(client)].append(client)
    return sorted(members.values(), key=lambda group: (-len(group), group[0]))
