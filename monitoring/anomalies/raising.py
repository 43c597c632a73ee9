"""What is far enough from the habit becomes an anomaly with its work item; what goes on extends it; what is over is noted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clients.models import Client
from crm import work
from crm.choices import WorkPriority
from crm.db.locking import lock_all
from crm.i18n.localized_text import phrase
from crm.models import Brand, User
from crm.notices.notify import notify, people_with
from crm.queue.catch_up import Days, catch_up, marks
from ib.models import Partner
from monitoring.anomalies import people, services
from monitoring.anomalies.judging import Figures, Judged, judge
from monitoring.anomalies.queue import ANOMALY, RIGHT, anomalies_visible_to
from monitoring.anomalies.sentences import sentence, subject_of
from monitoring.anomalies.signals import SIGNALS, Form, Signal
from monitoring.brand_policies import ANOMALIES_PER_DAY, ANOMALY_PROBABILITY
from monitoring.choices import AnomalyState, MonitoringNotice, Watched
from monitoring.engine import statistics
from monitoring.models import Anomaly
from wallet.models import PaymentMethod, Psp

TASK = "monitoring.anomalies"
# Thousands of slots are judged a day: one in ten million is a false one every few weeks.
SERVICE_PROBABILITY = 1e-7
SEVERE_PROBABILITY = 1e-9
# After a decision the same isn't raised for so long.
QUIET = dt.timedelta(days=7)
QUIET_SERVICE = dt.timedelta(hours=2)
RECOVERED_PROBABILITY = 0.2
COURSE = 30
DAYS_AT_ONCE = 7


@dataclass(frozen=True)
class Finding:
    """One subject's figures that stand out, in the signal's own unit."""

    signal: Signal
    subject: int
    slots: int
    observed: float
    expected: float
    low: float
    high: float
    trials: float
    probability: float
    course: list[float | None]


def findings(signal: Signal, figures: Figures, judged: Judged, limit: float) -> list[Finding]:
    """List what stands out, the most improbable first."""
    found = []
    compared = judged.expected if signal.is_fall else judged.observed
    floor = compared * judged.unit >= signal.floor
    far = (
        judged.observed * signal.times <= judged.expected
        if signal.is_fall
        else judged.observed >= signal.times * judged.expected
    )
    chosen = np.flatnonzero((judged.probability <= limit) & floor & far)
    for n in chosen[np.argsort(judged.probability[chosen], kind="stable")]:
        unit, whole = float(judged.unit[n]), float(judged.exposure[n])
        low, above = statistics.interval(float(judged.expected[n]), float(judged.dispersion[n]))
        high = min(above, whole) if signal.form == Form.SHARE else above
        found.append(
            Finding(
                signal,
                int(figures.subjects[n]),
                int(judged.window[n]),
                float(judged.observed[n]) * unit,
                float(judged.expected[n]) * unit,
                low * unit,
                high * unit,
                whole,
                float(judged.probability[n]),
                _course(signal, figures, n),
            )
        )
    return found


def _course(signal: Signal, figures: Figures, n: int) -> list[float | None]:
    """Return the last figures as they are shown: a share or an average where there is something it is of."""
    count, exposure = figures.count[n, -COURSE:], figures.exposure[n, -COURSE:]
    if not signal.is_ratio:
        return [float(value) if known else None for value, known in zip(count, exposure, strict=True)]
    return [float(value / whole) if whole else None for value, whole in zip(count, exposure, strict=True)]


def watch_day(day: dt.date, *, at: dt.datetime | None = None) -> list[Anomaly]:
    """Judge clients and partners on a day that is over; per brand, at most its policy's number is raised. `at` is for the demo."""
    found: list[Finding] = []
    for code, figures in people.figures_of(day):
        if len(figures.subjects):
            signal = SIGNALS[code]
            found += findings(signal, figures, judge(figures, signal), 0.01)
    found.sort(key=lambda finding: finding.probability)
    brands = Brand.objects.in_bulk()
    of_client = _brand_of(Client, found, "client")
    of_partner = _brand_of(Partner, found, "partner")
    left = {brand.pk: ANOMALIES_PER_DAY.of(brand) for brand in brands.values()}
    limits = {brand.pk: float(ANOMALY_PROBABILITY.of(brand)) for brand in brands.values()}
    chosen: list[tuple[Finding, Brand]] = []
    for finding in found:
        brand_id = (of_client if finding.signal.subject == "client" else of_partner).get(finding.subject)
        if brand_id is not None and finding.probability <= limits[brand_id] and left[brand_id] > 0:
            left[brand_id] -= 1
            chosen.append((finding, brands[brand_id]))
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)
    return raise_found(chosen, seen_at=end, quiet=QUIET, at=at)


def _brand_of(model: type[Client] | type[Partner], found: Iterable[Finding], subject: str) -> dict[int, int]:
    ids = {finding.subject for finding in found if finding.signal.subject == subject}
    return dict(model._default_manager.filter(pk__in=ids).values_list("pk", "brand_id"))


def watch_days(*, now: dt.datetime | None = None) -> int:
    """Judge the days that are over and weren't judged yet, oldest first; the first run begins with yesterday."""
    last = (now or timezone.now()).date() - dt.timedelta(days=1)
    done_to = marks(TASK).get("")
    first = last if done_to is None else done_to + dt.timedelta(days=1)
    if first > last:
        return 0

    def work_day(day: dt.date) -> bool:
        watch_day(day)
        return True

    return catch_up(Days(TASK, "", first, last), done=(), work=work_day, at_most=DAYS_AT_ONCE)


def watch_services(*, now: dt.datetime | None = None) -> list[Anomaly]:
    """Write down and judge the last ten minutes of PSPs, methods, servers and queues."""
    now = now or timezone.now()
    at = services.note_slot(now)
    return judge_services(at, now=now)


def judge_services(at: dt.datetime, *, now: dt.datetime) -> list[Anomaly]:
    """Raise what stands out in a slot that was written down, and note what is back to normal."""
    found: list[Finding] = []
    for code in services.signals_of_services():
        signal, figures = SIGNALS[code], services.figures_of(code, at)
        if not len(figures.subjects):
            continue
        judged = judge(figures, signal)
        found += findings(signal, figures, judged, SERVICE_PROBABILITY)
        normal = figures.subjects[judged.newest >= RECOVERED_PROBABILITY]
        note_recovered(signal, [int(pk) for pk in normal], now)
    brands = _brands_of_services(found)
    chosen = [(finding, brands[finding.signal.code, finding.subject]) for finding in found]
    return raise_found(chosen, seen_at=now, quiet=QUIET_SERVICE)


def _brands_of_services(found: list[Finding]) -> dict[tuple[Watched, int], Brand]:
    """Find whose working hours count: a PSP's brand, and the first one for servers and queues, which serve all."""
    first = Brand.objects.order_by("pk").first()
    ids: dict[str, set[int]] = {"psp": set(), "method": set()}
    for finding in found:
        ids.setdefault(finding.signal.subject, set()).add(finding.subject)
    methods = PaymentMethod.objects.filter(pk__in=ids["method"]).select_related("psp__brand")
    by_subject: dict[str, dict[int, Brand]] = {
        "psp": {row.pk: row.brand for row in Psp.objects.filter(pk__in=ids["psp"]).select_related("brand")},
        "method": {row.pk: row.psp.brand for row in methods},
    }
    pairs = ((finding, by_subject.get(finding.signal.subject, {}).get(finding.subject, first)) for finding in found)
    return {(finding.signal.code, finding.subject): brand for finding, brand in pairs if brand is not None}


def note_recovered(signal: Signal, subjects: list[int], now: dt.datetime) -> int:
    """Note that services are back to normal; people still decide what was done about it."""
    rows = Anomaly.objects.filter(signal=signal.code, state=AnomalyState.OPEN, recovered_at__isnull=True)
    return rows.filter(**{f"{_path(signal)}__in": subjects}).update(recovered_at=now)


def _path(signal: Signal) -> str:
    return "queue" if signal.subject == "queue" else f"{signal.subject}_id"


@transaction.atomic
def raise_found(
    found: list[tuple[Finding, Brand]], *, seen_at: dt.datetime, quiet: dt.timedelta, at: dt.datetime | None = None
) -> list[Anomaly]:
    """Open a work item for each finding that is new, and extend the open ones. What was decided lately isn't raised again."""
    if not found:
        return []
    now = at or timezone.now()
    known = {(row.signal, row.subject_id): row for row in _known(found, now - quiet)}
    made = []
    for finding, brand in found:
        row = known.get((finding.signal.code, finding.subject))
        if row is None:
            made.append(_open(finding, brand, seen_at=seen_at, now=now))
        elif row.state == AnomalyState.OPEN:
            _extend(row, finding, seen_at)
    for row in made:
        _notify(row)
    return made


def _known(found: list[tuple[Finding, Brand]], since: dt.datetime) -> list[Anomaly]:
    """Lock the open anomalies of these subjects, and read those decided since."""
    about = Q()
    for signal in {finding.signal.code: finding.signal for finding, _brand in found}.values():
        ids = [finding.subject for finding, _brand in found if finding.signal.code == signal.code]
        about |= Q(**{"signal": signal.code, f"{_path(signal)}__in": ids})
    still = Anomaly.objects.filter(about)
    decided = list(still.filter(decided_at__gte=since).order_by("pk"))
    return [*decided, *lock_all(still.filter(state=AnomalyState.OPEN))]


def _figures(finding: Finding) -> dict[str, object]:
    names = ("slots", "observed", "expected", "low", "high", "trials", "probability", "course")
    return {name: getattr(finding, name) for name in names}


def _open(finding: Finding, brand: Brand, *, seen_at: dt.datetime, now: dt.datetime) -> Anomaly:
    signal = finding.signal
    is_severe = signal.is_service or finding.probability <= SEVERE_PROBABILITY
    item = work.open_item(
        ANOMALY,
        brand=brand,
        opened_at=now,
        client_id=finding.subject if signal.subject == "client" else None,
        priority=WorkPriority.HIGH if is_severe else WorkPriority.NORMAL,
    )
    return Anomaly.objects.create(
        signal=signal.code,
        brand=brand,
        work=item,
        first_at=seen_at,
        last_at=seen_at,
        raised_at=now,
        **{_path(signal): finding.subject},
        **_figures(finding),
    )


def _extend(row: Anomaly, finding: Finding, seen_at: dt.datetime) -> None:
    """Go on with an open anomaly: the newest time, and the figures where they are more improbable."""
    row.last_at, row.recovered_at = max(row.last_at, seen_at), None
    fields = ["last_at", "recovered_at"]
    if finding.probability < row.probability:
        for name, value in _figures(finding).items():
            setattr(row, name, value)
            fields.append(name)
    row.save(update_fields=fields)


def _notify(row: Anomaly) -> None:
    """Notify those of the brand who decide it and see it."""
    holders = User.objects.filter(pk__in=people_with(RIGHT, brand_id=row.brand_id))
    notify(
        [user for user in holders if anomalies_visible_to(user).filter(pk=row.pk).exists()],
        kind=MonitoringNotice.ANOMALY,
        title=phrase("Anomaly: %(subject)s") % {"subject": subject_of(row)},
        body=sentence(row),
        url=row.get_absolute_url(),
        dedupe_key=f"monitoring.anomaly:{row.pk}",
    )
