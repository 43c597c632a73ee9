"""Noting who is connected with a client, and comparing them with the lists.

Apps above call `note` when a payment, a payout or a partner names somebody else than the client.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from clients.models import Client
from compliance import screening
from compliance.choices import HitState, ScreeningTrigger
from compliance.lists import keying
from compliance.matching import VERSION
from compliance.matching import text as spelling
from compliance.matching.explanation import Explanation
from compliance.matching.score import Person
from compliance.models import Hit, ListEntry, ScreenedParty, Screening, VendorCheck
from compliance.parties.choices import PartyRole
from compliance.vendors import checks
from compliance.vendors.choices import CheckState
from compliance.vendors.modes import is_vendor_alone, vendor_of
from crm.db.locking import lock, lock_all
from crm.i18n.localized_text import localize, phrase

NAME_MAX, SUBJECT_MAX = 120, 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A name as an app knows it; is_company: None where it doesn't know."""

    name: str
    subject: str = ""
    country: str = ""
    is_company: bool | None = None


@transaction.atomic
def note(*, client_id: int, role: PartyRole, named: Named) -> ScreenedParty | None:
    """Keep a name that is connected with a client and, if it is new or differs, screen it; None for one without letters."""
    return _note(lock(Client, client_id, "brand", no_key=True), role, named)


@transaction.atomic
def note_all(*, client_id: int, role: PartyRole, named: Sequence[Named]) -> None:
    """Keep exactly these names in a role: others are no longer connected, and their open matches end with their holds."""
    client = lock(Client, client_id, "brand", no_key=True)
    parties = [_note(client, role, one) for one in named]
    gone = ScreenedParty.objects.filter(client=client, role=role, is_current=True)
    gone = gone.exclude(pk__in=[party.pk for party in parties if party])
    ended = list(gone.values_list("pk", flat=True))
    gone.update(is_current=False)
    for check in lock_all(VendorCheck.objects.filter(party__in=ended).exclude(state=CheckState.ENDED), "hold"):
        check.client = client
        checks.end(check, reason=localize(phrase("No longer connected with the client.")))
    screening.retire(
        Hit.objects.filter(party__in=ended, state=HitState.OPEN),
        reason=localize(phrase("No longer connected with the client.")),
    )


def _note(client: Client, role: PartyRole, named: Named) -> ScreenedParty | None:
    name = " ".join(named.name.split())[:NAME_MAX]
    if not spelling.words(name):
        return None
    party = ScreenedParty.objects.filter(client=client, role=role, name=name).first()
    compared = (named.country, named.is_company, True)
    is_known = party is not None and (party.country, party.is_company, party.is_current) == compared
    party = party or ScreenedParty(client=client, role=role, name=name, noted_at=timezone.now(), **keys_of(name))
    party.country, party.is_company, party.is_current = compared
    party.subject = named.subject[:SUBJECT_MAX]
    party.save()
    if not is_known or party.screened_at is None:
        stale = Hit.objects.filter(party=party, state=HitState.OPEN).exclude(client_hash=party.data_hash)
        screening.retire(stale, reason=localize(phrase("The data changed; screened again.")))
        screen_party(party)
    return party


def keys_of(name: str) -> dict[str, object]:
    """Make the keys by which an entry of a list finds this name."""
    normalised, pair_keys = keying.keys_of(name)
    return {"matcher_version": VERSION, "normalised": normalised, "pair_keys": pair_keys}


def screen_party(party: ScreenedParty) -> Screening | None:
    """Compare a party with all lists in force. The caller holds the client's lock; without a list it waits for the first.

    Where the brand has a screening vendor, it is asked too, or alone: then None.
    """
    vendor = vendor_of(party.client.brand)
    if vendor is not None:
        trigger = ScreeningTrigger.CONNECTED
        checks.want(vendor, party.client, data_hash=party.data_hash, trigger=trigger, party=party)
    if not screening.current_version_ids() or is_vendor_alone(party.client.brand):
        return None
    found: list[tuple[ListEntry, Explanation]] = []
    started, compared = time.monotonic(), 0
    threshold = float(screening.threshold_of(party.client))
    for person in persons_of(party):
        entries, count = screening.matches(person, threshold=threshold)
        found, compared = found + entries, compared + count
    party.screened_at = timezone.now()
    party.save(update_fields=["screened_at"])
    return record(party, found, compared=compared, trigger=ScreeningTrigger.CONNECTED, started=started)


def persons_of(party: ScreenedParty) -> list[Person]:
    """Describe a party for the matcher: as a person, as an organisation, or as both where it isn't known."""
    kinds = [False, True] if party.is_company is None else [party.is_company]
    countries = (party.country,) if party.country else ()
    return [Person((party.name,), None, countries, is_firm=is_firm) for is_firm in kinds]


def record(
    party: ScreenedParty,
    found: list[tuple[ListEntry, Explanation]],
    *,
    compared: int,
    trigger: ScreeningTrigger,
    started: float,
) -> Screening:
    """Keep what the comparison of a party found; a new match holds what its role blocks. Holds the client's lock."""
    found = sorted(found, key=lambda pair: -pair[1].score)
    return screening.record(party.client, found, compared=compared, trigger=trigger, started=started, party=party)
