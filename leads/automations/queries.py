"""Reads of automations: counts per step, the runs that a person may see, and a client's way through each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Q, QuerySet, prefetch_related_objects

from clients.queries import clients_visible_to
from crm.db.prepared import ByKey
from crm.errors import outcome_of
from crm.models import User
from leads.automations.choices import RunState, StepState, Variant
from leads.automations.definition import in_force
from leads.models import AutomationRun, AutomationRunStep, AutomationVersion

RUNS_SHOWN: Final = 10


@dataclass(frozen=True)
class StepFigures:
    """One step of a version with what became of it; `waiting`: runs that are at it."""

    number: int
    words: str
    icon: str
    variant: str
    done: int = 0
    skipped: int = 0
    failed: int = 0
    waiting: int = 0


def step_figures(version: AutomationVersion) -> list[StepFigures]:
    """Count each step of a version: three queries, whatever the number of runs' steps."""
    rows = AutomationRunStep.objects.filter(run__version=version).values_list("position", "state")
    counts = {(position, state): count for position, state, count in rows.annotate(count=Count("id"))}
    waiting = AutomationRun.objects.filter(version=version, state=RunState.ACTIVE, is_watching=False)
    at = dict(waiting.values("position").annotate(count=Count("id")).values_list("position", "count"))
    found = outcome_of(lambda: in_force(version).steps)
    return [
        StepFigures(
            step.position + 1,
            step.words(),
            step.kind.icon,
            str(Variant(step.variant).label) if step.variant else "",
            done=counts.get((step.position, StepState.DONE), 0),
            skipped=counts.get((step.position, StepState.SKIPPED), 0),
            failed=counts.get((step.position, StepState.FAILED), 0),
            waiting=at.get(step.position, 0),
        )
        for step in (found.result if found else [])
    ]


def run_figures(automation_id: int) -> dict[str, Any]:
    """Count an automation's runs by state, and each group's goals."""
    counted = {state.value: Count("id", filter=Q(state=state)) for state in RunState if state != RunState.NOT_STARTED}
    rows = AutomationRun.objects.filter(automation_id=automation_id)
    figures: dict[str, Any] = rows.aggregate(
        entered=Count("id", filter=~Q(state=RunState.NOT_STARTED) & Q(is_watching=False)),
        watching=Count("id", filter=Q(state=RunState.ACTIVE, is_watching=True)),
        **counted,
    )
    groups = rows.exclude(variant="").exclude(state=RunState.NOT_STARTED).order_by("variant")
    figures["groups"] = [
        {"label": Variant(variant).label, "entered": entered, "goals": goals, "finished": finished}
        for variant, entered, goals, finished in groups.values_list("variant").annotate(
            entered=Count("id"),
            goals=Count("id", filter=Q(state=RunState.GOAL)),
            finished=Count("id", filter=Q(state=RunState.FINISHED)),
        )
    ]
    return figures


def runs_visible_to(user: User) -> QuerySet[AutomationRun]:
    """Select the runs of the clients whom the user reaches."""
    return AutomationRun.objects.filter(client__in=clients_visible_to(user))


@dataclass(frozen=True)
class ShownStep:
    words: str
    icon: str
    row: AutomationRunStep | None = None
    is_next: bool = False


@dataclass(frozen=True)
class ShownRun:
    run: AutomationRun
    steps: Sequence[ShownStep]


_RUNS: Final = ByKey(
    lambda: AutomationRun.objects.select_related("automation", "version").order_by("-id"), "client_id", most=RUNS_SHOWN
)


def runs_of(client_id: int) -> list[ShownRun]:
    """List a client's newest runs with each of their steps: what was done, what is next, what follows."""
    runs = _RUNS.all(client_id=client_id)
    prefetch_related_objects(runs, "steps")
    versions = {run.version_id: run.version for run in runs}
    steps = {pk: found.result.steps for pk, row in versions.items() if (found := outcome_of(lambda: in_force(row)))}  # noqa: B023
    shown = []
    for run in runs:
        done = {row.position: row for row in run.steps.all()}
        mine = [step for step in steps.get(run.version_id, []) if step.variant in ("", run.variant)]
        is_open = run.state == RunState.ACTIVE
        shown.append(
            ShownRun(
                run,
                [
                    ShownStep(
                        step.words(),
                        step.kind.icon,
                        done.get(step.position),
                        is_open and not run.is_watching and step.position == run.position,
                    )
                    for step in mine
                    if step.position in done or is_open
                ],
            )
        )
    return shown
