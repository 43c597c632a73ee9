"""How well documents are decided without a person: shares, times, and what second looks say. Over twelve weeks at most."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, FloatField, Q, QuerySet
from django.db.models.functions import Extract, TruncWeek
from django.utils import timezone

from crm.brand_policies.registry import today
from crm.i18n import formats
from crm.models import Brand
from kyc.choices import DECIDED_STATES, DocumentKind, DocumentState, Outcome, SecondLookState
from kyc.comparison import FIELD_LABELS
from kyc.models import Document, FieldCorrection, MachineDecision, SecondLook
from kyc.verdicts.reaching import reason_label

WEEKS = 12
COUNTRIES_MAX, REASONS_MAX = 12, 8
COUNTS = {outcome.value: Count("pk", filter=Q(outcome=outcome)) for outcome in Outcome}


class Percentile(Aggregate):
    """The value below which a share of the values lies."""

    function = "percentile_cont"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class Shares:
    """Documents of one group by what became of their checks."""

    label: str
    approve: int = 0
    ask: int = 0
    queue: int = 0

    @property
    def total(self) -> int:
        return self.approve + self.ask + self.queue

    @property
    def automatic_percent(self) -> int | None:
        return _percent(self.approve + self.ask, self.total)

    @property
    def approved_percent(self) -> int | None:
        return _percent(self.approve, self.total)

    @property
    def asked_percent(self) -> int | None:
        return _percent(self.ask, self.total)


@dataclass(frozen=True)
class Times:
    """How long clients waited from upload to decision."""

    count: int = 0
    median: float | None = None
    p95: float | None = None

    @property
    def median_text(self) -> str:
        return _time_text(self.median)

    @property
    def p95_text(self) -> str:
        return _time_text(self.p95)


@dataclass(frozen=True)
class Looks:
    """Second looks at approvals of the period."""

    open: int = 0
    agreed: int = 0
    disagreed: int = 0
    overturned: int = 0

    @property
    def agreement_percent(self) -> float | None:
        """Return the share of second looks that agree, with one decimal: 99.5 and 100 are not the same."""
        decided = self.agreed + self.disagreed
        return round(100 * self.agreed / decided, 1) if decided else None


def _percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None


def _time_text(seconds: float | None) -> str:
    return "–" if seconds is None else formats.duration(seconds)


def since_of(brand: Brand) -> dt.datetime:
    """Return when the first of the weeks began, on a Monday of the brand's calendar."""
    day = today(brand)
    monday = day - dt.timedelta(days=day.weekday(), weeks=WEEKS - 1)
    return dt.datetime.combine(monday, dt.time(), timezone.get_current_timezone())


def decisions_of(brand: Brand) -> QuerySet[MachineDecision]:
    """Select the verdicts of the period: a range of one index."""
    return MachineDecision.objects.filter(brand=brand, decided_at__gte=since_of(brand)).order_by()


def overall(brand: Brand) -> Shares:
    """Count all verdicts of the period."""
    return Shares("", **decisions_of(brand).aggregate(**COUNTS))


def by_week(brand: Brand) -> list[tuple[dt.date, Shares]]:
    """Count the verdicts of each week, weeks without any too."""
    counted = decisions_of(brand).annotate(week=TruncWeek("decided_at")).values_list("week").annotate(**COUNTS)
    found = {timezone.localtime(week).date(): Shares("", *counts) for week, *counts in counted}
    first = timezone.localtime(since_of(brand)).date()
    weeks = [first + dt.timedelta(weeks=number) for number in range(WEEKS)]
    return [(week, found.get(week, Shares(""))) for week in weeks]


def by_kind(brand: Brand) -> list[Shares]:
    """Count the verdicts of each type of document, the most frequent first."""
    counted = decisions_of(brand).values_list("document__kind").annotate(**COUNTS)
    found = [Shares(str(DocumentKind(kind).label), *counts) for kind, *counts in counted]
    return sorted(found, key=lambda shares: -shares.total)


def by_country(brand: Brand) -> list[Shares]:
    """Count the verdicts by the clients' country, the most frequent first."""
    counted = decisions_of(brand).values_list("document__client__country").annotate(**COUNTS, n=Count("pk"))
    shown = counted.order_by("-n", "document__client__country")[:COUNTRIES_MAX]
    return [Shares(country, approve, ask, queue) for country, approve, ask, queue, _n in shown]


def queue_reasons(brand: Brand) -> list[tuple[str, int]]:
    """Count why documents went to a person, by what was named first."""
    queued = decisions_of(brand).filter(outcome=Outcome.QUEUE, reasons__len__gt=0)
    rows = queued.values_list("reasons__0").annotate(n=Count("pk")).order_by("-n", "reasons__0")
    return [(reason_label(code), count) for code, count in rows[:REASONS_MAX]]


@dataclass(frozen=True)
class Corrected:
    """How many of the documents that officers decided had something corrected, of one group; None for a field: of all."""

    label: str
    corrected: int
    decided: int | None = None

    @property
    def percent(self) -> int | None:
        return _percent(self.corrected, self.decided) if self.decided else None


def corrections(brand: Brand) -> dict[str, list[Corrected]]:
    """Count corrected documents of the period by field, type and country: how often the reader is wrong. Six queries at most."""
    since = since_of(brand)
    rows = FieldCorrection.objects.filter(brand=brand, corrected_at__gte=since).order_by()
    decided = Document.objects.filter(
        client__brand=brand, reviewed_at__gte=since, reviewed_by__isnull=False, checked_at__isnull=False
    ).order_by()
    documents = Count("document", distinct=True)
    total = decided.count()
    by_field = [
        Corrected(str(FIELD_LABELS.get(field, field)), count, total)
        for field, count in rows.values_list("field").annotate(n=documents).order_by("-n", "field")
    ]
    if not by_field:
        return {}
    return {
        "fields": by_field,
        "kinds": [
            Corrected(str(DocumentKind(kind).label), count, whole)
            for kind, count, whole in _beside(rows, decided, "document__kind", "kind")
        ],
        "countries": _beside_countries(rows, decided),
    }


def _beside(
    rows: QuerySet[FieldCorrection], decided: QuerySet[Document], path: str, own: str
) -> list[tuple[str, int, int]]:
    counted = rows.values_list(path).annotate(n=Count("document", distinct=True)).order_by("-n", path)[:COUNTRIES_MAX]
    found = dict(counted)
    whole = dict(decided.filter(**{f"{own}__in": list(found)}).values_list(own).annotate(n=Count("pk")))
    return [(value, count, whole.get(value, 0)) for value, count in found.items()]


def _beside_countries(rows: QuerySet[FieldCorrection], decided: QuerySet[Document]) -> list[Corrected]:
    """Count by the country that issued the document, as its zone writes it; "–" for those that name none."""
    return [
        Corrected(country or "–", count, whole)
        for country, count, whole in _beside(rows, decided, "document__issuing_country", "issuing_country")
    ]


def times(brand: Brand) -> dict[str, Times]:
    """Measure how long clients waited: for the machine and for an officer. Keys: machine, officer."""
    decided = Document.objects.filter(
        client__brand=brand,
        reviewed_at__gte=since_of(brand),
        state__in=[*DECIDED_STATES, DocumentState.EXPIRED, DocumentState.REPLACED],
    ).order_by()
    waited = Extract(ExpressionWrapper(F("reviewed_at") - F("uploaded_at"), output_field=DurationField()), "epoch")
    found: dict[str, Times] = {}
    for name, decider in (("machine", Q(decided_by_policy__isnull=False)), ("officer", Q(reviewed_by__isnull=False))):
        row: dict[str, Any] = (
            decided.filter(decider)
            .annotate(waited=waited)
            .aggregate(count=Count("pk"), median=Percentile("waited", share=0.5), p95=Percentile("waited", share=0.95))
        )
        found[name] = Times(**row)
    return found


def looks(brand: Brand) -> Looks:
    """Count the second looks at approvals of the period, and what was overturned, with or without one."""
    rows = SecondLook.objects.filter(asked_by=None, document__machine_decision__in=decisions_of(brand).values("pk"))
    counts = rows.aggregate(**{state.value: Count("pk", filter=Q(state=state)) for state in SecondLookState})
    return Looks(**counts, overturned=decisions_of(brand).filter(overturned_at__isnull=False).count())
