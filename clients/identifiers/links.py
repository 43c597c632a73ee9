"""Who shares an identifier with a client: for people who look into one client, within what they may see."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection

from clients.choices import IdentifierKind
from clients.models import Client
from clients.queries import clients_visible_to
from crm.models import User
from crm.security.scope import reach_of

# What more people than this share, a mobile operator's network or an office's telephone, says nothing of any two of them.
SHARED_MAX: Final = 25
LINKS_MAX: Final = 100
SHARED: Final = """
SELECT o.client_id, o.user_id, o.kind, count(*), min(o.first_seen), max(o.last_seen)
FROM clients_identifier mine
JOIN LATERAL (
  SELECT i.* FROM clients_identifier i WHERE i.kind = mine.kind AND i.mark = mine.mark LIMIT %(most)s + 2
) o ON o.client_id IS DISTINCT FROM mine.client_id
WHERE mine.client_id = %(client)s AND (
  SELECT count(*) FROM (SELECT 1 FROM clients_identifier i WHERE i.kind = mine.kind AND i.mark = mine.mark LIMIT %(most)s + 2) n
) <= %(most)s + 1
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT %(rows)s
"""


@dataclass(frozen=True)
class Shared:
    """Things of one kind that two people used: how many, and from when to when the other one did."""

    kind: IdentifierKind
    count: int
    first_seen: dt.datetime
    last_seen: dt.datetime


@dataclass(frozen=True)
class Link:
    """Somebody who shares something with a client: a client in reach, or a member of staff."""

    person: Client | User
    shared: tuple[Shared, ...]

    @property
    def is_staff(self) -> bool:
        return isinstance(self.person, User)


@dataclass(frozen=True)
class Links:
    """`beyond`: how many linked clients of the reader's brands they don't reach; `is_cut`: there are more than are listed."""

    rows: tuple[Link, ...]
    beyond: int
    is_cut: bool


def linked_to(user: User, client: Client) -> Links:
    """List who shares an identifier with a client: strongest first. Four queries, at most `LINKS_MAX` people.

    Things that more than `SHARED_MAX` people use are left out. The caller has checked the client, and the permission
    `clients.view_linked_clients`.
    """
    with connection.cursor() as cursor:
        limit = LINKS_MAX * len(IdentifierKind)
        cursor.execute(SHARED, {"client": client.pk, "most": SHARED_MAX, "rows": limit + 1})
        found = cursor.fetchall()
    by_client: dict[int, list[Shared]] = {}
    by_user: dict[int, list[Shared]] = {}
    for client_id, user_id, kind, count, first, last in found[:limit]:
        shared = Shared(IdentifierKind(kind), count, first, last)
        (by_client if client_id else by_user).setdefault(client_id or user_id, []).append(shared)
    people = clients_visible_to(user).select_related("brand", "owner").in_bulk(by_client)
    staff = User.objects.in_bulk(by_user) if by_user else {}
    links = [Link(people[pk], tuple(shared)) for pk, shared in by_client.items() if pk in people]
    links += [Link(staff[pk], tuple(shared)) for pk, shared in by_user.items() if pk in staff]
    links.sort(key=lambda link: (-len(link.shared), -max(shared.last_seen.timestamp() for shared in link.shared)))
    cut = len(found) > limit or len(links) > LINKS_MAX
    hidden = by_client.keys() - people.keys()
    # Of another brand not even the number is said: brands don't look into each other's files.
    beyond = Client.objects.filter(pk__in=hidden, brand__in=reach_of(user).brands).count() if hidden else 0
    return Links(tuple(links[:LINKS_MAX]), beyond, cut)
