"""All clients, and who is connected with them: against what a list's new version changed, and every night against everything.

Set-based: the database pairs entries with clients by the keys of their names, only those pairs are scored, and only a client
with a new match is locked and written. Every run says which version it covered, so that the page can tell how fresh it is.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import asdict, dataclass

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from clients.choices import ClientKind, Stage
from clients.models import Client
from compliance import screening
from compliance.choices import ComplianceNotice, EntryKind, HitState, ScreeningTrigger
from compliance.lists import keying
from compliance.lists.listed import listed_of
from compliance.matches.delisting import follow_version
from compliance.matching import VERSION
from compliance.matching.explanation import Explanation
from compliance.models import ClientKeys, Hit, ListEntry, ListScreening, ListVersion
from compliance.parties import rescreening as parties
from compliance.vendors import checks
from compliance.vendors.modes import asked_brands, brands_of_vendors_alone
from crm.db.bulk import copy_rows
from crm.db.locking import lock
from crm.i18n.localized_text import Phrase, localize, phrase
from crm.notices.notify import notify, people_with

ENTRIES_AT_ONCE, CLIENTS_AT_ONCE = 500, 5_000
TRIGRAM_MIN = (
    0.45  # a list's name searched among all clients: nearer than a client's among the lists, or a million answer
)
STALE_KEYS = """
SELECT c.id, trim(c.first_name || ' ' || c.last_name) AS name
FROM clients_client c LEFT JOIN compliance_clientkeys k ON k.client_id = c.id
WHERE c.stage NOT IN ('lead', 'closed') AND (c.first_name <> '' OR c.last_name <> '') AND c.id > %s
  AND (k.text IS DISTINCT FROM trim(c.first_name || ' ' || c.last_name) OR k.matcher_version IS DISTINCT FROM %s)
ORDER BY c.id LIMIT %s
"""
PAIRS = """
SELECT DISTINCT k.client_id, n.entry_id
FROM compliance_entryname n
JOIN compliance_clientkeys k ON k.pair_keys && n.pair_keys OR k.normalised %% n.normalised
JOIN compliance_listentry e ON e.id = n.entry_id
JOIN clients_client c ON c.id = k.client_id AND (c.kind = 'company') = (e.kind = 'entity')
WHERE n.entry_id = ANY(%s)
"""
# Whatever their names and kinds are: a person may use a listed firm's crypto address.
PAIRS_BY_NUMBER = """
SELECT DISTINCT i.client_id, m.entry_id
FROM compliance_entrymark m
JOIN clients_identifier i ON i.kind = m.kind AND i.mark = m.mark AND i.client_id IS NOT NULL
WHERE m.entry_id = ANY(%s)
"""


@dataclass
class Tally:
    compared: int = 0
    hits: int = 0
    outdated: int = 0


def screenable() -> QuerySet[Client]:
    """Everybody who registered and isn't closed: the people whose funds a listing would freeze."""
    return Client.objects.exclude(stage__in=[Stage.LEAD, Stage.CLOSED])


def compared_clients(alone: list[int] | None = None) -> QuerySet[Client]:
    """Leave out the clients of brands whose vendor screens alone; alone: those brands, where they are known."""
    return screenable().exclude(brand__in=brands_of_vendors_alone() if alone is None else alone)


def screen_version(version_id: int) -> ListScreening:
    """Screen all clients against what one version added or changed, and end the open matches of what it removed."""
    version = ListVersion.objects.get(pk=version_id)
    delta = ListEntry.objects.filter(changed_in=version)
    return _screen(delta, version)


def screen_everybody() -> ListScreening:
    """Screen all clients against everything in force: the safety net of every night."""
    parties.forget_erased()
    for client_id in _with_outdated_matches():
        screening.screen_client(client_id=client_id, trigger=ScreeningTrigger.PROFILE)
    for brand, vendor in asked_brands():
        checks.want_everybody(brand, vendor)
    return screen_lists()


def screen_lists() -> ListScreening:
    """Compare all clients with everything in force; no vendor is asked."""
    return _screen(ListEntry.objects.filter(source__is_active=True, is_listed=True), None)


def _screen(entries: QuerySet[ListEntry], version: ListVersion | None) -> ListScreening:
    lists = screening.lists_in_force()
    keying.refresh()
    refresh_keys()
    parties.refresh_keys()
    # Names keyed before this moment are covered by the run.
    started_at, tally = timezone.now(), Tally()
    alone = brands_of_vendors_alone()
    people, connected = compared_clients(alone), parties.screened_parties(alone).filter(is_current=True)
    has_firms = people.filter(kind=ClientKind.COMPANY).exists() or connected.exclude(is_company=False).exists()
    firms = [EntryKind.ENTITY] if has_firms else []
    wanted = entries.filter(is_listed=True, kind__in=[EntryKind.PERSON, *firms], source__is_active=True)
    ids = list(wanted.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(ids), ENTRIES_AT_ONCE):
        _screen_batch(ids[first : first + ENTRIES_AT_ONCE], tally)
    if version is not None:
        _end_matches(entries, tally)
        follow_version(entries, version)
    else:
        connected.filter(noted_at__lte=started_at).update(screened_at=started_at)
    named = ~Q(first_name="", last_name="")
    return ListScreening.objects.create(
        version=version,
        matcher_version=VERSION,
        lists=lists,
        started_at=started_at,
        finished_at=timezone.now(),
        client_count=people.filter(named).count(),
        party_count=connected.count(),
        nameless_count=people.exclude(named).count(),
        entry_count=len(ids),
        compared_count=tally.compared,
        hit_count=tally.hits,
        outdated_count=tally.outdated,
    )


def refresh_keys() -> int:
    """Make the keys of clients whose name, or whose matcher, changed since. Returns how many."""
    made = after = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            # Two lists loaded in the same minute wake two workers: the second must read what the first has written, or
            # both write the same client's keys.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.client_keys'))")
            cursor.execute(STALE_KEYS, [after, VERSION, CLIENTS_AT_ONCE])
            rows = cursor.fetchall()
            if not rows:
                break
            ClientKeys.objects.filter(pk__in=[pk for pk, _name in rows]).delete()
            copy_rows(
                "compliance_clientkeys",
                ["client_id", "text", "matcher_version", "normalised", "pair_keys", "made_at"],
                ([pk, name, VERSION, *keying.keys_of(name), timezone.now()] for pk, name in rows),
            )
        made, after = made + len(rows), rows[-1][0]
    if made:
        with connection.cursor() as cursor:
            cursor.execute("SELECT keelson_analyze('compliance_clientkeys')")
    return made


def _screen_batch(entry_ids: list[int], tally: Tally) -> None:
    by_client: dict[int, list[int]] = defaultdict(list)
    with screening.index_only(TRIGRAM_MIN), connection.cursor() as cursor:
        cursor.execute(PAIRS, [entry_ids])
        pairs = set(cursor.fetchall())
        cursor.execute(PAIRS_BY_NUMBER, [entry_ids])
        for client_id, entry_id in sorted(pairs.union(cursor.fetchall())):
            by_client[client_id].append(entry_id)
        by_party = parties.pairs_of(entry_ids)
    if not by_client and not by_party:
        return
    wanted = {entry_id for ids in (*by_client.values(), *by_party.values()) for entry_id in ids}
    entries = ListEntry.objects.select_related("source").in_bulk(wanted)
    listed = listed_of(entries.values())
    is_common = screening.common_words(tuple(screening.current_version_ids())).__contains__
    clients = compared_clients().select_related("brand").filter(pk__in=by_client).order_by("pk")
    numbers = screening.numbers_of(list(by_client))
    for client in clients:
        started, person = time.monotonic(), screening.person_of(client, numbers.get(client.pk, frozenset()))
        threshold = float(screening.threshold_of(client))
        tally.compared += len(by_client[client.pk])
        compared = [(entries[pk], screening.compare(person, listed[pk], is_common)) for pk in by_client[client.pk]]
        found = [(entry, explained) for entry, explained in compared if explained.score >= threshold]
        if found:
            tally.hits += _keep(client.pk, found, len(compared), started)
    compared_parties, hits = parties.screen_pairs(by_party, entries, listed, is_common)
    tally.compared, tally.hits = tally.compared + compared_parties, tally.hits + hits


def _keep(client_id: int, found: list[tuple[ListEntry, Explanation]], compared: int, started: float) -> int:
    """Write the matches that nobody decided or opened before. Returns how many."""
    with transaction.atomic():
        client = lock(Client, client_id, "brand", no_key=True)
        person = screening.person_of(client)
        base, known = screening.hash_of(person), screening.known_matches(client_id)
        if all(
            (entry.pk, entry.content_hash, screening.match_hash(base, asdict(explained))) in known
            for entry, explained in found
        ):
            return 0
        found.sort(key=lambda pair: -pair[1].score)
        made = screening.record(client, found, compared=compared, trigger=ScreeningTrigger.LIST, started=started)
        return made.hit_count


def _end_matches(delta: QuerySet[ListEntry], tally: Tally) -> None:
    """End open matches with entries that are no longer what was compared. What still matches has a new one."""
    stale = Hit.objects.filter(entry__in=delta, state=HitState.OPEN).filter(
        Q(entry__is_listed=False) | ~Q(entry_hash=F("entry__content_hash"))
    )
    for client_id in stale.order_by("client_id").values_list("client_id", flat=True).distinct():
        with transaction.atomic():
            client = lock(Client, client_id, "brand", no_key=True)
            mine = stale.filter(client=client)
            delisted = mine.filter(entry__is_listed=False)
            removed = list(delisted.values_list("pk", flat=True))
            changed = mine.filter(entry__is_listed=True)
            tally.outdated += screening.retire(
                changed, reason=localize(phrase("The list's entry changed; screened again."))
            )
            tally.outdated += end_delisted(client, Hit.objects.filter(pk__in=removed, state=HitState.OPEN))


def end_delisted(client: Client, removed: QuerySet[Hit]) -> int:
    """End a client's open matches with entries that were removed from their list, and tell those who decide. Returns how many."""
    keys = list(removed.values_list("pk", flat=True))
    if not keys:
        return 0
    ended = screening.retire(removed, reason=localize(phrase("The entry was removed from its list.")))
    _tell_delisted(client, keys[0], phrase("The match was closed and its hold released. Check the account."))
    return ended


def _tell_delisted(client: Client, hit_id: int, body: Phrase) -> None:
    notify(
        people_with("compliance.decide_hit", brand_id=client.brand_id),
        kind=ComplianceNotice.DELISTED,
        title=phrase("Removed from a watchlist: match of %(client)s") % {"client": client},
        body=body,
        url=f"/compliance/hits/{hit_id}/",
        dedupe_key=f"compliance.delisted:{hit_id}",
    )


def _with_outdated_matches() -> list[int]:
    """List clients with open matches of data that have changed since."""
    rows = Hit.objects.filter(state=HitState.OPEN, party=None).select_related("client__brand", "screening")
    return sorted(
        {
            hit.client_id
            for hit in rows.order_by("client_id").iterator()
            if screening.is_outdated(hit, screening.hash_of(screening.person_of(hit.client, frozenset())))
        }
    )
