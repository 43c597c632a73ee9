"""Open accounts of clients alike, counted together: what a cap is held against without going through all accounts.

A large house has a hundred thousand accounts, but few sorts of them: of one type, in one group with one leverage, of clients
of one category, country and book. Each sort is a row with its accounts' ids. Beat counts again every few minutes; a page that
finds the count older than that does so itself. What is changed on a single account is checked again by its id.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from trading.models import CapStanding

OLDEST: Final = dt.timedelta(minutes=10)
LOCK: Final = 0x43_53  # one counts at a time
COUNT: Final = """
INSERT INTO trading_capstanding (
  server_id, account_type_id, "group", leverage, category, country, brand_id, book_id, accounts, counted_at)
SELECT a.server_id, a.account_type_id, a."group", a.leverage, c.category, c.country, c.brand_id, c.book_id,
  array_agg(a.id ORDER BY a.id), %s
FROM trading_tradingaccount a JOIN clients_client c ON c.id = a.client_id
WHERE a.state = 'open' AND NOT a.is_demo AND a.missing_since IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""


def counted_at() -> dt.datetime | None:
    """Find when accounts were counted last; None while there are none."""
    last: dt.datetime | None = CapStanding.objects.aggregate(at=Max("counted_at"))["at"]
    return last


@transaction.atomic
def refresh() -> None:
    """Count again. Readers see the count before until this one is there; two statements."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LOCK])
        cursor.execute("DELETE FROM trading_capstanding")
        cursor.execute(COUNT, [timezone.now()])


def keep_fresh() -> dt.datetime | None:
    """Count again where nobody did lately: an installation just set up, or one without beat. Returns when it was counted."""
    at = counted_at()
    if at is None or at < timezone.now() - OLDEST:
        refresh()
        at = counted_at()
    return at
