"""The controls and their figures: each a few set-based statements over what is stored, none per row.

A figure holds numbers and references only; names and links are made when it is shown, in the reader's language.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Value, Window
from django.db.models.functions import RowNumber

from clients.models import Client
from compliance.models import ListScreening, ListVersion, RiskAssessment, Screening, WatchlistSource
from compliance.risk_rating.versions import version_on
from crm.approvals.kinds import ApprovalKind, ListedApproval
from crm.approvals.kinds import all_kinds as approval_kinds
from crm.choices import ApprovalState, WorkState
from crm.models import Brand, WorkItem
from crm.work.kinds import all_kinds as work_kinds

ROWS_MAX: Final = 25
VERSION_SCREENED_WITHIN: Final = dt.timedelta(hours=1)
LIST_AGE_MAX: Final = dt.timedelta(days=7)
PROPOSAL_AGE_MAX: Final = dt.timedelta(days=7)
VERIFIED: Final = Q(kyc_level__gt=0)


@dataclass(frozen=True, slots=True)
class Period:
    """The part of a month that is over: from its begin to its end, or to now."""

    brand: Brand
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """What a control came to: of how many, how many failed, and the first of them as (what, its key, a number or instant)."""

    control: str
    total: int
    failed: int
    rows: tuple[tuple[str, str, str], ...] = ()

    def body(self) -> dict[str, Any]:
        """Write it as data."""
        return {**asdict(self), "rows": [list(row) for row in self.rows]}

    @classmethod
    def read(cls, body: dict[str, Any]) -> Figure:
        """Read a stored figure."""
        return cls(body["control"], body["total"], body["failed"], tuple((r[0], r[1], r[2]) for r in body["rows"]))


def nightly_screening(period: Period) -> Figure:
    """Count nights in which no screening of all clients against all lists ended."""
    done = ListScreening.objects.filter(version=None, finished_at__gte=period.start, finished_at__lt=period.end)
    days = {at.astimezone(dt.UTC).date() for at in done.values_list("finished_at", flat=True)}
    first = ListScreening.objects.filter(version=None).order_by("pk").values_list("finished_at", flat=True).first()
    begin = max(period.start, first) if first is not None else period.start
    # Only days that are over: tonight's run may still come.
    wanted = [
        day
        for number in range((period.end - begin).days + 1)
        if (day := (begin + dt.timedelta(days=number)).astimezone(dt.UTC).date()) < period.end.astimezone(dt.UTC).date()
    ]
    missing = [day for day in wanted if day not in days]
    return Figure("nightly_screening", len(wanted), len(missing), _rows(("day", str(day), "") for day in missing))


def versions_screened(period: Period) -> Figure:
    """Count list versions that clients weren't screened against within the hour."""
    loaded = ListVersion.objects.exclude(state="refused").filter(
        source__vendor=None,  # a vendor's entries come with the answer about somebody
        imported_at__gte=period.start,
        imported_at__lt=period.end - VERSION_SCREENED_WITHIN,
    )
    in_time = ListScreening.objects.filter(
        version=OuterRef("pk"), finished_at__lte=OuterRef("imported_at") + VERSION_SCREENED_WITHIN
    )
    late = loaded.filter(~Exists(in_time)).select_related("source").order_by("pk")
    rows = (("version", str(version.pk), str(version)) for version in late[:ROWS_MAX])
    return Figure("versions_screened", loaded.count(), late.count(), tuple(rows))


def lists_fresh(period: Period) -> Figure:
    """Count lists in use that weren't loaded within the last week."""
    active = WatchlistSource.objects.filter(is_active=True)
    fresh = ListVersion.objects.exclude(state="refused").filter(
        source=OuterRef("pk"), imported_at__lt=period.end, imported_at__gte=period.end - LIST_AGE_MAX
    )
    old = active.filter(~Exists(fresh)).order_by("name")
    rows = (("source", source.code, source.name) for source in old[:ROWS_MAX])
    return Figure("lists_fresh", active.count(), old.count(), tuple(rows))


def clients_screened(period: Period) -> Figure:
    """Count verified clients who were never screened."""
    verified = Client.objects.filter(VERIFIED, brand=period.brand, registered_at__lt=period.end)
    never = verified.filter(~Exists(Screening.objects.filter(client=OuterRef("pk"), party=None, at__lt=period.end)))
    return _of_clients("clients_screened", verified, never)


def clients_rated(period: Period) -> Figure:
    """Count verified clients without a rating by the risk model in force."""
    verified = Client.objects.filter(VERIFIED, brand=period.brand, registered_at__lt=period.end)
    model = version_on(period.brand, period.end.date())
    rated = RiskAssessment.objects.filter(client=OuterRef("pk"), is_current=True, model=model)
    return _of_clients("clients_rated", verified, verified.filter(~Exists(rated)))


def _of_clients(control: str, rows: QuerySet[Client], failed: QuerySet[Client]) -> Figure:
    keys = failed.order_by("pk").values_list("pk", flat=True)[:ROWS_MAX]
    return Figure(control, rows.count(), failed.count(), tuple(("client", str(pk), "") for pk in keys))


def work_in_time(period: Period) -> list[Figure]:
    """Count work of each kind that was late, or is open after its service level ended. Two queries for all kinds."""
    ended = WorkItem.objects.filter(brand=period.brand, opened_at__lt=period.end).exclude(state=WorkState.CLOSED)
    decided = Q(decided_at__gte=period.start, decided_at__lt=period.end)
    undone = Q(decided_at=None) | Q(decided_at__gte=period.end)
    rows = ended.filter(decided | (undone & Q(due_at__lt=period.end))).order_by()
    late = (decided & Q(decided_at__gt=F("due_at"))) | undone
    counts = {
        kind: (total, failed)
        for kind, total, failed in rows.values_list("kind").annotate(total=Count("pk"), failed=Count("pk", filter=late))
    }
    place = Window(RowNumber(), partition_by=F("kind"), order_by=F("due_at").asc())
    first = rows.filter(late).annotate(place=place).filter(place__lte=ROWS_MAX).order_by("kind", "place")
    named: dict[str, list[tuple[str, str, str]]] = {}
    for kind, pk, due_at in first.values_list("kind", "pk", "due_at"):
        named.setdefault(kind, []).append(("work", str(pk), due_at.isoformat()))
    return [
        Figure(f"work:{kind.code}", *counts.get(kind.code, (0, 0)), tuple(named.get(kind.code, ())))
        for kind in work_kinds()
    ]


def four_eyes(period: Period) -> Figure:
    """Count proposals that their own author approved: there must be none. Three queries over all kinds."""
    decided = Q(state=ApprovalState.APPROVED, decided_at__gte=period.start, decided_at__lt=period.end)
    return _of_proposals("four_eyes", period, decided, Q(decided_by=F("requested_by")))


def proposals_decided(period: Period) -> Figure:
    """Count proposals that waited for more than a week."""
    began = Q(requested_at__lt=period.end)
    decided = Q(decided_at__gte=period.start, decided_at__lt=period.end)
    undone = Q(decided_at=None) | Q(decided_at__gte=period.end)
    old = undone & Q(requested_at__lt=period.end - PROPOSAL_AGE_MAX)
    late = Q(decided_at__gt=F("requested_at") + PROPOSAL_AGE_MAX)
    return _of_proposals("proposals_decided", period, began & (decided | old), late | undone)


def _of_proposals(control: str, period: Period, counted: Q, failed: Q) -> Figure:
    """Count proposals of all kinds about the brand or its clients; those about the whole company belong to no brand."""
    counted_rows, failed_rows = [], []
    for kind in _kinds():
        path = f"{kind.client_path}__brand_id" if kind.client_path else kind.brand_path
        about = kind.model._default_manager.filter(counted, **{path: period.brand.pk}).order_by()
        named_rows = about.annotate(kind_code=Value(kind.code)).values_list("kind_code", "pk", "requested_at")
        counted_rows.append(named_rows)
        failed_rows.append(named_rows.filter(failed))
    if not counted_rows:
        return Figure(control, 0, 0)
    total = counted_rows[0].union(*counted_rows[1:], all=True).count()
    late = failed_rows[0].union(*failed_rows[1:], all=True)
    count, found = late.count(), late.order_by("requested_at")[:ROWS_MAX]
    named = (("proposal", f"{kind}/{pk}", at.isoformat()) for kind, pk, at in found)
    return Figure(control, total, count, tuple(named))


def _kinds() -> list[ApprovalKind[Any]]:
    """List the kinds whose proposals have the columns of every proposal; the others are states of something with a longer life."""
    return [
        kind
        for kind in approval_kinds()
        if not isinstance(kind, ListedApproval)
        and kind.states is ApprovalState
        and {"state", "decided_at", "requested_at", "decided_by", "requested_by"}
        <= {field.name for field in kind.model._meta.get_fields()}
        and (kind.client_path or kind.brand_path)
    ]


def _rows(found: Iterator[tuple[str, str, str]]) -> tuple[tuple[str, str, str], ...]:
    return tuple(found)[:ROWS_MAX]


CONTROLS: Final[Sequence[Callable[[Period], Figure]]] = (
    nightly_screening,
    versions_screened,
    lists_fresh,
    clients_screened,
    clients_rated,
)


def measured(period: Period) -> list[Figure]:
    """Measure all controls of a brand in a period; the number of queries doesn't depend on how much happened."""
    return [
        *(control(period) for control in CONTROLS),
        *work_in_time(period),
        four_eyes(period),
        proposals_decided(period),
    ]
