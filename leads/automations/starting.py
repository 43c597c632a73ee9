"""Starting an automation by hand for chosen people: who may enter, why others may not, and taking a start back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import Stage
from clients.models import Client
from crm.db.bulk import update_models
from crm.db.locking import lock, lock_all
from crm.due import cancel_many
from crm.errors import DomainError, WrongState
from crm.models import Actor, User
from crm.security.policies import require
from leads.automations.choices import AutomationState, Reason, RunState
from leads.automations.definition import in_force
from leads.automations.entering import STEP_DUE, Arrival, enter, fitting
from leads.automations.policies import brands_for, can_manage
from leads.automations.running import not_to_be_contacted
from leads.models import Automation, AutomationRun


def startable_by(user: User) -> QuerySet[Automation]:
    """Select the active automations that a person may start: of brands whose automations they make."""
    rows = Automation.objects.filter(brand__in=brands_for(user), state=AutomationState.ACTIVE, version__isnull=False)
    return rows.select_related("brand", "version").order_by("name")


def startable(user: User, automation_id: Any) -> Automation:
    """Find one of them. Raises: DomainError."""
    row = startable_by(user).filter(pk=automation_id).first()
    if row is None:
        raise DomainError(_("Choose an active automation."), code="automation")
    return row


def problems_of(automation: Automation, clients: Sequence[Client]) -> dict[int, str]:
    """Say who of these can't enter now, and why, by the client's id."""
    assert automation.version is not None
    ids = [client.pk for client in clients]
    fit = fitting(automation.brand_id, in_force(automation.version), ids, timezone.now())
    running = AutomationRun.objects.filter(automation=automation, client__in=ids, state=RunState.ACTIVE)
    inside = set(running.values_list("client_id", flat=True))
    unwilling = not_to_be_contacted(clients)
    problems = {client.pk: _problem(client, automation, fit, inside, unwilling) for client in clients}
    return {pk: problem for pk, problem in problems.items() if problem}


def _problem(client: Client, automation: Automation, fit: set[int], inside: set[int], unwilling: set[int]) -> str:
    if client.brand_id != automation.brand_id:
        return _("Belongs to another brand")
    if client.pk in inside:
        return _("Is in this automation already")
    if client.stage == Stage.CLOSED:
        return str(Reason.CLOSED.label)
    if client.pk in unwilling:
        return str(Reason.DO_NOT_CONTACT.label)
    return "" if client.pk in fit else str(Reason.CONDITIONS.label)


@transaction.atomic
def start_many(*, automation_id: int, client_ids: Collection[int], actor: Actor) -> dict[int, int]:
    """Let people into an active automation; returns their runs by client. Who may not enter, or not so often, is left out.

    Who: whoever makes the brand's automations. Raises: NotAllowed, WrongState for one that isn't active.
    """
    automation = lock(Automation, automation_id, "version", "brand")
    require(can_manage(actor, automation.brand_id))
    if automation.state != AutomationState.ACTIVE:
        raise WrongState(_("Only an active automation can be started."))
    key = f"bulk:{timezone.now().isoformat()}"
    entered = enter(automation, [Arrival(pk, key) for pk in client_ids], watches=False)
    rows = AutomationRun.objects.filter(automation=automation, client__in=entered, trigger_key=key)
    return dict(rows.values_list("client_id", "pk"))


def take_back(run_ids: Collection[int]) -> int:
    """End runs that are still in progress, where they are, in the caller's transaction; returns how many."""
    runs = lock_all(AutomationRun.objects.filter(state=RunState.ACTIVE), pks=run_ids)
    now = timezone.now()
    for run in runs:
        run.move_to(RunState.LEFT)
        run.reason, run.finished_at, run.next_at = Reason.TAKEN_BACK, now, None
    update_models(runs, ["state", "reason", "finished_at", "next_at"])
    cancel_many(STEP_DUE, [run.pk for run in runs])
    return len(runs)
