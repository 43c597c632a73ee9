"""Raising, reviewing and deciding alerts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from statistics import median

from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock, lock_all
from crm.errors import DomainError
from crm.events import AlertDecided, AlertRaised, publish
from crm.models import User
from crm.security import audit, policies
from monitoring import baselines, reasons, rules
from monitoring.audit_codes import MonitoringAction
from monitoring.brand_policies import ALERT_PROBABILITY
from monitoring.choices import AlertState, Severity, Verdict
from monitoring.models import AgentDay, Alert, DayScore, Decision, Watch
from monitoring.policies import can_decide, can_review, reaches
from monitoring.queries import busy_window
from monitoring.scoring import Scored
from monitoring.signals import FEATURES, REGISTRY

# A day less probable than this raises an alert; a brand may set its own as policy `alert_probability`.
DEFAULT_PROBABILITY = float(ALERT_PROBABILITY.default)
# Of people on the watchlist, less is needed.
WATCHED_TIMES = 10
SEVERE, HIGH = 1e-6, 1e-4
# Before two weeks of any history, habits are guesses: only rules raise alerts then.
WARM_UP_DAYS = 14


@transaction.atomic
def raise_alerts(scored_days: list[Scored], *, at: dt.datetime | None = None) -> list[Alert]:
    """Raise an alert for each scored day that stands out or breaks a rule; one that is open gets today's figures.

    Returns the new ones. A decided alert stays as it was decided on. `at` (demos, imports) is the instant of raising.
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
            raised += _raise_on(scored.day, sorted(candidates), p, broken, groups, at or timezone.now())
    return raised


def _raise_on(
    day: dt.date,
    agent_ids: list[int],
    p: dict[int, float],
    broken: dict[int, list[reasons.Reason]],
    groups: dict[int, int],
    now: dt.datetime,
) -> list[Alert]:
    agents = User.objects.select_related("brand", "desk").in_bulk(agent_ids)
    watched = set(Watch.objects.on(day).filter(agent_id__in=agent_ids).values_list("agent_id", flat=True))
    held = lock_all(Alert.objects.filter(agent_id__in=agent_ids, day=day))
    known = {alert.agent_id: alert for alert in held}
    scores = {score.agent_id: score for score in DayScore.objects.filter(agent_id__in=agent_ids, day=day)}
    counted = {row.agent_id: row for row in AgentDay.objects.filter(agent_id__in=agent_ids, day=day)}
    medians = peer_medians(day, groups)
    raised = []
    for pk in agent_ids:
        agent, score, row = agents[pk], scores.get(pk), counted.get(pk)
        if agent.brand_id is None or row is None or (pk in known and known[pk].state == AlertState.DECIDED):
            continue
        why = list(broken.get(pk, []))
        if score is not None and p.get(pk, 1.0) < threshold_of(agent) * (WATCHED_TIMES if pk in watched else 1):
            why += reasons.of_score(
                score,
                counts=counts_of(row),
                medians=medians[groups[pk]],
                window=busy_window(agent, day),
                has_book=agent.books.exists(),
            )
        if why:
            alert = _write(agent, day, p.get(pk, 1.0), why, known.get(pk), now, was_watched=pk in watched)
            if pk not in known:
                raised.append(alert)
    return raised


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
    agent: User,
    day: dt.date,
    probability: float,
    why: list[reasons.Reason],
    known: Alert | None,
    now: dt.datetime,
    *,
    was_watched: bool,
) -> Alert:
    assert agent.brand_id is not None
    fields = {
        "severity": severity_of(probability, why),
        "probability": probability,
        "reasons": why,
        "updated_at": now,
        "rules": [reason["rule"] for reason in why if reason["code"] == "rule"],
        "was_watched": was_watched,
    }
    if known is not None:
        for name, value in fields.items():
            setattr(known, name, value)
        known.save(update_fields=list(fields))
        return known
    alert = Alert.objects.create(
        agent=agent, brand_id=agent.brand_id, desk_id=agent.desk_id, day=day, raised_at=now, **fields
    )
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
def decide(*, alert_id: int, actor: User, verdict: Verdict, text: str, at: dt.datetime | None = None) -> Decision:
    """Close an alert with a verdict and its reason. Nothing happens to the agent automatically: people act on it.

    Who: as for taking; where somebody took it, only they. What the verdict teaches: a changed role starts a new habit, a
    confirmed misuse is not learned from. `at` (demos, imports) is the instant of the decision.
    """
    alert = lock(Alert, alert_id, "agent", "reviewer")
    policies.require(can_decide(actor, alert))
    policies.require(reaches(actor, alert.agent))
    if not text.strip():
        raise DomainError(_("Enter a reason: the next reviewer, and perhaps the agent, will read it."))
    alert.move_to(AlertState.DECIDED)
    now = at or timezone.now()
    alert.reviewer, alert.decided_at = actor, now
    alert.save(update_fields=["state", "reviewer", "decided_at"])
    decision = Decision.objects.create(
        alert=alert, agent_id=alert.agent_id, reviewer=actor, verdict=verdict, text=text.strip(), decided_at=now
    )
    if verdict == Verdict.CHANGE:
        baselines.forget(agent_id=alert.agent_id)
    if verdict == Verdict.CONFIRMED:
        AgentDay.objects.filter(agent_id=alert.agent_id, day=alert.day).update(is_excluded=True)
    audit.record(
        actor=actor,
        action=MonitoringAction.ALERT_DECIDED,
        target=alert,
        brand_id=alert.brand_id,
        reason=text,
        after={"verdict": str(verdict), "decision": decision.pk},
    )
    publish(
        AlertDecided(alert_id=alert.pk, agent_id=alert.agent_id, decision=str(verdict), brand_id=alert.brand_id),
        actor=actor,
    )
    return decision
