"""Runs of automations, step by step: a batch of due runs in few statements, each step done once.

A batch is one transaction with its due rows: what a step writes, that it is done, and when the next one is due. A process that
dies in it leaves nothing of it behind. `a_step_of_a_run_is_done_once` holds it in the database.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.choices import SalesStatus, Stage
from clients.models import Client, DoNotCall
from clients.telephony.hours import next_open, zones_of
from crm.conditions import Condition
from crm.db.bulk import copy_models, update_models
from crm.db.locking import lock_all
from crm.due import DueItem, DueKind, declare, due_many
from crm.errors import outcome_of
from crm.models import DueRow, OutboxEvent, User
from leads.automations import actions
from leads.automations.actions import LeftOut, Turn
from leads.automations.choices import AutomationState, Reason, RunState, StepState
from leads.automations.definition import Definition, Step, in_force
from leads.automations.entering import STEP_DUE, fitting
from leads.automations.pausing import pause_after_failures
from leads.brand_policies import AUTOMATION_FAILURES_MAX, AUTOMATION_HOUR_FROM, AUTOMATION_HOUR_UNTIL
from leads.models import Automation, AutomationRun, AutomationRunStep, AutomationVersion

# A step that fails is tried again after these; then its run has failed.
RETRY_SECONDS: Final = (600, 3_600)
CHANGED: Final = ("state", "position", "is_watching", "next_at", "attempts", "error", "reason", "finished_at")


@dataclass
class Batch:
    """What a batch of runs of one version writes at its end."""

    now: dt.datetime
    runs: dict[int, AutomationRun]
    clients: dict[int, Client]
    definition: Definition
    hours: range
    steps: list[AutomationRunStep] = field(default_factory=list)
    mornings: dict[tuple[ZoneInfo, ...], dt.datetime | None] = field(default_factory=dict)

    def end(self, run: AutomationRun, state: RunState, reason: Reason = Reason.NONE) -> None:
        run.move_to(state)
        run.reason, run.finished_at, run.next_at = reason, self.now, None

    def note(self, run: AutomationRun, state: StepState, reason: Reason = Reason.NONE, note: str = "") -> None:
        """Write a step down, and have the next one follow."""
        self.steps.append(
            AutomationRunStep(
                run_id=run.pk, position=run.position, state=state, reason=reason, note=note[:300], at=self.now
            )
        )
        run.attempts, run.error = 0, ""
        step = self.definition.step_from(run.position + 1, run.variant)
        if state == StepState.FAILED:
            self.end(run, RunState.FAILED, Reason.FAILURES)
        elif step is None:
            self.end(run, RunState.FINISHED)
        else:
            run.position, run.next_at = step.position, self.now + step.wait

    def in_the_morning(self, client: Client) -> dt.datetime | None:
        """Return from when a client may be written to; None where that is now."""
        zones = zones_of(client)
        if zones not in self.mornings:
            self.mornings[zones] = next_open(zones, self.hours, self.now)
        return self.mornings[zones]

    @property
    def open(self) -> list[AutomationRun]:
        return [run for run in self.runs.values() if run.state == RunState.ACTIVE]


def work_on(rows: list[DueRow]) -> None:
    """Do the steps that are due: the handler of their due rows."""
    ids = [int(row.key) for row in rows]
    runs = lock_all(AutomationRun.objects.filter(state=RunState.ACTIVE), pks=ids)
    by_version: dict[int, list[AutomationRun]] = defaultdict(list)
    for run in runs:
        by_version[run.version_id].append(run)
    versions = AutomationVersion.objects.select_related("automation__brand").in_bulk(by_version)
    for pk in sorted(by_version):
        # A paused automation's runs stay as they are; resuming it sets their due rows again.
        if versions[pk].automation.state == AutomationState.ACTIVE:
            _work_on_version(versions[pk], by_version[pk])
        elif versions[pk].automation.state == AutomationState.ARCHIVED:
            _end_all(by_version[pk])


declare(
    DueKind(STEP_DUE, gettext_lazy("Step of an automation"), batch_handler=work_on, permission="leads.view_automation")
)


def _end_all(runs: list[AutomationRun]) -> None:
    for run in runs:
        run.move_to(RunState.LEFT)
        run.reason, run.finished_at, run.next_at = Reason.ENDED, timezone.now(), None
    update_models(runs, CHANGED)


def _work_on_version(version: AutomationVersion, runs: list[AutomationRun]) -> None:
    automation, now = version.automation, timezone.now()
    found = outcome_of(lambda: in_force(version))
    if not found:  # a field or step is gone: nobody can be taken on
        pause_after_failures(automation, found.message)
        return
    ids = [run.client_id for run in runs]
    clients = Client.objects.filter(pk__in=ids).defer("search_text").in_bulk()
    owners = User.objects.in_bulk({client.owner_id for client in clients.values() if client.owner_id})
    for client in clients.values():
        client.brand = automation.brand  # one object for all: what it has read of the brand is read once
        client.owner = owners.get(client.owner_id or 0)  # as few objects as there are agents
    hours = range(AUTOMATION_HOUR_FROM.of(automation.brand), AUTOMATION_HOUR_UNTIL.of(automation.brand))
    batch = Batch(now, {run.pk: run for run in runs}, clients, found.result, hours)
    _leave(batch)
    _stop_watching(batch, automation)
    by_step: dict[int, list[AutomationRun]] = defaultdict(list)
    for run in batch.open:
        if run.next_at is not None and run.next_at <= now:
            by_step[run.position].append(run)
    failures = _Failures(automation)
    for position in sorted(by_step):
        if not failures.are_too_many:
            _do(batch, found.result.steps[position], by_step[position], failures)
    copy_models(batch.steps)
    update_models(runs, CHANGED)
    open_runs = [(run, run.next_at) for run in batch.open if run.next_at is not None]
    if not failures.are_too_many:
        due_many(STEP_DUE, [DueItem(run.pk, at, run.client_id, automation.brand_id) for run, at in open_runs])
    failures.write()


def _leave(batch: Batch) -> None:
    """End the runs of those who were closed or merged, who reached the goal, and who meet the exit conditions."""
    for run in batch.open:
        client = batch.clients[run.client_id]
        if client.stage == Stage.CLOSED or client.merged_into_id is not None:
            batch.end(run, RunState.LEFT, Reason.CLOSED)
    for condition, state, reason in (
        (batch.definition.goal, RunState.GOAL, Reason.NONE),
        (batch.definition.exit, RunState.LEFT, Reason.EXIT),
    ):
        if condition is not None:
            there = _holding(condition, batch.open, batch.now)
            for run in batch.open:
                if run.client_id in there:
                    batch.end(run, state, reason)


def _holding(condition: Condition, runs: Sequence[AutomationRun], now: dt.datetime) -> set[int]:
    rows = Client.objects.filter(pk__in=[run.client_id for run in runs]).filter(condition.q(now))
    return set(rows.order_by().values_list("pk", flat=True))


def _stop_watching(batch: Batch, automation: Automation) -> None:
    """Let those in for whom it didn't happen in time and who meet the conditions; the others' runs never began."""
    watching = [run for run in batch.open if run.is_watching]
    if not watching:
        return
    ids = [run.client_id for run in watching]
    events = OutboxEvent.objects.filter(client_id__in=ids, name=batch.definition.trigger.absent).order_by()
    newest = dict(events.values("client_id").annotate(newest=Max("id")).values_list("client_id", "newest"))
    fit = fitting(automation.brand_id, batch.definition, ids, batch.now)
    for run in watching:
        if newest.get(run.client_id, 0) > (run.event_id or 0):
            batch.end(run, RunState.NOT_STARTED, Reason.HAPPENED)
        elif run.client_id not in fit:
            batch.end(run, RunState.NOT_STARTED, Reason.CONDITIONS)
        else:
            run.is_watching = False
            run.next_at = batch.now + batch.definition.steps[run.position].wait


def _do(batch: Batch, step: Step, runs: list[AutomationRun], failures: _Failures) -> None:
    """Do one step for those at it: not where its conditions aren't met, and nobody is written to at night or against their will."""
    there = None if step.condition is None else _holding(step.condition, runs, batch.now)
    unwilling = not_to_be_contacted(batch.clients[run.client_id] for run in runs)
    turns = []
    for run in runs:
        client = batch.clients[run.client_id]
        if there is not None and client.pk not in there:
            batch.note(run, StepState.SKIPPED, Reason.CONDITION)
        elif step.kind.is_outreach and client.pk in unwilling:
            batch.note(run, StepState.SKIPPED, Reason.DO_NOT_CONTACT)
        elif step.kind.is_outreach and (later := batch.in_the_morning(client)):
            run.next_at = later
        else:
            turns.append(Turn(run, client, step.options))
    if turns:
        _perform(batch, step.kind, turns, failures)


def not_to_be_contacted(clients: Iterable[Client]) -> set[int]:
    """Select those whom sales or they themselves marked: nobody writes to them by an automation."""
    rows = list(clients)
    marked = DoNotCall.objects.filter(client_id__in=[row.pk for row in rows], lifted_at=None)
    return set(marked.values_list("client_id", flat=True)) | {
        row.pk for row in rows if row.sales_status == SalesStatus.DO_NOT_CALL
    }


def _perform(batch: Batch, kind: actions.ActionKind, turns: list[Turn], failures: _Failures) -> None:
    """Do a step for many, and where that fails for each alone, so that one client's failure stops no other."""
    try:
        with transaction.atomic():
            outcomes = kind.perform(turns)
    except OperationalError:  # a lock that somebody holds: the sweeper tries the batch again
        raise
    except Exception as error:
        if len(turns) == 1:
            failures.count(batch, turns[0].run, error)
            return
        for turn in turns:
            if not failures.are_too_many:
                _perform(batch, kind, [turn], failures)
        return
    failures.reset()
    for turn in turns:
        left_out: LeftOut | None = outcomes.get(turn.run.pk)
        if left_out is None:
            batch.note(turn.run, StepState.DONE)
        else:
            batch.note(turn.run, StepState.SKIPPED, left_out.reason, left_out.note)


class _Failures:
    """Counts an automation's failures in a row, and pauses it after as many as the brand's policy allows."""

    def __init__(self, automation: Automation) -> None:
        self.automation, self.most = automation, AUTOMATION_FAILURES_MAX.of(automation.brand)
        self.before, self.new, self.was_reset, self.last = automation.failures, 0, False, ""

    @property
    def are_too_many(self) -> bool:
        return (0 if self.was_reset else self.before) + self.new >= self.most and self.new > 0

    def reset(self) -> None:
        self.was_reset, self.new = True, 0

    def count(self, batch: Batch, run: AutomationRun, error: Exception) -> None:
        """Note a failed try: again later, or the end of the run after the last one."""
        self.new += 1
        self.last = f"{type(error).__name__}: {error}"[:300]
        run.attempts += 1
        run.error = self.last
        if run.attempts > len(RETRY_SECONDS):
            batch.note(run, StepState.FAILED, Reason.FAILURES, self.last)
            run.error = self.last
        else:
            run.next_at = batch.now + dt.timedelta(seconds=RETRY_SECONDS[run.attempts - 1])

    def write(self) -> None:
        rows = Automation.objects.filter(pk=self.automation.pk)
        if self.was_reset and self.before:
            rows.update(failures=self.new)
        elif self.new:
            rows.update(failures=F("failures") + self.new)
        if self.are_too_many:
            pause_after_failures(self.automation, self.last)
