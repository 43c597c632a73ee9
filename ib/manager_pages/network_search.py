"""Finding a partner anywhere below another one: by name, by code, or by one of their clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import F, Q

from clients.models import Client
from clients.queries import clients_visible_to
from clients.search import search_clients
from crm.choices import AccessKind
from crm.models import User
from crm.money.numbers import is_whole
from crm.security import access_log
from ib.models import Attribution, Partner, Upline
from ib.queries import partners_visible_to

FOUND_MAX: Final = 20
PATH_MAX: Final = 6
SHORTEST: Final = 2
# The client list's index knows no shorter words.
CLIENT_SHORTEST: Final = 3


@dataclass(frozen=True)
class Found:
    """A partner of the network. `path`: who is above, from the top down, of whom the nearest are named; `client`: whom the
    words named."""

    partner: Partner
    level: int
    path: list[Partner]
    client: Client | None = None

    @property
    def is_shortened(self) -> bool:
        return len(self.path) < self.level - 1


@dataclass(frozen=True)
class Findings:
    partners: list[Found]
    clients: list[Found]
    has_more: bool


def search_network(user: User, top: Partner, words: str) -> Findings:
    """Find up to FOUND_MAX partners and as many clients in the network of a partner, among those that a member of staff sees.

    The search of clients is logged like one on their list.
    """
    words = words.strip()[:80]
    partners = _partners(user, top, words) if len(words) >= SHORTEST else []
    clients = _clients(user, top, words) if len(words) >= CLIENT_SHORTEST or is_whole(words.lstrip("#")) else []
    has_more = max(len(partners), len(clients)) > FOUND_MAX
    return Findings(
        _with_paths(top, [(row, None) for row in partners[:FOUND_MAX]]),
        _with_paths(top, [(row.partner, row.client) for row in clients[:FOUND_MAX]]),
        has_more,
    )


def _partners(user: User, top: Partner, words: str) -> list[Partner]:
    below = partners_visible_to(user).filter(upline__ancestor=top, upline__ends_at=None, upline__level__gt=1)
    named = below.filter(Q(name__icontains=words) | Q(code__icontains=words))
    return list(named.select_related("brand").order_by("name", "pk")[: FOUND_MAX + 1])


def _clients(user: User, top: Partner, words: str) -> list[Attribution]:
    if not user.has_perm("clients.view_client"):
        return []
    found = search_clients(clients_visible_to(user), words)
    rows = list(
        Attribution.objects.filter(
            client__in=found,
            ends_at=None,
            partner__in=partners_visible_to(user),
            partner__upline__ancestor=top,
            partner__upline__ends_at=None,
        )
        .select_related("partner", "client")
        .order_by("-client_id")[: FOUND_MAX + 1]
    )
    access_log.note(user=user, kind=AccessKind.SEARCH, target="partner network", rows=len(rows), reason=words)
    return rows


def _with_paths(top: Partner, rows: list[tuple[Partner, Client | None]]) -> list[Found]:
    """Add the way down to each: two statements, however deep the tree."""
    ids = {partner.pk for partner, _client in rows}
    levels = dict(
        Upline.objects.filter(partner_id__in=ids, ancestor=top, ends_at=None).values_list("partner_id", "level")
    )
    above: dict[int, list[Partner]] = {}
    nearest = Upline.objects.filter(partner_id__in=ids, ends_at=None, level__gt=1, level__lte=PATH_MAX + 1)
    for row in nearest.select_related("ancestor").order_by("partner_id", F("level").desc()):
        if row.level <= levels.get(row.partner_id, 0):
            above.setdefault(row.partner_id, []).append(row.ancestor)
    return [
        Found(partner, levels[partner.pk], above.get(partner.pk, []), client)
        for partner, client in rows
        if partner.pk in levels  # moved elsewhere meanwhile
    ]
