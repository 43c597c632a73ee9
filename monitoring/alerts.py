"""Raising, reviewing and deciding alerts."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import approvals
from crm.db.locking import lock, lock_all
from crm.due import cancel
from crm.errors import DomainError
from crm.events import AlertDecided, AlertRaised, publish
from crm.models import Brand, User
from crm.security import audit, policies
from monitoring import baselines, reasons, rules
from monitoring.audit_codes import MonitoringAction
from monitoring.brand_policies import ALERT_BUDGET, ALERT_PROBABILITY, NOTICE_ALERT_TIMES
from monitoring.choices import AlertState, Severity, Verdict
from monitoring.engine import budget
from monitoring.engine.scoring import Scored
from monitoring.engine.signals import FEATURES, REGISTRY
from monitoring.leaving.phases import leaving_on
from monitoring.models import AgentDay, Alert, ConfirmationProposal, DayScore, Decision, Watch
from monitoring.policies import can_decide, can_review, reaches
from monitoring.queries import busy_window
from monitoring.reviewing.escalating import escalate
from monitoring.reviewing.overdue import REVIEW, review_due, set_clock

# A day less probable than this raises an alert; a brand may set its own as policy `alert_probability`.
DEFAULT_PROBABILITY = float(ALERT_PROBABILITY.default)
# Of people on the watchlist, less is needed.
WATCHED_TIMES = 10
SEVERE, HIGH, SURELY = 1e-6, 1e-4, 1e-3
# Before two weeks of any history, habits are guesses: only rules raise alerts then.
WARM_UP_DAYS = 14


@dataclass
class Candidate:
    """One agent-day that may become an alert."""

    agent: User
    row: AgentDay
    score: DayScore | None
    probability: float
    broken: list[reasons.Reason]
    points: float
    is_watched: bool
    times: int = 1
    windows: reasons.Windows | None = None


@transaction.atomic
def raise_alerts(scored_days: list[Scored], *, at: dt.datetime | None = None) -> list[Alert]:
    """Raise alerts for the scored days that break a rule, and within the budget for those that stand out most.

    One that is open gets today's figures; a further day of an open case that isn't worse extends it. Returns the new ones.
    A decided alert stays as it was decided on. `at` (demos, imports) is the instant of raising.
    """
    raised: list[Alert] = []
    groups = baselines.groups_of_agents()
    began = AgentDay.objects.aggregate(first=Min("day"))["first"]
    for scored in scored_days:
        is_warm = (scored.day - began).days >= WARM_UP_DAYS
        broken = rules.broken_on(scored.day, groups)
        p = {int(agent): float(value) for agent, value in zip(scored.agents, scored.probability, strict=True)}
        p = p if is_warm else {}
        candidates = {agent for agent, value in p.items() if value < DEFAULT_PROBABILITY * WATCHED_TIMES} | set(broken)
        if candidates:
            raised += _raise_on(scored, sorted(candidates), p, broken, groups, at or timezone.now())
    return raised


def _raise_on(
    scored: Scored,
    agent_ids: list[int],
    p: dict[int, float],
    broken: dict[int, list[reasons.Reason]],
    groups: dict[int, int],
    now: dt.datetime,
) -> list[Alert]:
    day = scored.day
    points = {
        int(agent): -math.log10(max(value, 1e-300)) for agent, value in zip(scored.agents, scored.strength, strict=True)
    }
    place = {int(agent): n for n, agent in enumerate(scored.agents)}
    windows = {pk: reasons.windows_of(scored, place[pk]) for pk in agent_ids if pk in place and scored.window_p.size}
    agents = User.objects.select_related("brand", "desk").in_bulk(agent_ids)
    watched = set(Watch.objects.on(day).filter(agent_id__in=agent_ids).values_list("agent_id", flat=True))
    leaving = leaving_on(day, agent_ids)
    since = day - dt.timedelta(days=budget.EPISODE_DAYS)
    held = lock_all(Alert.objects.filter(agent_id__in=agent_ids, day__lte=day, day__gte=since))
    known = {alert.agent_id: alert for alert in held if alert.day == day}
    earlier: dict[int, Alert] = {}
    for alert in sorted(held, key=lambda alert: alert.score):
        if alert.day < day and alert.state != AlertState.DECIDED:
            earlier[alert.agent_id] = alert
    scores = {score.agent_id: score for score in DayScore.objects.filter(agent_id__in=agent_ids, day=day)}
    counted = {row.agent_id: row for row in AgentDay.objects.filter(agent_id__in=agent_ids, day=day)}
    candidates = []
    for pk in agent_ids:
        agent, row = agents[pk], counted.get(pk)
        if agent.brand is None or row is None or (pk in known and known[pk].state == AlertState.DECIDED):
            continue
        times = WATCHED_TIMES if pk in watched else NOTICE_ALERT_TIMES.of(agent.brand) if pk in leaving else 1
        strength = points.get(pk, 0.0) + math.log10(times)
        for rule in broken.get(pk, []):
            strength = max(strength, budget.rule_score(rule["rows"], rule["limit"]))
        candidates.append(
            Candidate(
                agent,
                row,
                scores.get(pk),
                p.get(pk, 1.0),
                broken.get(pk, []),
                strength,
                is_watched=pk in watched or pk in leaving,
                times=times,
                windows=windows.get(pk),
            )
        )
    medians = peer_medians(day, groups)
    raised = []
    for candidate in _within_budget(day, candidates, known, earlier):
        pk = candidate.agent.pk
        why = list(candidate.broken) + _habits(candidate, medians[groups[pk]], day)
        if not why:
            continue
        if pk in earlier and pk not in known and candidate.points <= earlier[pk].score:
            earlier[pk].last_day, earlier[pk].updated_at = day, now
            earlier[pk].save(update_fields=["last_day", "updated_at"])
            continue
        alert = _write(candidate, day, why, known.get(pk), now)
        if pk not in known:
            raised.append(alert)
    return raised


def _habits(candidate: Candidate, medians: dict[str, float], day: dt.date) -> list[reasons.Reason]:
    if candidate.score is None or candidate.probability >= threshold_of(candidate.agent) * candidate.times:
        return []
    return reasons.of_score(
        candidate.score,
        counts=counts_of(candidate.row),
        medians=medians,
        window=busy_window(candidate.agent, day),
        has_book=candidate.agent.books.exists(),
        windows=candidate.windows,
    )


def _stands_out(candidate: Candidate) -> bool:
    """Check whether a day is improbable enough and a signal says why: only such days use up room."""
    if candidate.score is None or candidate.probability >= threshold_of(candidate.agent) * candidate.times:
        return False
    return reasons.is_explained(candidate.score, counts_of(candidate.row), candidate.windows)


def _within_budget(
    day: dt.date, candidates: list[Candidate], known: dict[int, Alert], earlier: dict[int, Alert]
) -> Iterator[Candidate]:
    """Choose whose day becomes a case: all that break a rule or have an alert, then the most unusual a brand has room for."""
    by_brand: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.broken or candidate.agent.pk in known or candidate.agent.pk in earlier:
            yield candidate
        elif candidate.agent.brand_id is not None and _stands_out(candidate):
            by_brand[candidate.agent.brand_id].append(candidate)
    for brand_id, waiting in by_brand.items():
        purse = _purse(waiting[0].agent.brand, brand_id, day)
        for candidate in sorted(waiting, key=lambda candidate: -candidate.points):
            # What is this improbable is raised while something is left, however much would be needed.
            surely = purse.left >= 1 and candidate.probability < SURELY * candidate.times
            if surely or candidate.points >= purse.needed():
                purse.spend()
                yield candidate


def _purse(brand: Brand | None, brand_id: int, day: dt.date) -> budget.Purse:
    """Reckon what is left of a brand's budget on a day, from the days before it and what it has raised itself."""
    since = day - dt.timedelta(days=budget.LOOK_BACK_DAYS)
    span = {"day__gte": since, "day__lte": day}
    scored = _per_day(DayScore.objects.filter(agent__brand_id=brand_id, **span))
    opened = _per_day(Alert.objects.filter(brand_id=brand_id, **span))
    per_100 = float(ALERT_BUDGET.of(brand)) if brand else budget.DEFAULT_PER_100
    days = sorted({*scored, *opened})
    return budget.purse_of(((scored.get(on, 0), opened.get(on, 0)) for on in days), per_100)


def _per_day(rows: QuerySet[Any]) -> dict[dt.date, int]:
    return dict(rows.order_by().values_list("day").annotate(n=Count("pk")))


def threshold_of(agent: User) -> float:
    """Return the probability below which a day raises an alert: the brand's policy, else the default."""
    return float(ALERT_PROBABILITY.of(agent.brand)) if agent.brand else DEFAULT_PROBABILITY


def counts_of(row: AgentDay) -> dict[str, int]:
    """Return a counted day by signal."""
    return {feature.value: getattr(row, signal.measure) for feature, signal in REGISTRY.items()}


def peer_medians(day: dt.date, groups: dict[int, int]) -> dict[int, dict[str, float]]:
    """Compute {group: {feature: median of the day}}: what the others did."""
    columns = [REGISTRY[feature].measure for feature in FEATURES]
    rows: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for pk, *counts in AgentDay.objects.filter(day=day).values_list("agent_id", *columns):
        rows[groups[pk]].append(tuple(counts))
    return {
        group: {feature.value: float(median(row[n] for row in members)) for n, feature in enumerate(FEATURES)}
        for group, members in rows.items()
    }


def _write(
    candidate: Candidate, day: dt.date, why: list[reasons.Reason], known: Alert | None, now: dt.datetime
) -> Alert:
    agent, probability = candidate.agent, candidate.probability
    assert agent.brand_id is not None
    fields = {
        "severity": severity_of(probability, why),
        "probability": probability,
        "score": candidate.points,
        "reasons": why,
        "updated_at": now,
        "rules": [reason["rule"] for reason in why if reason["code"] == "rule"],
        "was_watched": candidate.is_watched,
    }
    if known is not None:
        for name, value in fields.items():
            setattr(known, name, value)
        known.save(update_fields=list(fields))
        return known
    assert agent.brand is not None
    alert = Alert.objects.create(
        agent=agent,
        brand_id=agent.brand_id,
        desk_id=agent.desk_id,
        day=day,
        raised_at=now,
        due_at=review_due(agent.brand, now),
        **fields,
    )
    set_clock(alert)
    audit.record(
        actor=None,
        action=MonitoringAction.ALERT_RAISED,
        target=alert,
        brand_id=alert.brand_id,
        after={"day": day.isoformat(), "probability": probability, "reasons": why},
    )
    publish(AlertRaised(alert_id=alert.pk, agent_id=agent.pk, brand_id=alert.brand_id))
    return alert


def severity_of(probability: float, why: list[reasons.Reason]) -> Severity:
    """Rate an alert: severe below one in a million or for two broken rules, high below one in 10,000 or for one."""
    if probability < SEVERE or sum(reason["code"] == "rule" for reason in why) > 1:
        return Severity.SEVERE
    if probability < HIGH or any(reason["code"] == "rule" for reason in why):
        return Severity.HIGH
    return Severity.ELEVATED


@transaction.atomic
def take(*, alert_id: int, actor: User) -> Alert:
    """Claim an alert for review.

    Who: `monitoring.decide_alert` in reach; nobody reviews themselves or the head of their own desk.
    Raises: NotAllowed, WrongState.
    """
    alert = lock(Alert, alert_id, "agent", "reviewer")
    policies.require(can_review(actor, alert))
    policies.require(reaches(actor, alert.agent))
    alert.move_to(AlertState.IN_REVIEW)
    alert.reviewer = actor
    alert.save(update_fields=["state", "reviewer"])
    audit.record(actor=actor, action=MonitoringAction.ALERT_TAKEN, target=alert, brand_id=alert.brand_id)
    return alert


@transaction.atomic
def give_back(*, alert_id: int, actor: User) -> Alert:
    """Release a claimed alert for another reviewer. Who: its reviewer. Raises: NotAllowed, WrongState."""
    alert = lock(Alert, alert_id, "agent", "reviewer")
    policies.require(can_decide(actor, alert))
    policies.require(reaches(actor, alert.agent))
    alert.move_to(AlertState.OPEN)
    alert.reviewer = None
    alert.save(update_fields=["state", "reviewer"])
    audit.record(actor=actor, action=MonitoringAction.ALERT_GIVEN_BACK, target=alert, brand_id=alert.brand_id)
    return alert


@transaction.atomic
def decide(
    *, alert_id: int, actor: User, verdict: Verdict, text: str, at: dt.datetime | None = None
) -> Decision | None:
    """Close an alert with a verdict and its reason. Nothing happens to the agent automatically: people act on it.

    Confirmed misuse needs a second person: it is proposed (None), and the alert stays with its reviewer until they decide.
    Who: as for taking; where somebody took it, only they. `at` (demos, imports) is the instant of the decision.
    Raises: NotAllowed, WrongState, DomainError (no reason).
    """
    alert = lock(Alert, alert_id, "agent", "reviewer")
    policies.require(can_decide(actor, alert))
    policies.require(reaches(actor, alert.agent))
    if not text.strip():
        raise DomainError(_("Enter a reason: the next reviewer, and perhaps the agent, will read it."))
    if verdict != Verdict.CONFIRMED:
        return close_alert(alert, verdict, text, reviewer=actor, at=at)
    if alert.state != AlertState.IN_REVIEW:
        alert.move_to(AlertState.IN_REVIEW)
        alert.reviewer = actor
        alert.save(update_fields=["state", "reviewer"])
    approvals.propose(ConfirmationProposal(alert=alert, text=text.strip(), reason=text.strip()), actor=actor)
    return None


def close_alert(
    alert: Alert,
    verdict: Verdict,
    text: str,
    *,
    reviewer: User,
    second: User | None = None,
    at: dt.datetime | None = None,
) -> Decision:
    """Write the verdict on an alert that the caller has locked and may decide, in the caller's transaction.

    Escalated, it is a work item of the reporting officer. What it teaches: a changed role starts a new habit; days of
    confirmed misuse are not learned from, and what was learned from them is taken out. second: who confirmed the misuse.
    """
    alert.move_to(AlertState.DECIDED)
    now = at or timezone.now()
    alert.reviewer, alert.decided_at = reviewer, now
    alert.save(update_fields=["state", "reviewer", "decided_at"])
    decision = Decision.objects.create(
        alert=alert,
        agent_id=alert.agent_id,
        reviewer=reviewer,
        second=second,
        verdict=verdict,
        text=text.strip(),
        decided_at=now,
    )
    cancel(REVIEW, alert.pk)
    if verdict == Verdict.ESCALATED:
        escalate(alert, raised_by=reviewer)
    if verdict == Verdict.CHANGE:
        baselines.forget(agent_id=alert.agent_id)
    if verdict == Verdict.CONFIRMED:
        baselines.exclude(agent_id=alert.agent_id, first=alert.day, last=alert.last_day or alert.day)
    audit.record(
        actor=second or reviewer,
        action=MonitoringAction.ALERT_DECIDED,
        target=alert,
        brand_id=alert.brand_id,
        reason=text,
        after={"verdict": str(verdict), "decision": decision.pk, "reviewer": reviewer.pk},
    )
    publish(
        AlertDecided(alert_id=alert.pk, agent_id=alert.agent_id, decision=str(verdict), brand_id=alert.brand_id),
        actor=second or reviewer,
    )
    return decision
