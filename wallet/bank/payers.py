"""Which accounts clients paid in from: what links two of them who use the same one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from django.db.models import Q

from clients.identifiers import IdentifierKind, Seen
from crm.models import SubjectKey
from wallet.choices.bank import EntryState
from wallet.models import BankEntry

READ_AT_ONCE = 1_000


def sightings_of(client_id: int, party: Mapping[str, str], at: dt.datetime) -> list[Seen]:
    """List what an arrival links its client by: the payer's account, where the bank names it."""
    iban = party.get("iban", "")
    return [Seen(client_id, IdentifierKind.BANK_ACCOUNT, iban, at)] if iban else []


def arrivals() -> Iterator[Seen]:
    """Yield the accounts that clients paid in from; not those of erased clients, whose entries the books keep."""
    erased = SubjectKey.objects.filter(destroyed_at__isnull=False).values("client_id")
    rows = BankEntry.objects.filter(
        ~Q(deposit__client_id__in=erased),
        state__in=[EntryState.MATCHED, EntryState.ASSIGNED],
        sealed_party__isnull=False,
        amount_minor__gt=0,
    )
    for entry in rows.select_related("deposit").order_by("pk").iterator(READ_AT_ONCE):
        assert entry.deposit is not None
        yield from sightings_of(
            entry.deposit.client_id, entry.party, dt.datetime.combine(entry.booked_on, dt.time(12), dt.UTC)
        )
