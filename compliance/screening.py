"""Screening a client: which listed people may be this person, and why.

Candidates come from the database, by spelling (trigrams) and by sound (pairs of consonant skeletons); each gets a score that
explains itself. What was decided before on the same data of both sides is not raised again.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import ClientKind, Stage, TimelineKind
from clients.models import Client, Identifier
from compliance import holds, policies
from compliance.audit_codes import ComplianceAction
from compliance.brand_policies import SCREENING_THRESHOLD
from compliance.choices import NOT_FOR_SALES, EntryKind, HitState, ScreeningTrigger, VersionState
from compliance.lists import keying
from compliance.lists.listed import Listed, listed_of
from compliance.lists.numbers import COMPARED
from compliance.matches.cases import arrange, pass_on
from compliance.matching import HASHED_AS, VERSION
from compliance.matching import text as spelling
from compliance.matching.evidence import Address
from compliance.matching.explanation import Explanation, IsCommon, shared_evidence
from compliance.matching.score import Person, score
from compliance.models import Hit, ListEntry, ListVersion, ScreenedParty, Screening, ScreeningVendor
from compliance.vendors import checks
from compliance.vendors.modes import is_vendor_alone, vendor_of
from crm import work
from crm.db.locking import lock
from crm.errors import DomainError
from crm.events import ClientScreened, publish
from crm.i18n.localized_text import localize, phrase
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require

Numbers = frozenset[tuple[str, bytes]]
TRIGRAM_MIN = 0.3
BY_SPELLING_MAX, BY_SOUND_MAX = 80, 200
# A word in more than this share of all names says little about who somebody is.
COMMON_SHARE = 0.004
# Whoever isn't looked for is left out before the limits, and the limits keep the likest, so that chance decides nothing.
# Who has one of these numbers is looked at whatever the names and kinds are: a person may use a listed firm's crypto address.
BY_NUMBER = """
SELECT DISTINCT m.entry_id FROM compliance_entrymark m
JOIN compliance_listentry e ON e.id = m.entry_id AND e.is_listed
JOIN compliance_watchlistsource s ON s.id = e.source_id AND s.is_active
JOIN unnest(%s::text[], %s::bytea[]) mine(kind, mark) ON mine.kind = m.kind AND mine.mark = m.mark
"""
CANDIDATES = """
SELECT DISTINCT entry_id FROM (
  (SELECT n.entry_id, similarity(n.normalised, %(name)s) AS likeness
   FROM compliance_entryname n
   JOIN compliance_listentry e ON e.id = n.entry_id AND e.is_listed AND e.kind = %(kind)s
   JOIN compliance_watchlistsource s ON s.id = e.source_id AND s.is_active
   WHERE n.normalised %% %(name)s ORDER BY likeness DESC, n.id LIMIT %(by_spelling)s)
  UNION ALL
  (SELECT n.entry_id, similarity(n.normalised, %(name)s) AS likeness
   FROM compliance_entryname n
   JOIN compliance_listentry e ON e.id = n.entry_id AND e.is_listed AND e.kind = %(kind)s
   JOIN compliance_watchlistsource s ON s.id = e.source_id AND s.is_active
   WHERE n.pair_keys && %(keys)s::varchar[]
   ORDER BY cardinality(ARRAY(SELECT unnest(n.pair_keys) INTERSECT SELECT unnest(%(keys)s::varchar[]))) DESC, likeness DESC, n.id
   LIMIT %(by_sound)s)
) found
"""
COMMON = """
SELECT word FROM (
  SELECT unnest(string_to_array(normalised, ' ')) AS word FROM compliance_entryname
) w GROUP BY word HAVING count(*) > greatest(12, (SELECT count(*) FROM compliance_entryname) * %s)
"""


def person_of(client: Client, numbers: Numbers | None = None) -> Person:
    """Describe a client by what is compared with the lists: name, birth, nationality, residence, numbers and address.

    numbers: the client's, where the caller has read those of many (`numbers_of`).
    """
    countries = {country for country in (client.nationality, client.country) if country}
    if numbers is None:
        numbers = numbers_of([client.pk]).get(client.pk, frozenset())
    return Person(
        (client.full_name,),
        client.date_of_birth,
        tuple(sorted(countries)),
        is_firm=client.kind == ClientKind.COMPANY,
        numbers=numbers,
        address=Address(client.address_line, client.city, client.postal_code, client.country),
    )


def numbers_of(client_ids: Sequence[int]) -> dict[int, Numbers]:
    """Read which documents, official numbers and crypto addresses clients have, as keyed hashes."""
    found: dict[int, set[tuple[str, bytes]]] = defaultdict(set)
    rows = Identifier.objects.filter(client__in=client_ids, kind__in=COMPARED)
    for client_id, kind, mark in rows.values_list("client_id", "kind", "mark"):
        found[client_id].add((kind, bytes(mark)))
    return {client_id: frozenset(marks) for client_id, marks in found.items()}


def hash_of(person: Person) -> str:
    """Hash who is compared: when it changes, decisions about the client's matches are asked again.

    The matcher's version isn't in it: what an officer decided on the same facts stays decided, however they are scored.
    """
    body = {"names": person.names, "born": person.birth_date, "countries": person.countries, "matcher": HASHED_AS}
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


def match_hash(base: str, explained: dict[str, Any]) -> str:
    """Hash what a match is decided on: who is compared, and what else of them is the entry's.

    A cleared match is asked again when the client's passport turns out to be the listed one, and not for any other passport.
    """
    evidence = shared_evidence(explained)
    return hashlib.sha256(orjson.dumps([base, *evidence])).hexdigest() if evidence else base


def threshold_of(client: Client) -> Decimal:
    """Return the brand's `screening_threshold`, else the standard one."""
    return SCREENING_THRESHOLD.of(client.brand)


def matches(
    person: Person, *, threshold: float, kind: EntryKind | None = None
) -> tuple[list[tuple[ListEntry, Explanation]], int]:
    """Find (entries at or above the threshold with their explanation, best first; how many candidates were compared).

    kind: of the entries; None: people for a person, organisations for a firm.
    """
    ids = candidates(person, kind)
    is_common = common_words(tuple(current_version_ids())).__contains__
    entries = list(ListEntry.objects.filter(pk__in=ids))
    listed = listed_of(entries, with_numbers=bool(person.numbers))
    compared = [(entry, compare(person, listed[entry.pk], is_common)) for entry in entries]
    found = [(entry, explained) for entry, explained in compared if explained.score >= threshold]
    prefetch_related_objects([entry for entry, _explained in found], "source")
    return sorted(found, key=lambda pair: -pair[1].score), len(ids)


def compare(person: Person, listed: Listed, is_common: IsCommon) -> Explanation:
    """Compare a client with what a list says of one entry."""
    return score(person, listed.names, listed.births, listed.countries, is_common, listed.gender, listed.details)


def candidates(person: Person, kind: EntryKind | None = None) -> list[int]:
    """Find the ids of listed people, firms or ships worth comparing."""
    kind = kind or (EntryKind.VESSEL if person.is_vessel else EntryKind.ENTITY if person.is_firm else EntryKind.PERSON)
    ids: set[int] = set()
    with index_only(), connection.cursor() as cursor:
        for name in person.names:
            normalised, keys = keying.keys_of(name)
            if not normalised:
                continue
            cursor.execute(
                CANDIDATES,
                {
                    "name": normalised,
                    "keys": keys,
                    "kind": kind,
                    "by_spelling": BY_SPELLING_MAX,
                    "by_sound": BY_SOUND_MAX,
                },
            )
            ids.update(pk for (pk,) in cursor.fetchall())
    if person.numbers:
        ids.update(by_number(person.numbers))
    return sorted(ids)


@contextlib.contextmanager
def index_only(trigram_min: float = TRIGRAM_MIN) -> Iterator[None]:
    """Trigram search at our threshold and through the index: comparing every name costs more than the planner thinks."""
    settings = "SELECT set_config('pg_trgm.similarity_threshold', %s, true), set_config('enable_seqscan', %s, true)"
    ends_with_us = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(settings, [str(trigram_min), "off"])
        yield
        if not ends_with_us:
            cursor.execute(settings, [str(TRIGRAM_MIN), "on"])


def current_version_ids() -> list[int]:
    """List the versions in force of the active lists."""
    current = ListVersion.objects.filter(state=VersionState.CURRENT, source__is_active=True)
    return list(current.order_by("pk").values_list("pk", flat=True))


@lru_cache(maxsize=4)
def common_words(_versions: tuple[int, ...]) -> frozenset[str]:
    """List the commonest words of the lists in force; read once per process and set of versions."""
    with connection.cursor() as cursor:
        cursor.execute(COMMON, [COMMON_SHARE])
        return frozenset(word for (word,) in cursor.fetchall())


def screen_listed_number(client_id: int) -> Screening | None:
    """Screen a client one of whose numbers is a listed one that no match of theirs rests on yet; None otherwise."""
    numbers = numbers_of([client_id]).get(client_id)
    if not numbers:
        return None
    listed = set(by_number(numbers))
    rests_on = Hit.objects.filter(client_id=client_id, explanation__identifier_points__gt=0)
    if listed <= set(rests_on.exclude(state=HitState.OUTDATED).values_list("entry_id", flat=True)):
        return None
    return screen_if_possible(client_id, ScreeningTrigger.PROFILE)


def by_number(numbers: Numbers) -> list[int]:
    """Find the ids of entries that have one of these numbers."""
    kinds, marks = zip(*numbers, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(BY_NUMBER, [list(kinds), list(marks)])
        return [pk for (pk,) in cursor.fetchall()]


@transaction.atomic
def screen_client(*, client_id: int, trigger: ScreeningTrigger, actor: Actor = None) -> Screening | None:
    """Compare one client with all active lists; a new possible match holds the account until somebody decides.

    Where the brand has a screening vendor, it is asked, and what it answers is kept by `compliance.vendors.answers`; None where
    the vendor alone screens. Who: `compliance.screen_client` in reach, or the system. Raises: NotAllowed, DomainError without a
    name, or without a list and a vendor.
    """
    started = time.monotonic()
    client = lock(Client, client_id, "brand", no_key=True)
    require(policies.can_screen(actor, client))
    person, threshold = person_of(client), threshold_of(client)
    if not spelling.words(person.names[0]):
        raise DomainError(_("This client has no name yet, so they can't be screened."))
    client_hash, vendor = hash_of(person), vendor_of(client.brand)
    if vendor is not None:
        checks.want(vendor, client, data_hash=client_hash, trigger=trigger)
        if is_vendor_alone(client.brand) or not current_version_ids():
            return None
    elif not current_version_ids():
        raise DomainError(_("No watchlist is imported. Import one before screening clients."))
    entries, compared = matches(person, threshold=float(threshold))
    found = {entry.pk for entry, _explained in entries}
    # A vendor's matches stay until it has answered about the new data; what still matches is replaced by `record`.
    own = Hit.objects.filter(client=client, party=None, state=HitState.OPEN, entry__source__vendor=None)
    own = own.select_related("screening")
    stale = [hit.pk for hit in own if hit.entry_id not in found and is_outdated(hit, client_hash)]
    retire(Hit.objects.filter(pk__in=stale), reason=localize(phrase("The client's data changed; screened again.")))
    return record(client, entries, compared=compared, trigger=trigger, actor=actor, started=started)


def is_outdated(hit: Hit, base: str) -> bool:
    """Tell an open match of other data than the client's now; base: their hash. Its screening is loaded."""
    return hit.client_hash != _hash_of_match(base, hit.explanation, hit.screening.vendor_id)


def _hash_of_match(base: str, explained: dict[str, Any], vendor: object) -> str:
    """Hash what a match rests on. A vendor was never sent numbers or addresses: its match rests on who was compared alone."""
    return base if vendor else match_hash(base, explained)


def screen_if_possible(client_id: int, trigger: ScreeningTrigger) -> Screening | None:
    """Screen a client who has a name, once a list or a vendor is in use; None otherwise.

    Leads and closed clients aren't screened.
    """
    clients = Client.objects.select_related("brand").exclude(stage__in=[Stage.LEAD, Stage.CLOSED])
    client = clients.filter(pk=client_id).first()
    if client is None or not spelling.words(client.full_name):
        return None
    if not current_version_ids() and vendor_of(client.brand) is None:
        return None
    return screen_client(client_id=client_id, trigger=trigger)


def record(  # noqa: PLR0913  each is a column of the row that it writes
    client: Client,
    entries: list[tuple[ListEntry, Explanation]],
    *,
    compared: int,
    trigger: ScreeningTrigger | str,
    started: float,
    actor: Actor = None,
    party: ScreenedParty | None = None,
    vendor: ScreeningVendor | None = None,
) -> Screening:
    """Keep what a comparison found, and place a hold for every match that wasn't decided before. Holds the client's lock.

    party: who was compared, where it wasn't the client. vendor: who compared, where it wasn't our matcher.
    """
    client_hash = party.data_hash if party else hash_of(person_of(client))
    threshold = vendor.threshold if vendor else threshold_of(client)
    kept = [(entry, asdict(explained)) for entry, explained in entries]
    found = [(entry, explained, _hash_of_match(client_hash, explained, vendor)) for entry, explained in kept]
    known = known_matches(client.pk)
    fresh = [row for row in found if (row[0].pk, row[0].content_hash, row[2]) not in known]
    if vendor is None:
        _retire_replaced(client, party, fresh)
    screening = Screening.objects.create(
        client=client,
        party=party,
        at=timezone.now(),
        actor=actor,
        trigger=trigger,
        matcher_version=vendor.adapter if vendor else VERSION,
        vendor=vendor,
        threshold=threshold,
        lists=lists_in_force(vendor),
        client_hash=client_hash,
        candidate_count=compared,
        hit_count=len(fresh),
        known_count=len(entries) - len(fresh),
        duration_ms=round((time.monotonic() - started) * 1000),
    )
    hits = [
        Hit(
            screening=screening,
            client=client,
            party=party,
            entry=entry,
            client_hash=hashed,
            entry_hash=entry.content_hash,
            score=Decimal(str(explained["score"])),
            explanation=explained,
            found_at=screening.at,
        )
        for entry, explained, hashed in fresh
    ]
    arrange(hits)
    _tell(client, screening, hits, actor)
    return screening


def known_matches(client_id: int) -> set[tuple[int, str, str]]:
    """List what is open or decided of a client: (entry, its content's hash, the hash of who was compared).

    A match that a change ended is none of them: it is raised again when the client takes their old name back, or the entry is
    listed again.
    """
    rows = Hit.objects.filter(client_id=client_id).exclude(state=HitState.OUTDATED)
    return set(rows.values_list("entry_id", "entry_hash", "client_hash"))


def _retire_replaced(
    client: Client, party: ScreenedParty | None, fresh: list[tuple[ListEntry, dict[str, Any], str]]
) -> None:
    """End open matches with the same content of entries that are about to be raised for other data of the client."""
    content = {entry.pk: entry.content_hash for entry, _explained, _hash in fresh}
    rows = Hit.objects.filter(client=client, party=party, state=HitState.OPEN, entry__in=content)
    replaced = [
        pk for pk, entry, hashed in rows.values_list("pk", "entry_id", "entry_hash") if content[entry] == hashed
    ]
    if replaced:
        reason = localize(phrase("The client's data changed; screened again."))
        retire(Hit.objects.filter(pk__in=replaced), reason=reason)


def lists_in_force(vendor: ScreeningVendor | None = None) -> list[dict[str, Any]]:
    """List the versions in force with their hashes, as every screening keeps them; a vendor's is what it answered until now."""
    current = ListVersion.objects.filter(state=VersionState.CURRENT).select_related("source")
    current = current.filter(source=vendor.source_id) if vendor else current.filter(source__is_active=True)
    return [
        {
            "source": version.source.code,
            "version": version.pk,
            "sha256": version.sha256,
            "dated_on": version.dated_on.isoformat() if version.dated_on else None,
        }
        for version in current.order_by("source__code")
    ]


def retire(stale: QuerySet[Hit], *, reason: str) -> int:
    """End open matches whose client or entry is no longer what was compared, with their holds. Returns how many."""
    hits = list(stale.select_related("client__brand", "work").order_by("pk"))
    pass_on(hits)
    for hit in hits:
        holds.release_hold(hit=hit, actor=None, reason=reason)
    work.close_items([hit.work_id for hit in hits])
    Hit.objects.filter(pk__in=[hit.pk for hit in hits]).update(state=HitState.OUTDATED)
    return len(hits)


def _tell(client: Client, screening: Screening, hits: list[Hit], actor: Actor) -> None:
    audit.record(
        actor=actor,
        action=ComplianceAction.CLIENT_SCREENED,
        target=screening,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={
            "hits": screening.hit_count,
            "known": screening.known_count,
            "candidates": screening.candidate_count,
            "party": screening.party_id,
            "trigger": screening.trigger,
        },
        evidence={
            "matcher": screening.matcher_version,
            "threshold": str(screening.threshold),
            "lists": screening.lists,
        },
    )
    for hit in hits:
        if hit.part_of_id is None:
            holds.hold_for(hit=hit)

    text = phrase("Screened, possible matches: %(count)d") % {"count": len(hits)}
    by = screening.vendor.name if screening.vendor else ""
    if hits or screening.party is None:  # of a payer without a match, the client's activity has the payment
        timeline.add_entry(
            client_id=client.pk,
            kind=TimelineKind.COMPLIANCE,
            title=text if hits else phrase("Screened: no matches"),
            body=" · ".join(filter(None, [str(screening.party or ""), by])),
            actor=actor,
            url=f"/compliance/clients/{client.pk}/",
            dedupe_key=f"screening:{screening.pk}",
            needs=NOT_FOR_SALES,
        )
    publish(
        ClientScreened(
            screening_id=screening.pk, hits=screening.hit_count, client_id=client.pk, brand_id=client.brand_id
        ),
        actor=actor,
    )
