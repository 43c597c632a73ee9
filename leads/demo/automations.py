"""The demo's automations: the welcome series with runs under way, and drafts from templates."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from clients.choices import Stage
from clients.models import Client
from clients.texts.letters import get_letter
from crm.choices import Role
from crm.db.bulk import copy_models
from crm.demo import Demo
from crm.due import DueItem, due_many
from crm.models import Brand, User
from leads.automations import shipped, verbs
from leads.automations.choices import Reason, RunState, StepState, TriggerKind
from leads.automations.definition import Definition, in_force
from leads.automations.entering import STEP_DUE
from leads.models import Automation, AutomationRun, AutomationRunStep, AutomationVersion

ENTERED_DAYS: Final = 25
PEOPLE: Final = 60


def write_automations(demo: Demo) -> None:
    """Have each brand's newest clients on their way through the welcome series; the no-deposit follow-up is paused."""
    for brand in demo.brands:
        maker = next((user for user in demo.by_role.get(Role.MARKETING, []) if user.brand_id == brand.pk), None)
        _write_runs(demo, _live(brand, "welcome-series", maker))
        paused = _live(brand, "no-deposit-30", maker)
        verbs.pause_automation(automation_id=paused.pk, actor=None, reason="Texts are being revised")
        shipped.make_from_template(brand_id=brand.pk, template="kyc-24h", actor=None)


def _live(brand: Brand, template: str, maker: User | None) -> Automation:
    row = shipped.make_from_template(brand_id=brand.pk, template=template, actor=None)
    Automation.objects.filter(pk=row.pk).update(created_by=maker)
    verbs.activate_automation(automation_id=row.pk, actor=None)
    row.refresh_from_db()
    return row


@transaction.atomic
def _write_runs(demo: Demo, automation: Automation) -> None:
    version = automation.version
    assert version is not None and version.definition["trigger"]["kind"] == TriggerKind.EVENT
    since = demo.now - dt.timedelta(days=ENTERED_DAYS)
    people = Client.objects.filter(brand=automation.brand, registered_at__gte=since, user__isnull=False)
    people = people.exclude(stage=Stage.CLOSED).defer("search_text").order_by("registered_at", "pk")
    definition = in_force(version)
    runs = [_run(automation, version, client) for client in people[:PEOPLE]]
    copy_models(runs)
    steps = [step for run in runs for step in _steps(demo, definition, run)]
    copy_models(steps)
    for run in runs:
        run.save()
    going_on = [(run, run.next_at) for run in runs if run.next_at is not None]
    due_many(STEP_DUE, [DueItem(run.pk, at, run.client_id, automation.brand_id) for run, at in going_on])


def _run(automation: Automation, version: AutomationVersion, client: Client) -> AutomationRun:
    assert client.registered_at is not None
    return AutomationRun(
        automation=automation,
        version=version,
        client=client,
        trigger_key=f"demo:{client.pk}",
        entered_at=client.registered_at,
        next_at=client.registered_at,
    )


def _steps(demo: Demo, definition: Definition, run: AutomationRun) -> list[AutomationRunStep]:
    """Write down the steps whose time has come, and what is next."""
    at: dt.datetime = run.entered_at
    done: list[AutomationRunStep] = []
    for step in definition.steps:
        at += step.wait
        if at > demo.now:
            run.position, run.next_at = step.position, at
            return done
        is_held_back = get_letter(step.options["template"]).is_marketing and not run.client.marketing_consent
        state, reason = (StepState.SKIPPED, Reason.NO_CONSENT) if is_held_back else (StepState.DONE, Reason.NONE)
        done.append(AutomationRunStep(run=run, position=step.position, state=state, reason=reason, at=at))
        run.position = step.position
    run.move_to(RunState.FINISHED)
    run.finished_at, run.next_at = at, None
    return done
