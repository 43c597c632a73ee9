"""The MLRO's home: possible matches, restrictions in force, requests to lift them, risk, and how fresh the watchlists are."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import RiskRating
from clients.queries import clients_visible_to
from clients.tables import name_or_number
from compliance import queries
from compliance.choices import HitState, RestrictionCause, VersionState
from compliance.models import ListVersion, RiskAssessment, WatchlistSource
from crm.i18n import formats
from crm.models import User
from crm.ui.cards import ChartCard, ListCard, ListRow
from crm.ui.charts import Chart, Series
from crm.ui.day_counts import CURVE_DAYS, age_text, count_text, count_up_to, counts_by_day, last_days
from crm.ui.kpis import Kpi, once_per_page

ROWS = 6
COUNT_MAX = 1_000
WEEK = dt.timedelta(days=7)
LIST_LATE_DAYS, LIST_STALE_DAYS = 7, 30


def _found(user: User) -> list[int]:
    return once_per_page(  # type: ignore[no-any-return]
        user, "compliance.found", lambda: counts_by_day(queries.hits_visible_to(user), "found_at", last_days())
    )


def _open_hits(user: User) -> list[tuple[dt.datetime, dt.datetime]]:
    """List when the open matches were found and until when they are due, the oldest first."""

    def read() -> list[tuple[dt.datetime, dt.datetime]]:
        rows = queries.hits_visible_to(user).filter(state=HitState.OPEN).order_by("found_at", "id")
        return list(rows.values_list("found_at", "work__due_at")[:COUNT_MAX])

    return once_per_page(user, "compliance.open_hits", read)  # type: ignore[no-any-return]


def open_matches(user: User) -> Kpi:
    """Make the card of the matches that wait, beside as many as waited a week ago."""
    count, then = len(_open_hits(user)), timezone.now() - WEEK
    before = queries.hits_visible_to(user).filter(Q(state=HitState.OPEN) | Q(decided_at__gt=then), found_at__lte=then)
    return Kpi(
        label=_("Possible matches"),
        value=count_text(count, COUNT_MAX),
        url=f"{reverse('compliance:hits')}?state={HitState.OPEN}",
        icon="scan-search",
        now=count,
        before=count_up_to(before, COUNT_MAX),
        versus=_("vs a week ago"),
        is_more_better=False,
        hint=_("%(count)s found in 7 days") % {"count": sum(_found(user)[-7:])},
        trend=_found(user)[-CURVE_DAYS:],
        tone="warning" if count else "",
    )


def oldest_match(user: User) -> Kpi:
    """Make the card of the match that has waited longest, red where it is late: its client is frozen for so long."""
    now, hits = timezone.now(), _open_hits(user)
    late = sum(due_at < now for _found_at, due_at in hits)
    return Kpi(
        label=_("Oldest open match"),
        value=age_text(hits[0][0] if hits else None),
        url=f"{reverse('compliance:hits')}?state={HitState.OPEN}",
        icon="hourglass",
        hint=_("%(count)s late. Clients are frozen until their match is decided.") % {"count": late},
        tone="danger" if hits and hits[0][1] < now else "teal",
    )


def restrictions(user: User) -> Kpi:
    """Make the card of the restrictions in force, beside as many as a week ago."""
    rows, then = queries.restrictions_visible_to(user), timezone.now() - WEEK
    in_force = rows.filter(lifted_at__isnull=True).order_by()
    causes = list(in_force.values_list("cause", flat=True)[:COUNT_MAX])
    before = rows.filter(Q(lifted_at__isnull=True) | Q(lifted_at__gt=then), placed_at__lte=then)
    return Kpi(
        label=_("Active restrictions"),
        value=count_text(len(causes), COUNT_MAX),
        url=f"{reverse('compliance:restrictions')}?state=force",
        icon="lock",
        now=len(causes),
        before=count_up_to(before, COUNT_MAX),
        versus=_("vs a week ago"),
        is_more_better=None,
        hint=_("%(count)s placed by staff") % {"count": causes.count(RestrictionCause.MANUAL)},
        tone="accent",
    )


def lift_requests(user: User) -> Kpi:
    """Make the card of the requests to lift a restriction; nobody decides their own."""
    asked = queries.restrictions_visible_to(user).filter(lifted_at__isnull=True, lift_requested_by__isnull=False)
    rows = list(asked.order_by().values_list("lift_requested_at", "lift_requested_by")[:COUNT_MAX])
    own = sum(by == user.pk for _at, by in rows)
    oldest = min((at for at, _by in rows if at), default=None)
    return Kpi(
        label=_("Lift requests"),
        value=count_text(len(rows), COUNT_MAX),
        url=f"{reverse('compliance:restrictions')}?state=asked",
        icon="lock-open",
        hint=_("%(own)s yours · oldest %(age)s") % {"own": own, "age": age_text(oldest)}
        if rows
        else _("Nothing is waiting for a second person"),
        tone="success",
    )


def matches_by_day(user: User) -> ChartCard:
    """Draw the matches found and decided by day."""
    decided = queries.hits_visible_to(user).filter(decided_at__isnull=False)
    return ChartCard(
        title=_("Matches found and decided by day"),
        chart=Chart(
            id="home-matches",
            x=last_days(),
            series=[
                Series(_("Found"), _found(user), kind="bars", decimals=0),
                Series(_("Decided"), counts_by_day(decided, "decided_at", last_days()), tone="teal", decimals=0),
            ],
            height=380,
        ),
        url=reverse("compliance:hits"),
        url_text=_("Possible matches"),
    )


def matches_by_score(user: User) -> ListCard:
    """List the open matches, the likeliest first."""
    rows = queries.hits_visible_to(user).filter(state=HitState.OPEN).select_related("client", "entry__source")
    return ListCard(
        title=_("Open matches by score"),
        rows=[
            ListRow(
                title=name_or_number(hit.client),
                url=hit.get_absolute_url(),
                note=f"{hit.entry.primary_name} · {hit.entry.source.name}",
                end=formats.number(hit.score, 2),
                end_note=age_text(hit.found_at),
                tone="danger" if hit.score >= 1 else "warning",
                is_person=True,
            )
            for hit in rows.defer("client__search_text", "explanation").order_by("-score", "found_at")[:ROWS]
        ],
        icon="list-checks",
        url=f"{reverse('compliance:hits')}?state={HitState.OPEN}",
        empty=_("No possible matches"),
        empty_text=_("Clients are screened when they are verified and on demand."),
        empty_icon="shield-check",
    )


def latest_restrictions(user: User) -> ListCard:
    """List the restrictions in force that were placed last."""
    rows = queries.restrictions_visible_to(user).filter(lifted_at__isnull=True).select_related("client", "placed_by")
    return ListCard(
        title=_("Latest restrictions"),
        rows=[
            ListRow(
                title=name_or_number(row.client),
                url=reverse("compliance:client", args=[row.client_id]),
                note=row.reason,
                end=str(row.get_kind_display()),
                end_note=formats.ago(row.placed_at),
                tone="danger" if row.kind == "frozen" else "warning",
                is_person=True,
            )
            for row in rows.defer("client__search_text").order_by("-pk")[:ROWS]
        ],
        icon="lock",
        url=f"{reverse('compliance:restrictions')}?state=force",
        empty=_("No restrictions"),
        empty_text=_("Add restrictions on a client's compliance page."),
        empty_icon="lock-open",
    )


def risky_clients(user: User) -> ListCard:
    """List the clients whose current rating is above low, the most points first, with the day of the rating."""
    above = [RiskRating.HIGH, RiskRating.MEDIUM]
    rated = RiskAssessment.objects.filter(is_current=True, rating__in=above, client__in=clients_visible_to(user))
    rows = rated.select_related("client").defer("client__search_text").order_by("-points", "at")[:ROWS]
    return ListCard(
        title=_("Clients by risk"),
        rows=[
            ListRow(
                title=name_or_number(row.client),
                url=reverse("compliance:client", args=[row.client_id]),
                note=_("Rated %(ago)s") % {"ago": formats.ago(row.at)},
                end=str(row.get_rating_display()),
                end_note=_("%(points)s points") % {"points": row.points},
                tone="danger" if row.rating == RiskRating.HIGH else "warning",
                is_person=True,
            )
            for row in rows
        ],
        icon="shield-alert",
        url=f"{reverse('clients')}?risk_rating={RiskRating.HIGH}",
        url_text=_("High risk"),
        empty=_("No client is rated above low"),
        empty_text=_("Clients are rated when they are verified and when their data changes."),
        empty_icon="shield-check",
    )


def watchlists(user: User) -> ListCard:
    """List the watchlists in use by the age of their last import, the oldest first."""
    sources = list(WatchlistSource.objects.filter(is_active=True)[:50])
    current = {row.source_id: row for row in ListVersion.objects.filter(source__in=sources, state=VersionState.CURRENT)}
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    rows = sorted(
        ((source, current.get(source.pk)) for source in sources),
        key=lambda pair: (pair[1].imported_at if pair[1] else never, pair[0].name),
    )
    now = timezone.now()
    return ListCard(
        title=_("Watchlist updates"),
        rows=[_list_row(source, version, now) for source, version in rows[:ROWS]],
        icon="list-checks",
        url=reverse("compliance:watchlists"),
        empty=_("No watchlists yet"),
        empty_text=_("Import a list so that clients can be screened."),
        empty_icon="list-checks",
    )


def _list_row(source: WatchlistSource, version: ListVersion | None, now: dt.datetime) -> ListRow:
    days = (now - version.imported_at).days if version else LIST_STALE_DAYS
    return ListRow(
        title=source.name,
        url=reverse("compliance:watchlists"),
        note=_("%(entries)s entries") % {"entries": formats.number(version.entry_count if version else 0, 0)},
        end=formats.ago(version.imported_at) if version else _("Never imported"),
        end_note=_("List of %(day)s") % {"day": formats.day(version.dated_on)} if version and version.dated_on else "",
        tone="danger" if days >= LIST_STALE_DAYS else "warning" if days >= LIST_LATE_DAYS else "success",
    )
