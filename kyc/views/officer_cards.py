"""The KYC officer's home: what waits for review, how fast it is decided, and what is wrong with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Avg, Count, Exists, F, OuterRef, Q
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.choices import Stage
from clients.queries import clients_visible_to
from clients.tables import name_or_number
from crm import work
from crm.i18n import formats
from crm.models import User
from crm.ui.cards import Bar, BarsCard, ChartCard, ListCard, ListRow
from crm.ui.charts import Chart, Series
from crm.ui.day_counts import CHART_DAYS, CURVE_DAYS, age_text, count_text, counts_by_day, last_days, midnight
from crm.ui.kpis import Kpi, once_per_page
from kyc import queries
from kyc.choices import IDENTITY_KINDS, ISSUE_SHORT, OPEN_STATES, DocumentKind, DocumentState, IssueCode, Severity
from kyc.models import Document, Issue
from kyc.views.queue import COUNT_MAX, ages

ROWS = 6
NEXT = 5
ISSUES = 7
EXPIRY_DAYS = 30
LOOKED_AT = 60
WEEK = dt.timedelta(days=7)
SEVERITIES = (Severity.BLOCKING, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True)
class Decided:
    """Documents decided on each of the last thirty days: by everybody, by the reader, and the hours they had waited."""

    team: Sequence[int]
    mine: Sequence[int]
    hours: Sequence[float]

    def average_hours(self, first: int, last: int | None) -> float | None:
        """Return the average wait of the documents decided between two days, counted from the end."""
        counts = self.team[first:last]
        waited = sum(count * hours for count, hours in zip(counts, self.hours[first:last], strict=True))
        return waited / sum(counts) if sum(counts) else None


def _decided(user: User) -> Decided:
    def read() -> Decided:
        days = last_days()
        # What the policy decided is no officer's work.
        rows = queries.documents_visible_to(user).filter(reviewed_at__gte=midnight(days[0]), reviewed_by__isnull=False)
        rows = rows.order_by()
        counted = rows.annotate(day=TruncDate("reviewed_at")).values_list("day")
        by_day = {
            day: (team, mine, wait.total_seconds() / 3600)
            for day, team, mine, wait in counted.annotate(
                team=Count("pk"),
                mine=Count("pk", filter=Q(reviewed_by=user)),
                wait=Avg(F("reviewed_at") - F("uploaded_at")),
            )
        }
        team, mine, hours = zip(*(by_day.get(day, (0, 0, 0.0)) for day in days), strict=True)
        return Decided(team, mine, hours)

    return once_per_page(user, "kyc.decided", read)  # type: ignore[no-any-return]


def _received(user: User) -> list[int]:
    def read() -> list[int]:
        return counts_by_day(queries.documents_visible_to(user), "uploaded_at", last_days())

    return once_per_page(user, "kyc.received", read)  # type: ignore[no-any-return]


def waiting(user: User) -> Kpi:
    """Make the card of the documents in the queue, beside as many as waited at this time a week ago."""
    counts, decided, received = ages(user), _decided(user), _received(user)
    then = timezone.now() - WEEK
    before = (
        queries.documents_visible_to(user)
        .filter(Q(state__in=OPEN_STATES) | Q(reviewed_at__gt=then), uploaded_at__lte=then)
        .order_by()
    )
    curve = [counts["total"]]
    for came, went in list(zip(received, decided.team, strict=True))[:-CURVE_DAYS:-1]:
        curve.append(max(0, curve[-1] - came + went))  # what waited when the day began
    late = counts["late"]
    return Kpi(
        label=_("Documents waiting"),
        value=count_text(counts["total"], COUNT_MAX),
        url=reverse("kyc:queue"),
        icon="file-check",
        now=counts["total"],
        before=len(before.values_list("pk")[:COUNT_MAX]),
        versus=_("vs a week ago"),
        is_more_better=False,
        hint=ngettext("%(count)s late", "%(count)s late", late) % {"count": late},
        trend=curve[::-1],
    )


def oldest_wait(user: User) -> Kpi:
    """Make the card of the longest wait, red where that document is late by the clock of its work item."""
    counts, decided = ages(user), _decided(user)
    now = decided.average_hours(-7, None)
    return Kpi(
        label=_("Oldest wait"),
        value=age_text(counts["oldest"]),
        url=f"{reverse('kyc:queue')}?sort=uploaded_at",
        icon="hourglass",
        hint=_("Average this week: %(average)s")
        % {"average": formats.duration(now * 3600 if now is not None else None, to_minute=True)},
        trend=decided.hours[-CURVE_DAYS:],
        tone="danger" if counts["oldest_is_late"] else "teal",
    )


def decided_today(user: User) -> Kpi:
    """Make the card of today's decisions: mine, and the team's in the hint."""
    decided = _decided(user)
    week = sum(decided.mine[-8:-1])
    today = timezone.localdate().isoformat()
    return Kpi(
        label=_("Decided by me today"),
        value=formats.number(decided.mine[-1], 0),
        url=f"{reverse('kyc:documents')}?reviewed_after={today}&reviewer=me",
        icon="check-check",
        now=decided.mine[-1],
        before=round(week / 7),
        versus=_("vs my daily average"),
        is_more_better=None,  # a day in progress beside whole ones
        hint=_("%(count)s by the whole team") % {"count": decided.team[-1]},
        trend=decided.mine[-CURVE_DAYS:],
        tone="success",
    )


def passed_checks(user: User) -> Kpi:
    """Make the card of the share of documents in which the automatic checks found no problem, over seven days."""
    days = last_days(CURVE_DAYS)
    problem = Issue.objects.filter(document_id=OuterRef("pk")).exclude(severity=Severity.INFO)
    checked = queries.documents_visible_to(user).filter(uploaded_at__gte=midnight(days[0]), checked_at__isnull=False)
    counted = checked.annotate(day=TruncDate("uploaded_at"), is_clean=~Exists(problem)).order_by().values_list("day")
    by_day = {
        day: (count, clean)
        for day, count, clean in counted.annotate(n=Count("pk"), clean_count=Count("pk", filter=Q(is_clean=True)))
    }
    counts = [by_day.get(day, (0, 0)) for day in days]
    now, before = _share(counts[7:]), _share(counts[:7])
    seen = sum(count for count, _clean in counts[7:])
    return Kpi(
        label=_("Passed automatic checks"),
        value="–" if now is None else f"{formats.number(now, 0)} %",
        url=f"{reverse('kyc:documents')}?uploaded_after={days[7].isoformat()}",
        icon="scan-search",
        now=now,
        before=before,
        versus=_("vs the week before"),
        hint=ngettext("of %(count)s document in 7 days", "of %(count)s documents in 7 days", seen) % {"count": seen},
        trend=[_share([count]) or 0 for count in counts],
        tone="accent",
    )


def _share(counts: Sequence[tuple[int, int]]) -> int | None:
    whole = sum(count for count, _clean in counts)
    return round(100 * sum(clean for _count, clean in counts) / whole) if whole else None


def by_day(user: User) -> ChartCard:
    """Draw the documents received and decided by day."""
    return ChartCard(
        title=_("Documents received and decided by day"),
        chart=Chart(
            id="home-documents",
            x=last_days(CHART_DAYS),
            series=[
                Series(_("Received"), _received(user), kind="bars", decimals=0),
                Series(_("Decided"), _decided(user).team, tone="teal", decimals=0),
            ],
            height=280,
        ),
        url=reverse("kyc:documents"),
        url_text=_("KYC documents"),
    )


def next_documents(user: User) -> ListCard:
    """List the documents to review next: those the reader has claimed, then the oldest that nobody has."""
    now = timezone.now()
    nobodys = Q(work__assigned_to=None) | Q(work__assigned_to=user)
    free = work.is_free(user, now, path="work__")
    pending = queries.queue(user).filter(nobodys, free, state=DocumentState.PENDING_REVIEW).exclude(uploaded_by=user)
    oldest = list(pending.select_related("client", "work").order_by("-work__priority", "uploaded_at", "pk")[:LOOKED_AT])
    mine = [row for row in oldest if row.work and row.work.claimed_by_id == user.pk and work.is_held(row.work, now)]
    chosen = [*mine, *(row for row in oldest if row not in mine)][:NEXT]
    worst = _worst_issues(chosen)
    rows = [
        ListRow(
            title=name_or_number(document.client),
            url=document.get_absolute_url(),
            note=f"{document.title} · {worst.get(document.pk, _('No issues'))}",
            end=age_text(document.uploaded_at),
            end_note=_("Claimed") if document in mine else "",
            tone="danger" if document.work and document.work.due_at < now else "",
            is_person=True,
        )
        for document in chosen
    ]
    return ListCard(
        title=_("My next documents"),
        rows=rows,
        icon="list-checks",
        url=f"{reverse('kyc:queue')}?state={DocumentState.PENDING_REVIEW}",
        empty=_("No documents to review"),
        empty_text=_("Uploaded documents appear here once the automatic checks are done."),
        empty_icon="file-check",
    )


def _worst_issues(documents: Sequence[Document]) -> dict[int, str]:
    """Name the worst issue of each document in a word or two, and how many more there are."""
    codes: dict[int, dict[str, str]] = {}
    rows = (
        Issue.objects.filter(document__in=documents)
        .order_by("-run_id", "id")
        .values_list("document_id", "code", "severity")
    )
    for document_id, code, severity in rows:
        codes.setdefault(document_id, {})[code] = severity
    named = {}
    for document_id, known in codes.items():
        worst = min(known, key=lambda code: SEVERITIES.index(Severity(known[code])))
        label = str(ISSUE_SHORT.get(worst, IssueCode(worst).label))
        named[document_id] = f"{label} +{len(known) - 1}" if len(known) > 1 else label
    return named


def issues_this_week(user: User) -> BarsCard:
    """Rank what the checks found in the documents of the last seven days."""
    first = last_days(7)[0]
    recent = queries.documents_visible_to(user).filter(uploaded_at__gte=midnight(first))
    found = Issue.objects.filter(document__in=recent.order_by().values("pk")).order_by()
    counts = list(found.values_list("code").annotate(n=Count("document_id", distinct=True)).order_by("-n", "code"))
    return BarsCard(
        title=_("Issues found in 7 days"),
        bars=[
            Bar(
                ISSUE_SHORT.get(code, IssueCode(code).label),
                count,
                f"{reverse('kyc:documents')}?issue={code}&uploaded_after={first.isoformat()}",
            )
            for code, count in counts[:ISSUES]
        ],
        icon="scan-search",
        url=f"{reverse('kyc:documents')}?uploaded_after={first.isoformat()}",
        empty=_("No issues found"),
        empty_text=_("What the automatic checks find in documents appears here."),
        empty_icon="file-check",
    )


def expiring(user: User) -> ListCard:
    """List the approved documents that expire next, within thirty days."""
    today = timezone.localdate()
    until = today + dt.timedelta(days=EXPIRY_DAYS)
    rows = (
        queries.documents_visible_to(user)
        .filter(state=DocumentState.APPROVED, expires_on__gte=today, expires_on__lte=until)
        .select_related("client")
        .order_by("expires_on", "pk")[:ROWS]
    )
    return ListCard(
        title=_("Expiring in 30 days"),
        rows=[
            ListRow(
                title=name_or_number(document.client),
                url=document.get_absolute_url(),
                note=document.title,
                end=formats.day(document.expires_on),
                end_note=_days_left((document.expires_on - today).days),
                tone="warning",
                is_person=True,
            )
            for document in rows
            if document.expires_on is not None
        ],
        icon="calendar",
        url=f"{reverse('kyc:documents')}?state={DocumentState.APPROVED}"
        f"&expires_after={today.isoformat()}&expires_before={until.isoformat()}",
        empty=_("No documents expire soon"),
        empty_text=_("Approved documents appear here 30 days before they expire."),
        empty_icon="calendar",
    )


def _days_left(days: int) -> str:
    return ngettext("%(count)s day left", "%(count)s days left", days) % {"count": days} if days else _("Today")


def second_document(user: User) -> ListCard:
    """List clients whose identity is proven and whose proof of address is missing or was rejected, newest first."""
    documents = Document.objects.filter(client_id=OuterRef("pk"))
    proven = documents.filter(kind__in=IDENTITY_KINDS, state=DocumentState.APPROVED)
    on_its_way = documents.filter(kind=DocumentKind.PROOF_OF_ADDRESS, state__in=[*OPEN_STATES, DocumentState.APPROVED])
    rejected = documents.filter(kind=DocumentKind.PROOF_OF_ADDRESS, state=DocumentState.REJECTED)
    unverified = clients_visible_to(user).filter(stage=Stage.REGISTERED, kyc_level=0)
    clients = (
        unverified.filter(Exists(proven), ~Exists(on_its_way))
        .annotate(was_rejected=Exists(rejected))
        .defer("search_text")
        .order_by("-id")[:ROWS]
    )
    rows = [
        ListRow(
            title=name_or_number(client),
            url=client.get_absolute_url(),
            note=_("Registered %(ago)s") % {"ago": formats.ago(client.registered_at)},
            end=_("Rejected") if client.was_rejected else _("Missing"),
            tone="danger" if client.was_rejected else "warning",
            is_person=True,
        )
        for client in clients
    ]
    return ListCard(
        title=_("Proof of address missing"),
        rows=rows,
        icon="house",
        url=f"{reverse('clients')}?stage={Stage.REGISTERED}&is_verified=0",
        url_text=_("Unverified clients"),
        empty=_("No proof of address missing"),
        empty_text=_("Clients with a proven identity and no proof of address appear here."),
        empty_icon="house",
    )
