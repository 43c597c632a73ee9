"""All parties at once, beside the clients: against what a list changed, and every night against everything in force."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from django.db import connection, transaction
from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat

from clients.choices import Stage
from clients.models import Client
from compliance import screening
from compliance.choices import EntryKind, ScreeningTrigger
from compliance.lists.listed import Listed
from compliance.matching import VERSION
from compliance.matching.explanation import Explanation, IsCommon
from compliance.models import ListEntry, ScreenedParty
from compliance.parties.noting import keys_of, persons_of, record
from compliance.vendors.modes import brands_of_vendors_alone
from crm.db.locking import lock
from crm.models import SubjectKey

KEYS_AT_ONCE: Final = 2_000
ERASED: Final = "erased"
PAIRS: Final = """
SELECT DISTINCT p.id, n.entry_id
FROM compliance_entryname n
JOIN compliance_screenedparty p ON p.pair_keys && n.pair_keys OR p.normalised %% n.normalised
JOIN compliance_listentry e ON e.id = n.entry_id AND coalesce(p.is_company = (e.kind = 'entity'), true)
WHERE n.entry_id = ANY(%s) AND p.is_current
"""


def refresh_keys() -> None:
    """Make the keys of parties again that an earlier version of the matcher made."""
    stale = ScreenedParty.objects.exclude(matcher_version=VERSION).order_by("pk")
    while rows := list(stale[:KEYS_AT_ONCE]):
        for party in rows:
            for field, value in keys_of(party.name).items():
                setattr(party, field, value)
        ScreenedParty.objects.bulk_update(rows, ["matcher_version", "normalised", "pair_keys"])


def forget_erased() -> int:
    """Blank the names connected with erased clients; those with a match are evidence and stay. Returns how many."""
    erased = SubjectKey.objects.filter(destroyed_at__isnull=False).values("client_id")
    rows = ScreenedParty.objects.filter(client_id__in=erased, hits=None).exclude(normalised=ERASED)
    return rows.update(
        name=Concat(Value(f"{ERASED} "), Cast("pk", CharField())),
        normalised=ERASED,
        pair_keys=[],
        country="",
        subject="",
        is_current=False,
    )


def screened_parties(alone: list[int] | None = None) -> QuerySet[ScreenedParty]:
    """Leave out the parties of leads and closed clients, and of those whom a vendor screens alone."""
    rows = ScreenedParty.objects.exclude(client__stage__in=[Stage.LEAD, Stage.CLOSED])
    return rows.exclude(client__brand__in=brands_of_vendors_alone() if alone is None else alone)


def pairs_of(entry_ids: list[int]) -> dict[int, list[int]]:
    """Find which parties to compare with these entries, by the keys of their names."""
    by_party: dict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(PAIRS, [entry_ids])
        for party_id, entry_id in cursor.fetchall():
            by_party[party_id].append(entry_id)
    return by_party


def screen_pairs(
    by_party: Mapping[int, list[int]],
    entries: Mapping[int, ListEntry],
    listed: Mapping[int, Listed],
    is_common: IsCommon,
) -> tuple[int, int]:
    """Compare parties with their entries and keep the new matches; returns (pairs compared, new matches)."""
    compared = hits = 0
    parties = screened_parties().select_related("client__brand").filter(pk__in=by_party)
    for party in parties.order_by("pk"):
        started, found = time.monotonic(), []
        threshold = float(screening.threshold_of(party.client))
        people = {person.is_firm: person for person in persons_of(party)}
        for entry in (entries[pk] for pk in by_party[party.pk]):
            person = people.get(entry.kind == EntryKind.ENTITY)
            if person is None:
                continue
            compared += 1
            explained = screening.compare(person, listed[entry.pk], is_common)
            if explained.score >= threshold:
                found.append((entry, explained))
        if found:
            hits += _keep(party.pk, found, started)
    return compared, hits


@transaction.atomic
def _keep(party_id: int, found: list[tuple[ListEntry, Explanation]], started: float) -> int:
    party = ScreenedParty.objects.get(pk=party_id)
    party.client = lock(Client, party.client_id, "brand", no_key=True)
    known = screening.known_matches(party.client_id)
    if {(entry.pk, entry.content_hash, party.data_hash) for entry, _explained in found} <= known:
        return 0
    return record(party, found, compared=len(found), trigger=ScreeningTrigger.LIST, started=started).hit_count
