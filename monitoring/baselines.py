"""The scorer's memory in the database: loading days and baselines, closing days, scoring the day that is still open."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from crm.choices import Role
from crm.db.locking import lock_all
from crm.models import User
from monitoring.engine.scoring import (
    FAST_DECAY,
    HISTORY_DAYS,
    KNOWN_AFTER_DAYS,
    REFIT_EVERY_DAYS,
    SLOW_DECAY,
    STATE,
    WINDOWS,
    Day,
    Past,
    Scored,
    Scorer,
    Tail,
    excess_of,
    own_counts,
)
from monitoring.engine.signals import FEATURES, MEASURES, counts_and_trials
from monitoring.features import count_days
from monitoring.leaving.phases import changed_role_between
from monitoring.models import AgentDay, Baseline, Calibration, DayScore

# A day is over for everybody once it is noon of the next one in UTC.
CLOSES_AFTER = dt.timedelta(hours=12)
# A gap longer than this (the service was off) is closed in one go, but scores nothing before it.
CATCH_UP_DAYS = 400
# A desk with fewer people of a role has its peers at the whole brand.
PEERS_MIN = 5
# One bit an hour: from 20 to 6 o'clock.
NIGHT_HOURS = sum(1 << hour for hour in (20, 21, 22, 23, 0, 1, 2, 3, 4, 5))
NIGHT_WORKERS = """
SELECT agent_id FROM monitoring_agentday WHERE day > (SELECT max(day) FROM monitoring_agentday) - 31 GROUP BY agent_id
HAVING sum(bit_count((hours & %s)::bit(24))) > sum(bit_count((hours & %s)::bit(24)))
"""
COUNTS = [feature.value for feature in FEATURES]

UPSERT_SCORES = """
INSERT INTO monitoring_dayscore AS kept (agent_id, day, expected, dispersion, feature_p, family_p,
  slow_mean, lane_p, omnibus, probability, is_final, scored_at)
SELECT agent_id, day, expected, dispersion, feature_p, family_p, slow_mean, lane_p, omnibus, probability,
  %s, %s FROM monitoring_scores_in
ON CONFLICT ON CONSTRAINT one_score_per_agent_and_day DO UPDATE SET expected = EXCLUDED.expected,
  dispersion = EXCLUDED.dispersion, feature_p = EXCLUDED.feature_p, family_p = EXCLUDED.family_p,
  slow_mean = EXCLUDED.slow_mean, lane_p = EXCLUDED.lane_p, omnibus = EXCLUDED.omnibus,
  probability = EXCLUDED.probability, is_final = EXCLUDED.is_final, scored_at = EXCLUDED.scored_at
WHERE NOT kept.is_final
"""
UPSERT_BASELINES = """
INSERT INTO monitoring_baseline AS kept (agent_id, feature, slow_count, slow_hours, fast_count, fast_hours, spread,
  spread_weight, days, drift, through)
SELECT agent_id, feature, slow_count, slow_hours, fast_count, fast_hours, spread, spread_weight, days, drift, %s
FROM monitoring_baselines_in
ON CONFLICT ON CONSTRAINT one_baseline_per_agent_and_feature DO UPDATE SET slow_count = EXCLUDED.slow_count,
  slow_hours = EXCLUDED.slow_hours, fast_count = EXCLUDED.fast_count, fast_hours = EXCLUDED.fast_hours,
  spread = EXCLUDED.spread, spread_weight = EXCLUDED.spread_weight, days = EXCLUDED.days, drift = EXCLUDED.drift,
  through = EXCLUDED.through
"""


def lock_monitoring() -> None:
    """Take the lock that lets only one closing or rebuilding run at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('monitoring.baselines'))")


def groups_of_agents() -> dict[int, int]:
    """Map agents to the index of whose peers they are.

    Those of the same first role and shift on their desk; where there are too few, of the role on the desk, then at the brand.
    """
    order = {role.value: n for n, role in enumerate(Role)}
    nights = night_workers()
    best: dict[int, tuple[int, tuple[str, ...]]] = {}
    staff = User.objects.filter(kind="staff").values_list("pk", "brand_id", "desk_id", "is_active", "groups__name")
    for pk, brand_id, desk_id, is_active, name in staff:
        keys = [f"{brand_id}/{name}"]
        if is_active:
            keys = [f"{keys[0]}/{desk_id}/{'night' if pk in nights else 'day'}", f"{keys[0]}/{desk_id}", *keys]
        found = (order.get(name, len(order)), tuple(keys))
        best[pk] = min(best.get(pk, found), found)
    sizes = Counter(key for _order, keys in best.values() for key in keys)
    index: dict[str, int] = {}
    groups = {}
    for pk, (_order, near) in sorted(best.items()):
        key = next((key for key in near[:-1] if sizes[key] >= PEERS_MIN), near[-1])
        groups[pk] = index.setdefault(key, len(index))
    return groups


def night_workers() -> set[int]:
    """Find who was active more at night (20 to 6 o'clock) than by day over the last month of counted days."""
    with connection.cursor() as cursor:
        cursor.execute(NIGHT_WORKERS, [NIGHT_HOURS, ~NIGHT_HOURS & (1 << 24) - 1])
        return {agent_id for (agent_id,) in cursor.fetchall()}


def load_days(first: dt.date, last: dt.date, groups: dict[int, int]) -> Iterator[Day]:
    """Load the counted days from `first` to `last`, one at a time, as arrays over that day's agents."""
    rows = AgentDay.objects.filter(day__gte=first, day__lte=last).order_by("day", "agent_id")
    counted = rows.values_list("day", "agent_id", "active_hours", "is_excluded", *MEASURES)
    current: list[tuple[Any, ...]] = []
    for row in counted.iterator(chunk_size=20_000):
        if current and row[0] != current[0][0]:
            yield _as_day(current, groups)
            current = []
        current.append(row)
    if current:
        yield _as_day(current, groups)


def _as_day(rows: list[tuple[Any, ...]], groups: dict[int, int]) -> Day:
    table = np.array([row[1:] for row in rows], dtype=np.float64)
    agents = table[:, 0].astype(np.int64)
    counts, trials = counts_and_trials(table[:, 3:])
    return Day(
        day=rows[0][0],
        agents=agents,
        group=np.array([groups[int(pk)] for pk in agents], dtype=np.int64),
        counts=counts,
        hours=table[:, 1],
        learn=table[:, 2] == 0,
        trials=trials,
    )


def load_scorer(groups: dict[int, int], *, before: dt.date, with_history: bool = False) -> Scorer:
    """Load all agents' baselines, with the tails in force when the day `before` begins, whenever it is scored.

    `with_history`: the scores of the HISTORY_DAYS before it too, for fitting the tails again.
    """
    agents = np.array(sorted(groups), dtype=np.int64)
    scorer = Scorer(agents, max(groups.values(), default=0) + 1)
    column = {name: n for n, name in enumerate(COUNTS)}
    for agent_id, feature, *values in Baseline.objects.values_list("agent_id", "feature", *STATE).iterator(20_000):
        if feature in column and agent_id in scorer.place:
            for name, value in zip(STATE, values, strict=True):
                scorer.state[name][scorer.place[agent_id], column[feature]] = value
    for row in Calibration.objects.filter(fitted_on__lt=before).order_by("family", "-fitted_on").distinct("family"):
        scorer.tails[row.family] = Tail(row.threshold, row.scale, row.fitted_on, row.agent_days)
    if with_history:
        scorer.history = _past_scores(before)
    _remember_recent(scorer, groups, before)
    return scorer


def _remember_recent(scorer: Scorer, groups: dict[int, int], before: dt.date) -> None:
    """Load the days that windows reach back to, as they were expected when they were scored."""
    first = before - dt.timedelta(days=max(WINDOWS) - 1)
    final = DayScore.objects.filter(is_final=True, day__gte=first, day__lt=before)
    expected = {
        (agent, day): (means, dispersion)
        for agent, day, means, dispersion in final.values_list("agent_id", "day", "slow_mean", "dispersion").iterator(
            20_000
        )
        if len(means) == len(FEATURES)
    }
    for day in load_days(first, before - dt.timedelta(days=1), groups):
        past = Past(day.day, *(np.zeros((len(scorer.place), len(FEATURES))) for _n in range(4)))
        nothing = ([0.0] * len(FEATURES), [0.0] * len(FEATURES))
        found = [expected.get((int(agent), day.day)) for agent in day.agents]
        means, dispersion = (np.array([(pair or nothing)[n] for pair in found]) for n in range(2))
        counts = own_counts(day, means)
        for n, agent in enumerate(day.agents):
            if found[n] is None:
                continue
            at = scorer.place[int(agent)]
            past.counts[at], past.means[at] = counts[n], means[n]
            past.spread[at] = dispersion[n] * means[n] ** 2
            if day.trials is not None:
                past.trials[at] = day.trials[n]
        scorer.recent.append(past)


def _past_scores(before: dt.date) -> list[np.ndarray]:
    """Load the final scores of the HISTORY_DAYS before a day, one array a day."""
    since = before - dt.timedelta(days=HISTORY_DAYS)
    began = DayScore.objects.aggregate(first=Min("day"))["first"] or since
    known_from = max(since, began + dt.timedelta(days=2 * KNOWN_AFTER_DAYS))
    past = DayScore.objects.filter(is_final=True, day__gte=known_from, day__lt=before).order_by("day")
    rows = past.values_list("day", "lane_p", "omnibus").iterator(chunk_size=20_000)
    return [
        np.array([[*p, omnibus] for _day, p, omnibus in of_day], dtype=np.float64)
        for _day, of_day in groupby(rows, itemgetter(0))
    ]


@transaction.atomic
def save_scores(scored_days: Iterable[Scored], *, is_final: bool) -> int:
    """Write scores with COPY; a final score is never written over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE monitoring_scores_in (agent_id bigint, day date, expected float8[], dispersion float8[], "
            "feature_p float8[], family_p float8[], slow_mean float8[], lane_p float8[], omnibus float8, "
            "probability float8) ON COMMIT DROP"
        )
        rows = 0
        with cursor.copy("COPY monitoring_scores_in FROM STDIN") as copy:
            for scored in scored_days:
                for n, agent in enumerate(scored.agents):
                    copy.write_row(
                        (
                            int(agent),
                            scored.day,
                            scored.expected[n].round(4).tolist(),
                            scored.dispersion[n].round(5).tolist(),
                            scored.feature_p[n].tolist(),
                            scored.family_p[n].tolist(),
                            scored.slow_mean[n].round(4).tolist(),
                            scored.lane_p[n].tolist(),
                            float(scored.omnibus[n]),
                            float(scored.probability[n]),
                        )
                    )
                    rows += 1
        cursor.execute(UPSERT_SCORES, [is_final, timezone.now()])
        cursor.execute("DROP TABLE monitoring_scores_in")
    return rows


@transaction.atomic
def save_baselines(scorer: Scorer, through: dt.date) -> None:
    """Write all baselines with COPY, learned through a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE monitoring_baselines_in (agent_id bigint, feature text, slow_count float8, slow_hours float8, "
            "fast_count float8, fast_hours float8, spread float8, spread_weight float8, days float8, "
            "drift float8) ON COMMIT DROP"
        )
        with cursor.copy("COPY monitoring_baselines_in FROM STDIN") as copy:
            for n, agent in enumerate(scorer.agents):
                if not scorer.state["days"][n].any():
                    continue
                for column, feature in enumerate(COUNTS):
                    copy.write_row((int(agent), feature, *(float(scorer.state[name][n, column]) for name in STATE)))
        cursor.execute(UPSERT_BASELINES, [through])
        cursor.execute("DROP TABLE monitoring_baselines_in")


def save_tails(scorer: Scorer) -> None:
    """Store the fitted tails; a family's fit of that day that is stored already stays."""
    Calibration.objects.bulk_create(
        [
            Calibration(
                family=family,
                fitted_on=tail.fitted_on,
                threshold=tail.threshold,
                scale=tail.scale,
                agent_days=tail.agent_days,
            )
            for family, tail in scorer.tails.items()
        ],
        ignore_conflicts=True,
    )


def last_learned() -> dt.date | None:
    """Find the last day that the baselines have learned from; None before the first."""
    last: dt.date | None = Baseline.objects.aggregate(last=Max("through"))["last"]
    return last


@transaction.atomic
def close_days(*, now: dt.datetime | None = None) -> list[Scored]:
    """Count, score and learn every day that is over and was not learned yet, in order; returns their scores.

    Running it again finds nothing to do. `now` is for tests and demos.
    """
    lock_monitoring()
    now = now or timezone.now()
    last = (now - CLOSES_AFTER).date() - dt.timedelta(days=1)
    learned = last_learned()
    first = learned + dt.timedelta(days=1) if learned else (first_day_with_access() or last)
    first = max(first, last - dt.timedelta(days=CATCH_UP_DAYS))
    if first > last:
        return []
    count_days(first, last)
    for agent_id in changed_role_between(first, last):
        forget(agent_id=agent_id)
    return learn_days(first, last)


def first_day_with_access() -> dt.date | None:
    """Find the day (UTC) of the oldest row in the access log, from which counting can start; None while empty."""
    from crm.models import AccessEvent

    first = AccessEvent.objects.aggregate(first=Min("at"))["first"]
    return first.date() if first else None


@transaction.atomic
def learn_days(first: dt.date, last: dt.date) -> list[Scored]:
    """Score and learn counted days; the caller holds the lock and has counted them."""
    groups = groups_of_agents()
    newest = Calibration.objects.filter(fitted_on__lt=first).aggregate(newest=Max("fitted_on"))["newest"]
    due = newest is None or (last - newest).days >= REFIT_EVERY_DAYS
    scorer = load_scorer(groups, before=first, with_history=due)
    scored = list(scorer.run(load_days(first, last, groups)))
    save_scores(scored, is_final=True)
    save_baselines(scorer, last)
    save_tails(scorer)
    return scored


@transaction.atomic
def score_open_days(*, now: dt.datetime | None = None, agent_ids: list[int] | None = None) -> list[Scored]:
    """Count and score the days that are not over yet, from the baselines as they are; nothing is learned.

    `agent_ids`: count only these people's days again; their peers' are those of the last full count.
    """
    now = now or timezone.now()
    first = (now - CLOSES_AFTER).date()
    last = (now + dt.timedelta(hours=14)).date()
    count_days(first, last, agent_ids=agent_ids)
    groups = groups_of_agents()
    scorer = load_scorer(groups, before=first)
    learned = last_learned() or dt.date.min
    scored = [scorer.score(day) for day in load_days(first, last, groups) if day.day > learned]
    save_scores(scored, is_final=False)
    return scored


@transaction.atomic
def forget(*, agent_id: int, keep: float = 0.1) -> None:
    """Discount an agent's habit after a change of role, desk or shift: the new one is learned from the role's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE monitoring_baseline SET slow_count = slow_count * %(keep)s, slow_hours = slow_hours * %(keep)s, "
            "fast_count = 0, fast_hours = 0, spread = spread * %(keep)s, spread_weight = spread_weight * %(keep)s, "
            "days = days * %(keep)s, drift = 0 WHERE agent_id = %(agent)s",
            {"keep": keep, "agent": agent_id},
        )


@transaction.atomic
def exclude(*, agent_id: int, first: dt.date, last: dt.date) -> None:
    """Keep days of confirmed misuse out of the baseline, also where they were learned before the finding.

    A learned day is replaced by what was expected of it: its excess, faded as the baseline has faded since, is taken out.
    """
    lock_monitoring()
    days = AgentDay.objects.filter(agent_id=agent_id, day__gte=first, day__lte=last, is_excluded=False)
    learned = DayScore.objects.filter(agent_id=agent_id, is_final=True, day__in=days.values("day"))
    expected = {row.day: row for row in learned if len(row.expected) == len(FEATURES)}
    counted = {day: row for day, *row in days.filter(day__in=expected).values_list("day", *MEASURES)}
    later = AgentDay.objects.filter(agent_id=agent_id, day__gt=first, is_excluded=False).values_list("day", flat=True)
    worked = sorted(later)
    rows = {row.feature: row for row in lock_all(Baseline.objects.filter(agent_id=agent_id))}
    for day, measures in counted.items():
        counts, _trials = counts_and_trials(np.array([measures], dtype=np.float64))
        mean, dispersion = np.array(expected[day].expected), np.array(expected[day].dispersion)
        taken, spread = excess_of(counts[0], mean, dispersion)
        for column, feature in enumerate(COUNTS):
            row = rows.get(feature)
            if row is None or row.through < day:
                continue
            since = sum(day < other <= row.through for other in worked)
            row.slow_count = max(row.slow_count - float(taken[column]) * SLOW_DECAY**since, 0.0)
            row.fast_count = max(row.fast_count - float(taken[column]) * FAST_DECAY**since, 0.0)
            row.spread -= float(spread[column]) * SLOW_DECAY**since
    Baseline.objects.bulk_update(rows.values(), ["slow_count", "fast_count", "spread"])
    days.update(is_excluded=True)
