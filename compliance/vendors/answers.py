"""What becomes of a vendor's answer: entries, matches with their holds, reviews that are opened again, and what was delisted.

The order keeps a client held throughout: entries are written first, then new matches and their holds, and only then the check's
own hold and the matches of before end.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from clients.models import Client
from compliance import rescreening, screening
from compliance.choices import HitState, ScreeningTrigger
from compliance.lists.listed import listed_of
from compliance.matches.delisting import follow_version
from compliance.matching.explanation import Explanation
from compliance.matching.score import Person
from compliance.models import Hit, ListEntry, ListVersion, ScreeningVendor, VendorCheck
from compliance.parties import noting
from compliance.vendors import checks
from compliance.vendors.adapters import adapter_of
from compliance.vendors.choices import CheckState
from compliance.vendors.entries import move_entry, take_entries
from compliance.vendors.protocol import Answer, Entity, Moved, Result
from crm.connections.http import watched
from crm.connections.protocol import ServiceUnknown
from crm.db.locking import lock
from crm.i18n.localized_text import localize, phrase

LOOK_UPS_MAX: Final = 25


def keep_answer(vendor: ScreeningVendor, check_id: int, answer: Answer) -> None:
    """Keep what a vendor answered about a client or a party.

    Raises: ServiceUnknown, ServiceTemporary where an entity had to be looked up and couldn't be.
    """
    started = time.monotonic()
    version = take_entries(vendor, [result.entity for result in answer.results])
    missing = _no_longer_reported(check_id, [result.entity.id for result in answer.results])
    looked_up = look_up(vendor, missing) if missing else None
    _apply(vendor, check_id, answer.results, started)
    for one in (version, looked_up):
        if one is not None:
            follow(vendor, one)


def _no_longer_reported(check_id: int, reported: Sequence[str]) -> list[str]:
    """List the entities of a check's matches that the answer lacks: they may have been delisted."""
    check = VendorCheck.objects.get(pk=check_id)
    hits = Hit.objects.filter(
        client=check.client_id,
        party=check.party_id,
        state__in=[HitState.OPEN, HitState.CONFIRMED],
        entry__is_listed=True,
    ).filter(entry__source__vendor=check.vendor_id)
    ids = (
        hits.exclude(entry__external_id__in=reported).order_by("entry_id").values_list("entry__external_id", flat=True)
    )
    return list(ids.distinct()[:LOOK_UPS_MAX])


def look_up(vendor: ScreeningVendor, entity_ids: Sequence[str]) -> ListVersion | None:
    """Look entities up as they are now and write what changed or is gone; None where nothing did.

    Raises: ServiceTemporary, ServiceUnknown; also where the vendor's dataset isn't in order, in which nobody is listed.
    """
    adapter = adapter_of(vendor)
    found: list[Entity] = []
    gone: list[str] = []
    with watched(vendor):
        for entity_id in entity_ids:
            entity = adapter.entity(entity_id)
            if isinstance(entity, Moved):
                move_entry(vendor, entity_id, entity.to)
            elif entity is None:
                gone.append(entity_id)
            else:
                found.append(entity)
        problem = adapter.check_connection() if gone else ""
        if problem:
            raise ServiceUnknown(problem)
    return take_entries(vendor, found, gone)


@transaction.atomic
def _apply(vendor: ScreeningVendor, check_id: int, results: Sequence[Result], started: float) -> None:
    client_id = VendorCheck.objects.values_list("client_id", flat=True).get(pk=check_id)
    client = lock(Client, client_id, "brand", no_key=True)
    check = lock(VendorCheck, check_id, "party", "hold")
    if check.state != CheckState.SENT:
        return  # ended meanwhile
    check.client, check.vendor = client, vendor
    if check.party is not None:
        check.party.client = client
    people = noting.persons_of(check.party) if check.party else [screening.person_of(client)]
    data_hash = check.party.data_hash if check.party else screening.hash_of(people[0])
    if data_hash != check.sent_hash:
        # The data changed while the vendor was asked: its answer is about somebody else.
        check.move_to(CheckState.WAITING)
        check.due_at = timezone.now()
        check.save(update_fields=["state", "due_at"])
        return
    screening.record(
        client,
        _explained(vendor, people, results),
        compared=len(results),
        trigger=check.trigger,
        started=started,
        party=check.party,
        vendor=vendor,
    )
    _end_outdated(check, data_hash)
    checks.release(check, reason=localize(phrase("%(vendor)s has answered.") % {"vendor": vendor.name}))
    check.answered_at, check.answered_hash = timezone.now(), data_hash
    is_newer_wanted = check.sent_at is not None and check.wanted_at > check.sent_at
    check.move_to(CheckState.WAITING if is_newer_wanted else CheckState.ANSWERED)
    check.due_at, check.attempts, check.problem = check.answered_at if is_newer_wanted else None, 0, ""
    check.save()
    if check.party is not None:
        check.party.screened_at = check.answered_at
        check.party.save(update_fields=["screened_at"])


def _explained(
    vendor: ScreeningVendor, people: Sequence[Person], results: Sequence[Result]
) -> list[tuple[ListEntry, Explanation]]:
    """Explain each result: the vendor's score and features, and beside them what our matcher says of the same two."""
    rows = ListEntry.objects.filter(source=vendor.source_id, external_id__in=[result.entity.id for result in results])
    entries = {row.external_id: row for row in rows.select_related("source")}
    listed = listed_of(entries.values())
    is_common = screening.common_words(tuple(screening.current_version_ids())).__contains__
    explained = []
    for result in results:
        entry = entries[result.entity.id]
        compared = (screening.compare(person, listed[entry.pk], is_common) for person in people)
        own = max(compared, key=lambda found: found.score)
        own.own_score, own.score = own.score, result.score
        own.client_name = own.client_name or people[0].names[0]
        own.listed_name = own.listed_name or entry.primary_name
        own.features = [feature.as_json() for feature in result.features]
        explained.append((entry, own))
    return sorted(explained, key=lambda pair: -pair[1].score)


def _end_outdated(check: VendorCheck, data_hash: str) -> None:
    """End open matches of other data, or of an entity that changed since; those that still match have a new one."""
    mine = Hit.objects.filter(client=check.client, party=check.party, state=HitState.OPEN)
    mine = mine.filter(entry__source=check.vendor.source_id, entry__is_listed=True)
    stale = mine.filter(~Q(entry_hash=F("entry__content_hash")) | ~Q(client_hash=data_hash))
    screening.retire(stale, reason=localize(phrase("The vendor's or the client's data changed; screened again.")))


def follow(vendor: ScreeningVendor, version: ListVersion) -> None:
    """Follow what a version of a vendor's entries changed, for everybody who has a match with them.

    Whoever is delisted is let go with a task. Whoever has a match with a changed entity is asked about again, and stays held until
    the answer.
    """
    delta = ListEntry.objects.filter(changed_in=version)
    removed = Hit.objects.filter(entry__in=delta, entry__is_listed=False, state=HitState.OPEN)
    for client_id in sorted(set(removed.values_list("client_id", flat=True))):
        with transaction.atomic():
            client = lock(Client, client_id, "brand", no_key=True)
            rescreening.end_delisted(client, removed.filter(client=client))
    follow_version(delta, version)
    _ask_about_changed(vendor, delta)


def _ask_about_changed(vendor: ScreeningVendor, delta: QuerySet[ListEntry]) -> None:
    changed = Hit.objects.filter(entry__in=delta, entry__is_listed=True).exclude(state=HitState.OUTDATED)
    changed = changed.exclude(entry_hash=F("entry__content_hash"))
    known = Hit.objects.filter(entry__in=delta, entry_hash=F("entry__content_hash")).exclude(state=HitState.OUTDATED)
    pairs = set(changed.values_list("client_id", "party_id")) - set(known.values_list("client_id", "party_id"))
    rows = VendorCheck.objects.filter(vendor=vendor, client__in={client_id for client_id, _party in pairs})
    for check in rows.select_related("client", "party").order_by("pk"):
        if (check.client_id, check.party_id) in pairs:
            ask_about(check, ScreeningTrigger.VENDOR)


@transaction.atomic
def ask_about(check: VendorCheck, trigger: ScreeningTrigger) -> None:
    """Have a vendor asked again about somebody whom it was asked about before."""
    client = lock(Client, check.client_id, "brand", no_key=True)
    party = check.party
    if party is not None:
        party.client = client
    data_hash = party.data_hash if party else screening.hash_of(screening.person_of(client))
    checks.want(check.vendor, client, data_hash=data_hash, trigger=trigger, party=party)


def screen_otherwise(check: VendorCheck) -> None:
    """Screen whoever waits for a vendor that isn't used any more as the brand does now. Holds the client's lock."""
    if check.party is not None:
        check.party.client = check.client
        noting.screen_party(check.party)
    else:
        screening.screen_if_possible(check.client_id, ScreeningTrigger(check.trigger))
