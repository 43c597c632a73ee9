"""Who had a client before: the periods of the record's owners, for those who may see them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from clients.models import Client
from crm.web.requests import UserRequest

RIGHT: Final = "clients.view_past_owners"
PERIODS_MAX: Final = 20
PERIODS = """
SELECT p.owned_from, nullif(p.until, 'infinity'), trim(u.first_name || ' ' || u.last_name), d.name, b.name
FROM (
  SELECT owner_id, book_id, desk_id, nullif(since, '1970-01-01 00:00:00+00') AS owned_from, since, until
  FROM clients_ownership_period WHERE client_id = %s ORDER BY since DESC LIMIT %s
) p JOIN crm_book b ON b.id = p.book_id LEFT JOIN crm_user u ON u.id = p.owner_id LEFT JOIN crm_desk d ON d.id = p.desk_id
ORDER BY p.since DESC
"""


@dataclass(frozen=True)
class Period:
    """A time with one owner, desk and book. `since` is empty for the first, `until` for the present one."""

    since: dt.datetime | None
    until: dt.datetime | None
    owner: str
    desk: str
    book: str


def owners_of(client: Client) -> list[Period]:
    """List who had a client, the present owner first, with one more than are shown where there are more. One query."""
    with connection.cursor() as cursor:
        cursor.execute(PERIODS, [client.pk, PERIODS_MAX + 1])
        return [Period(since, until, owner or "", desk or "", book) for since, until, owner, desk, book in cursor]


def owners_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """Show who had the client before; None for a client who was never moved. The record's view notes that it was seen."""
    periods = owners_of(client)
    if len(periods) < 2:
        return None
    return {"periods": periods[:PERIODS_MAX], "is_cut": len(periods) > PERIODS_MAX, "first_at": client.created_at}
