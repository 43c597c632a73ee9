"""How fresh the lists are, and which clients were compared with all of them: per list, per brand, per client."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from compliance.choices import VersionState
from compliance.matching import VERSION
from compliance.models import ListScreening, ListVersion, WatchlistSource
from compliance.vendors.modes import brands_of_vendors_alone
from crm.models import User
from crm.security.scope import reach_of

# A client is behind whose name isn't covered by the last screening of everybody and who wasn't screened alone since.
BEHIND = """
SELECT b.name, count(*) AS clients,
  count(*) FILTER (WHERE c.first_name = '' AND c.last_name = '') AS nameless,
  count(*) FILTER (WHERE (c.first_name <> '' OR c.last_name <> '') AND NOT (
    coalesce(k.text = trim(c.first_name || ' ' || c.last_name) AND k.matcher_version = %(version)s AND k.made_at <= %(run)s, false)
    OR EXISTS (SELECT 1 FROM compliance_screening s WHERE s.client_id = c.id AND s.party_id IS NULL
      AND s.matcher_version = %(version)s AND s.at >= coalesce(%(run)s, '-infinity'::timestamptz)))) AS behind
FROM clients_client c JOIN crm_brand b ON b.id = c.brand_id LEFT JOIN compliance_clientkeys k ON k.client_id = c.id
WHERE c.stage NOT IN ('lead', 'closed') AND c.book_id = ANY(%(books)s) AND c.brand_id <> ALL(%(alone)s)
GROUP BY b.name ORDER BY b.name
"""


@dataclass(frozen=True)
class ListState:
    """One list: its version in force, when it was last known to be current, and whether that is too long ago."""

    source: WatchlistSource
    version: ListVersion | None
    confirmed_at: dt.datetime | None
    is_stale: bool
    waiting: ListVersion | None = None

    @property
    def next_check_at(self) -> dt.datetime | None:
        if not self.source.refresh_from:
            return None
        hours = dt.timedelta(hours=self.source.refresh_hours)
        return (self.source.tried_at + hours) if self.source.tried_at else timezone.now()


def list_states(now: dt.datetime | None = None) -> list[ListState]:
    """List every active source with the state of its version in force. The brokerage's own lists don't grow stale."""
    now = now or timezone.now()
    sources = list(WatchlistSource.objects.filter(is_active=True).order_by("name")[:100])
    versions = ListVersion.objects.filter(source__in=sources, state__in=[VersionState.CURRENT, VersionState.WAITING])
    found = {(version.source_id, version.state): version for version in versions.prefetch_related("screenings")}
    states = []
    for source in sources:
        version = found.get((source.pk, VersionState.CURRENT))
        times = [time for time in (source.checked_at, version.imported_at if version else None) if time]
        confirmed = max(times, default=None)
        is_own = source.code == "house" or bool(source.columns)
        limit = dt.timedelta(hours=source.stale_after_hours)
        is_kept = version is not None or source.refresh_from != ""
        is_stale = is_kept and not is_own and (confirmed is None or now - confirmed > limit)
        waiting = found.get((source.pk, VersionState.WAITING))
        states.append(ListState(source, version, confirmed, is_stale, waiting))
    return states


@dataclass(frozen=True)
class BrandState:
    brand: str
    clients: int
    nameless: int
    behind: int

    @property
    def screened(self) -> int:
        return self.clients - self.nameless - self.behind


def full_screening_at() -> dt.datetime | None:
    """Find when the last screening of everybody against everything in force began."""
    runs = ListScreening.objects.filter(version=None, matcher_version=VERSION)
    at: dt.datetime | None = runs.aggregate(at=Max("started_at"))["at"]
    return at


def brand_states(user: User) -> list[BrandState]:
    """Count the registered clients in reach, those behind, and those without a name, per brand.

    Brands whose vendor screens alone are on the vendors' page.
    """
    with connection.cursor() as cursor:
        books = sorted(reach_of(user).books)
        cursor.execute(
            BEHIND, {"version": VERSION, "run": full_screening_at(), "books": books, "alone": brands_of_vendors_alone()}
        )
        return [BrandState(*row) for row in cursor.fetchall()]
