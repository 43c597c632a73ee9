"""Reading which leads made an agent's time to first contact: the very rows that the day figures are added up from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Sum

from clients.models import Client
from clients.queries import clients_visible_to
from crm.models import User
from leads.models import Lead
from reports.figures import Totals
from reports.filters import Selection
from reports.models import ClientDay
from reports.performance.rows import client_days

SHOWN_MAX: Final = 200


@dataclass(frozen=True)
class Contact:
    """One client's leads of a day and the agent's first contact with them. `client` is None out of the reader's reach."""

    client: Client | None
    received_on: dt.date
    seconds: int
    leads: int
    contacted_at: dt.datetime | None = None
    contacted_by: User | None = None


@dataclass(frozen=True)
class Contacts:
    """The slowest of them, with how many there are and their average, as on the page of figures."""

    rows: Sequence[Contact]
    totals: Totals
    count: int


def contacts_of(user: User, selection: Selection, agent: User) -> Contacts:
    """List an agent's first contacts of the chosen days, the slowest first: three statements however many they are."""
    rows = client_days(selection, agent.pk).filter(touched__gt=0)
    sums = rows.aggregate(count=Count("pk"), touched=Sum("touched"), seconds=Sum("touch_seconds"))
    slowest = list(rows.order_by("-touch_seconds", "-day", "client_id")[:SHOWN_MAX])
    ids = {row.client_id for row in slowest}
    known = clients_visible_to(user).filter(pk__in=ids).select_related("brand").defer("search_text").in_bulk()
    leads = Lead.objects.filter(client_id__in=list(known), is_duplicate=False, touched_at__isnull=False)
    first: dict[tuple[int, dt.date], Lead] = {}
    for lead in leads.select_related("touched_by", "brand").order_by("-touched_at"):
        zone = ZoneInfo(lead.brand.time_zone)
        first[lead.client_id, lead.captured_at.astimezone(zone).date()] = lead
    totals = Totals(touched=sums["touched"] or 0, touch_seconds=sums["seconds"] or 0)
    found = [_contact(row, known.get(row.client_id), first.get((row.client_id, row.day))) for row in slowest]
    return Contacts(found, totals, sums["count"])


def _contact(row: ClientDay, client: Client | None, lead: Lead | None) -> Contact:
    return Contact(
        client,
        row.day,
        row.touch_seconds // row.touched,
        row.touched,
        lead.touched_at if lead else None,
        lead.touched_by if lead else None,
    )
