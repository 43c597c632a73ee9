"""Relations that ended some years ago."""

from __future__ import annotations

import datetime as dt

from clients.models import Client
from compliance.models import ClosedRelation
from compliance.retention import periods
from crm.brand_policies.registry import today


def ended(client: Client, years: float = 6) -> ClosedRelation:
    client.stage = "closed"
    client.save()
    periods.note_ended()
    relation = ClosedRelation.objects.get(client=client)
    relation.ended_on = today(client.brand) - dt.timedelta(days=int(years * 366))
    relation.save()
    return relation
