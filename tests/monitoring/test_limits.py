"""Every limit of monitoring: just below, exactly there, just above."""

import datetime as dt

import numpy as np
import pytest

from crm.models import StaffEmployment
from monitoring import alerts, baselines, reasons, rules
from monitoring.alerts import severity_of
from monitoring.choices import Feature, Rule, Severity, WatchKind
from monitoring.engine.scoring import CALIBRATE_FROM_AGENT_DAYS, LANES, LEARN_UP_TO_SD, Day, Scored, Scorer
from monitoring.engine.signals import FAMILIES, FEATURES, FLOORS
from monitoring.features import count_days
from monitoring.models import AgentDay, Alert, DayScore, Watch
from monitoring.queries import EVIDENCE_PAGE, day_bounds, evidence
from monitoring.tables import how_usual
from tests.brand_policies import set_policies
from tests.monitoring.factories import DAY, at, look

pytestmark = pytest.mark.django_db
RULE = reasons.of_rule(Rule.BULK_EXPORT, rows=300, limit=250)
HABIT = {"code": "habit"}


def day_before(days: int) -> dt.date:
    return DAY - dt.timedelta(days=days)


def exported(agent, rows: int, day: dt.date = DAY) -> None:
    AgentDay.objects.create(agent=agent, day=day, exports=1, export_rows=rows, active_hours=4)


def broken() -> dict[int, list[str]]:
    found = rules.broken_on(DAY, baselines.groups_of_agents())
    return {agent: [reason["rule"] for reason in why] for agent, why in found.items()}


@pytest.mark.parametrize(
    ("probability", "why", "severity"),
    [
        (0.9e-6, [HABIT], Severity.SEVERE),
        (1e-6, [HABIT], Severity.HIGH),
        (0.9e-4, [HABIT], Severity.HIGH),
        (1e-4, [HABIT], Severity.ELEVATED),
        (1.0, [RULE], Severity.HIGH),
        (1.0, [RULE, RULE], Severity.SEVERE),
        (1.0, [HABIT, HABIT], Severity.ELEVATED),
    ],
)
def test_severity_steps(probability, why, severity):
    assert severity_of(probability, why) == severity


@pytest.mark.parametrize(("rows", "is_bulk"), [(249, False), (250, False), (251, True)])
def test_bulk_export_starts_above_250_rows(cast, rows, is_bulk):
    exported(cast.agent, rows)
    assert broken() == ({cast.agent.pk: ["bulk_export"]} if is_bulk else {})


@pytest.mark.parametrize(("rows", "is_bulk"), [(399, False), (400, False), (401, True)])
def test_bulk_export_allows_four_times_the_own_largest(cast, rows, is_bulk):
    exported(cast.agent, 100, day_before(1))
    exported(cast.agent, 90, day_before(2))
    exported(cast.agent, rows)
    assert bool(broken()) is is_bulk


@pytest.mark.parametrize(("rows", "is_bulk"), [(599, False), (600, False), (601, True)])
def test_bulk_export_allows_three_times_the_peers_median(cast, rows, is_bulk):
    for back, amount in ((1, 100), (2, 200), (3, 900)):
        exported(cast.other_agent, amount, day_before(back))
    exported(cast.agent, rows)
    assert bool(broken()) is is_bulk


@pytest.mark.parametrize(("peers", "limit"), [(19, 300), (20, 2000), (39, 2000)])
def test_an_export_as_large_as_more_than_one_in_twenty_of_the_peers_is_ordinary(peers, limit):
    """Of leads who send lists to their heads each week, some are long: three times the median isn't rare there."""
    assert rules.export_limit([], [100] * (peers - 2) + [2000] * 2) == limit
    assert rules.export_limit([], [100] * 38 + [2000] * 2) == 300, "of forty, three are more than one in twenty"


def test_exports_of_another_role_are_no_peers_exports(cast):
    exported(cast.desk_head, 5000, day_before(1))
    exported(cast.agent, 251)
    assert broken() == {cast.agent.pk: ["bulk_export"]}


@pytest.mark.parametrize(("back", "is_bulk"), [(89, False), (90, False), (91, True)])
def test_custom_is_forgotten_after_ninety_days(cast, back, is_bulk):
    exported(cast.agent, 1000, day_before(back))
    exported(cast.agent, 300)
    assert bool(broken()) is is_bulk


def test_the_day_itself_is_not_the_own_custom(cast):
    exported(cast.agent, 1000)
    assert broken() == {cast.agent.pk: ["bulk_export"]}


@pytest.mark.parametrize(("rows", "is_broken"), [(49, False), (50, False), (51, True)])
def test_leavers_may_export_fifty_rows(cast, rows, is_broken):
    Watch.objects.create(
        agent=cast.agent, kind=WatchKind.NOTICE, from_on=DAY, to_on=DAY, reason="leaves", made_by=cast.desk_head
    )
    exported(cast.agent, rows)
    assert broken() == ({cast.agent.pk: ["leaver_takes"]} if is_broken else {})


@pytest.mark.parametrize(
    ("from_back", "to_back", "holds"), [(1, 0, True), (0, 0, True), (0, -1, True), (-1, -2, False), (2, 1, False)]
)
def test_a_watch_holds_from_its_first_to_its_last_day(cast, from_back, to_back, holds):
    Watch.objects.create(
        agent=cast.agent,
        kind=WatchKind.NOTICE,
        from_on=day_before(from_back),
        to_on=day_before(to_back),
        reason="leaves",
        made_by=cast.desk_head,
    )
    assert Watch.objects.on(DAY).exists() is holds


@pytest.mark.parametrize(("ended_back", "held"), [(1, False), (0, False), (-1, True)])
def test_an_ended_watch_held_until_the_day_before(cast, ended_back, held):
    Watch.objects.create(
        agent=cast.agent,
        kind=WatchKind.NOTICE,
        from_on=day_before(9),
        to_on=day_before(-9),
        reason="leaves",
        made_by=cast.desk_head,
        ended_at=at(12, 0, day_before(ended_back)),
    )
    assert Watch.objects.on(DAY).exists() is held


@pytest.mark.parametrize("kind", [WatchKind.ROLE_CHANGE, WatchKind.PRIVILEGED, WatchKind.NEW_JOINER])
def test_only_leavers_are_held_to_fifty_rows(cast, kind):
    Watch.objects.create(agent=cast.agent, kind=kind, from_on=DAY, to_on=DAY, reason="x", made_by=cast.desk_head)
    exported(cast.agent, 51)
    assert broken() == {}


def test_the_dates_on_the_staff_record_hold_leavers_to_fifty_rows(cast):
    """From the day of notice on, also after the last day; not before."""
    for person, notice in ((cast.agent, 0), (cast.other_agent, -1)):
        StaffEmployment.objects.create(user=person, notice_on=day_before(notice), leaves_on=day_before(notice - 30))
    StaffEmployment.objects.create(user=cast.retention, leaves_on=day_before(1))
    for person in (cast.agent, cast.other_agent, cast.retention):
        exported(person, 51)
    assert broken() == {cast.agent.pk: ["leaver_takes"], cast.retention.pk: ["leaver_takes"]}


def test_three_refused_attempts_are_an_alert(cast):
    for person, times in ((cast.agent, 3), (cast.other_agent, 2)):
        AgentDay.objects.create(agent=person, day=DAY, refusals=times)
    assert broken() == {cast.agent.pk: ["keeps_trying"]}


def test_a_leavers_bulk_export_breaks_both_rules(cast):
    Watch.objects.create(
        agent=cast.agent, kind=WatchKind.NOTICE, from_on=DAY, to_on=DAY, reason="leaves", made_by=cast.desk_head
    )
    exported(cast.agent, 251)
    exported(cast.other_agent, 60)
    assert broken() == {cast.agent.pk: ["bulk_export", "leaver_takes"]}


# ── how improbable a day must be ─────────────────────────────────────────────────────────────────────────────────────
def judged(agent, probability: float, *, day: dt.date = DAY) -> Scored:
    """A scored day with 160 clients opened, as improbable as the test says."""
    counts = {"clients": 160, "views": 160}
    AgentDay.objects.create(agent=agent, day=day, active_hours=8, **counts)
    feature_p = [1e-5 if feature == Feature.CLIENTS else 0.5 for feature in FEATURES]
    DayScore.objects.create(
        agent=agent,
        day=day,
        expected=[20.0] * len(FEATURES),
        dispersion=[0.3] * len(FEATURES),
        feature_p=feature_p,
        family_p=[1e-5, *[0.5] * (len(FAMILIES) - 1)],
        probability=probability,
        is_final=True,
        scored_at=at(23),
    )
    rows = np.zeros((1, len(FEATURES)))
    return Scored(
        day, np.array([agent.pk]), rows, rows, rows, rows, rows, np.array([probability]), omnibus=np.array([1e-9])
    )


def began(agent, days: int) -> None:
    AgentDay.objects.create(agent=agent, day=day_before(days), active_hours=1)


@pytest.mark.parametrize(("probability", "is_raised"), [(0.0099, True), (0.01, False), (0.0101, False)])
def test_a_day_below_one_in_a_hundred_raises(cast, probability, is_raised):
    began(cast.agent, 30)
    assert bool(alerts.raise_alerts([judged(cast.agent, probability)])) is is_raised


@pytest.mark.parametrize(("probability", "is_raised"), [(0.099, True), (0.1, False), (0.11, False)])
def test_of_the_watched_one_in_ten_raises(cast, probability, is_raised):
    began(cast.agent, 30)
    Watch.objects.create(
        agent=cast.agent, kind=WatchKind.PRIVILEGED, from_on=DAY, to_on=DAY, reason="x", made_by=cast.desk_head
    )
    assert bool(alerts.raise_alerts([judged(cast.agent, probability)])) is is_raised


@pytest.mark.parametrize(("probability", "is_raised"), [(0.000099, True), (0.0001, False), (0.0005, False)])
def test_a_brands_own_threshold_counts_for_its_people(cast, probability, is_raised):
    set_policies(cast.brand, alert_probability=0.0001)
    began(cast.agent, 30)
    assert bool(alerts.raise_alerts([judged(cast.agent, probability)])) is is_raised


def test_a_brand_may_set_the_threshold_to_zero(cast):
    set_policies(cast.brand, alert_probability=0)
    began(cast.agent, 30)
    assert alerts.raise_alerts([judged(cast.agent, 1e-9)]) == []


@pytest.mark.parametrize(("days", "is_raised"), [(13, False), (14, True), (15, True)])
def test_habits_count_from_two_weeks_of_history(cast, days, is_raised):
    began(cast.other_agent, days)
    assert bool(alerts.raise_alerts([judged(cast.agent, 1e-5)])) is is_raised


def test_an_agent_without_a_brand_raises_nothing(cast):
    began(cast.other_agent, 30)
    cast.agent.brand = None
    cast.agent.save()
    assert alerts.raise_alerts([judged(cast.agent, 1e-9)]) == [] and not Alert.objects.exists()


# ── which features say why ───────────────────────────────────────────────────────────────────────────────────────────
def reasons_of(counts: dict[str, int], p: dict[Feature, float], *, has_book: bool = True) -> list[reasons.Reason]:
    score = DayScore(
        expected=[5.0] * len(FEATURES),
        dispersion=[0.3] * len(FEATURES),
        feature_p=[p.get(feature, 0.5) for feature in FEATURES],
        family_p=[1e-3] * len(FAMILIES),
    )
    return reasons.of_score(
        score,
        counts={feature.value: counts.get(feature.value, 0) for feature in FEATURES},
        medians={},
        has_book=has_book,
    )


@pytest.mark.parametrize(("p", "is_reason"), [(0.0199, True), (0.02, False), (0.021, False)])
def test_a_reason_is_less_probable_than_one_in_fifty(p, is_reason):
    assert bool(reasons_of({"exports": 9}, {Feature.EXPORTS: p})) is is_reason


@pytest.mark.parametrize("feature", FEATURES)
def test_a_reason_reaches_its_features_floor(feature):
    floor = FLOORS[feature]
    below, there, above = (reasons_of({feature.value: floor + by}, {feature: 1e-5}) for by in (-1, 0, 1))
    assert below == []
    assert [row["observed"] for row in (*there, *above)] == [floor, floor + 1]


def test_at_most_four_families_are_named():
    loud = dict.fromkeys(FEATURES, 1e-05)
    found = reasons_of({feature.value: 500 for feature in FEATURES}, loud)
    assert [row["family"] for row in found] == ["volume", "reach", "dormant", "value"]


def test_of_equal_features_the_plainer_one_is_named():
    found = reasons_of({"views": 200, "clients": 200}, {Feature.VIEWS: 1e-10, Feature.CLIENTS: 1e-12})
    assert [row["feature"] for row in found] == ["views"]


def test_without_a_book_nothing_is_outside_it():
    counts, loud = {"views": 200, "outside_clients": 61}, {Feature.VIEWS: 1e-5}
    assert reasons_of(counts, loud)[0]["outside"] == 61
    assert reasons_of(counts, loud, has_book=False)[0]["outside"] == 0


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (None, ""),
        (0.051, "normal"),
        (0.05, "1 day in 20"),
        (0.001, "1 day in 1,000"),
        (0.00042, "1 day in 2,000"),
        (1e-7, "1 day in 10,000,000"),
        (1e-9, "1 day in 10,000,000"),
    ],
)
def test_how_usual_a_day_was_in_words(probability, words):
    assert how_usual(probability) == words


# ── days and pages ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("hour", "minute", "is_over"), [(11, 59, False), (12, 0, True), (12, 1, True)])
def test_a_day_is_over_at_noon_of_the_next(cast, hour, minute, is_over):
    look(cast.agent, at(10), client=cast.client.pk)
    baselines.close_days(now=at(hour, minute, DAY + dt.timedelta(days=1)))
    assert DayScore.objects.filter(day=DAY, is_final=True).exists() is is_over


@pytest.mark.parametrize(("back", "is_closed"), [(399, True), (400, True), (401, False)])
def test_a_long_gap_is_caught_up_for_400_days(cast, back, is_closed):
    look(cast.agent, at(10, 0, day_before(back)), client=cast.client.pk)
    baselines.close_days(now=at(12, 0, DAY + dt.timedelta(days=1)))
    assert AgentDay.objects.exists() is is_closed


@pytest.mark.parametrize(("rows", "has_more"), [(EVIDENCE_PAGE - 1, False), (EVIDENCE_PAGE, False), (41, True)])
def test_a_page_of_evidence_holds_forty_rows(cast, rows, has_more):
    for minute in range(rows):
        look(cast.agent, at(9, minute), client=minute)
    page = evidence(cast.agent, DAY, reader=cast.mlro)
    assert (len(page.rows), bool(page.next)) == (min(rows, 40), has_more)


def test_evidence_of_one_instant_is_neither_lost_nor_twice(cast):
    for number in range(45):
        look(cast.agent, at(9), client=number)
    first = evidence(cast.agent, DAY, reader=cast.mlro)
    second = evidence(cast.agent, DAY, reader=cast.mlro, after=first.next)
    assert sorted(row.client_id for row in (*first.rows, *second.rows)) == list(range(45))
    assert second.next == ""


@pytest.mark.parametrize(
    ("moment", "is_of_the_day"),
    [
        (dt.datetime(2026, 9, 9, 21, 59, 59, tzinfo=dt.UTC), False),
        (dt.datetime(2026, 9, 9, 22, 0, tzinfo=dt.UTC), True),
        (dt.datetime(2026, 9, 10, 21, 59, 59, tzinfo=dt.UTC), True),
        (dt.datetime(2026, 9, 10, 22, 0, tzinfo=dt.UTC), False),
    ],
)
def test_evidence_is_of_the_agents_own_day(cast, moment, is_of_the_day):
    cast.agent.time_zone = "Europe/Berlin"
    cast.agent.save()
    look(cast.agent, moment, client=cast.client.pk)
    look(cast.other_agent, at(12), client=cast.client.pk)
    assert len(evidence(cast.agent, DAY, reader=cast.mlro).rows) == is_of_the_day
    count_days(DAY, DAY)
    assert AgentDay.objects.filter(agent=cast.agent).exists() is is_of_the_day


def test_the_day_clocks_change_has_twenty_five_hours(cast):
    cast.agent.time_zone = "Europe/Berlin"
    start, end = day_bounds(cast.agent, dt.date(2026, 10, 25))
    assert end - start == dt.timedelta(hours=25)


# ── what is learned ──────────────────────────────────────────────────────────────────────────────────────────────────
def a_day(counts: float, hours: float = 8.0, number: int = 0, people: int = 3) -> Day:
    return Day(
        DAY + dt.timedelta(days=number),
        np.arange(people),
        np.zeros(people, dtype=np.int64),
        np.full((people, len(FEATURES)), counts),
        np.full(people, hours),
        np.ones(people, dtype=bool),
    )


def test_a_day_teaches_up_to_three_and_a_half_deviations():
    scorer = Scorer(np.arange(3), 1)
    day = a_day(10_000.0)
    scored = scorer.score(day)
    scorer.learn(day, scored)
    mean, dispersion = scored.expected[0, 0], scored.dispersion[0, 0]
    most = mean + LEARN_UP_TO_SD * np.sqrt(mean + dispersion * mean**2)
    assert scorer.state["slow_count"][0, 0] == pytest.approx(most)


@pytest.mark.parametrize(("hours", "counted"), [(0.0, 1.0), (1.0, 1.0), (12.0, 12.0), (13.0, 12.0), (24.0, 12.0)])
def test_a_working_day_has_one_to_twelve_hours(hours, counted):
    scorer = Scorer(np.arange(1), 1)
    assert scorer.score(a_day(1.0, hours, people=1)).exposure[0, 0] == pytest.approx(counted)


@pytest.mark.parametrize(("agent_days", "is_fitted"), [(399, False), (400, True), (401, True)])
def test_tails_are_fitted_from_400_agent_days(agent_days, is_fitted):
    assert CALIBRATE_FROM_AGENT_DAYS == 400
    scorer = Scorer(np.arange(1), 1)
    scorer.history = [np.full((agent_days, len(LANES) + 1), 0.3)]
    assert scorer.refit(DAY) is is_fitted
    assert bool(scorer.tails) is is_fitted


@pytest.mark.parametrize(("days", "is_kept"), [(179, 179), (180, 180), (181, 180)])
def test_scores_of_180_days_are_remembered(days, is_kept):
    scorer = Scorer(np.arange(1), 1)
    scorer.history = [np.full((1, len(LANES) + 1), 0.3)] * (days - 1)
    day = a_day(1.0, people=1)
    scorer.learn(day, scorer.score(day))
    assert len(scorer.history) == is_kept


@pytest.mark.parametrize(("after", "is_refitted"), [(6, False), (7, True), (8, True)])
def test_tails_are_fitted_again_after_a_week(after, is_refitted):
    scorer = Scorer(np.arange(1), 1)
    scorer.history = [np.full((400, len(LANES) + 1), 0.3)]
    scorer.refit(DAY)
    for _scored in scorer.run([a_day(1.0, number=after, people=1)]):
        pass
    newest = max(tail.fitted_on for tail in scorer.tails.values())
    assert newest == (DAY + dt.timedelta(days=after) if is_refitted else DAY)
