"""How long a client's records are kept: so many years after the relation ended, as the brand's policy says."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection
from django.db.models import Q, QuerySet

from compliance.brand_policies import RETENTION_YEARS
from compliance.models import ClosedRelation
from crm.brand_policies.registry import today
from crm.models import Brand, User
from crm.security.scope import reach_of

# Closed once is closed for good: the day is the first on which the record's history says so.
NOTE_ENDED: Final = """
INSERT INTO compliance_closedrelation (client_id, brand_id, ended_on)
SELECT c.id, c.brand_id, coalesce(
  (SELECT min(h.history_date) FROM clients_historicalclient h WHERE h.id = c.id AND h.stage = 'closed'), now())::date
FROM clients_client c
WHERE c.stage = 'closed' AND c.merged_into_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM compliance_closedrelation r WHERE r.client_id = c.id)
ON CONFLICT DO NOTHING
"""


def note_ended() -> int:
    """Note the relations that ended since this last ran; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE_ENDED)
        count: int = cursor.rowcount
        return count


def due_on(relation: ClosedRelation) -> dt.date:
    """Return the day from which a client's records may be erased."""
    ended, years = relation.ended_on, RETENTION_YEARS.of(relation.brand)
    try:
        return ended.replace(year=ended.year + years)
    except ValueError:  # 29 February
        return dt.date(ended.year + years, 3, 1)


def _last_day_due(brand: Brand) -> dt.date:
    day, years = today(brand), RETENTION_YEARS.of(brand)
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return dt.date(day.year - years, 2, 28)


def relations_visible_to(user: User) -> QuerySet[ClosedRelation]:
    """List the ended relations with clients in reach."""
    return ClosedRelation.objects.filter(client__book_id__in=reach_of(user).books)


def only_due(rows: QuerySet[ClosedRelation]) -> QuerySet[ClosedRelation]:
    """Keep those whose time is over and who aren't erased."""
    days = Q(pk__in=[])
    for brand in Brand.objects.all():
        days |= Q(brand=brand, ended_on__lte=_last_day_due(brand))
    return rows.filter(days, erased_at=None)
