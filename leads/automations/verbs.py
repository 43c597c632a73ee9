"""Making automations, changing their draft, activating a version, pausing and archiving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.approvals.deciding import require_text
from crm.audit_codes import AuditCode
from crm.db.locking import lock
from crm.due import DueItem, due_many
from crm.errors import DomainError, WrongState, outcome_of
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, EventSubscription, User
from crm.security import audit
from crm.security.policies import require
from crm.staff.company import open_brand
from crm.staff.event_subscriptions import subscribe_app
from leads.audit_codes import LeadsAction
from leads.automations import policies
from leads.automations.choices import AutomationState, RunState, TriggerKind
from leads.automations.definition import Definition, new_definition, read_definition, read_draft
from leads.automations.entering import HEARS, STEP_DUE
from leads.automations.pausing import hear
from leads.brand_policies import AUTOMATIONS_NEED_APPROVAL
from leads.choices import LeadsNotice
from leads.models import Automation, AutomationActivation, AutomationRun, AutomationStep, AutomationVersion
from leads.models.automations import NAME_CHARS_MAX

OPEN_MAX: Final = 100
CHUNK: Final = 5_000


@transaction.atomic
def create_automation(
    *, brand_id: int, name: str, actor: Actor, draft: Mapping[str, Any] | None = None, template: str = ""
) -> Automation:
    """Make an automation as a draft: empty, or with what a template says.

    Who: `leads.manage_automation` on the whole brand. Raises: NotAllowed; DomainError for a name that is missing or taken, or
    where the brand has its hundred.
    """
    require(policies.can_manage(actor, brand_id))
    brand = open_brand(brand_id)
    if Automation.objects.filter(brand=brand).exclude(state=AutomationState.ARCHIVED).count() >= OPEN_MAX:
        raise DomainError(_("The brand already has %(count)s automations. Archive some first.") % {"count": OPEN_MAX})
    data = dict(draft or new_definition())
    read_draft(data, brand)
    row = Automation.objects.create(
        brand=brand, name=_free_name(brand_id, name), draft=data, template=template, created_by=actor
    )
    _record(row, LeadsAction.AUTOMATION_CREATED, actor, after={"name": row.name, "template": template})
    return row


@transaction.atomic
def save_automation(
    *, automation_id: int, name: str, draft: Mapping[str, Any], actor: Actor, seen: str = ""
) -> Automation:
    """Save name and draft. Runs and the active version stay as they are until the draft is activated.

    seen: the mark of the draft that was changed. Who: as for making one. Raises: NotAllowed; WrongState when archived, or changed
    by someone since; DomainError for a name that is taken, an unknown variable, or whatever else of the draft can't be used.
    """
    row = _open(automation_id, actor)
    if seen and seen != row.draft_mark:
        raise WrongState(_("Someone else has changed this draft. Reload the page."))
    read_draft(draft, row.brand)
    row.name, row.draft = _free_name(row.brand_id, name, row.pk), dict(draft)
    row.save(update_fields=["name", "draft"])
    _record(row, LeadsAction.AUTOMATION_SAVED, actor, after={"name": row.name, "draft": row.draft})
    return row


@transaction.atomic
def activate_automation(
    *, automation_id: int, actor: Actor, reason: str = ""
) -> AutomationVersion | AutomationActivation:
    """Make a version of the draft and activate it, or propose that where the brand's policy asks for a second person.

    Runs of earlier versions go on as they began. Who: as for making one. Raises: NotAllowed; WrongState when archived;
    DomainError for a draft that can't be used, without a reason for the second person, or while another activation waits.
    """
    row = _open(automation_id, actor)
    definition = read_definition(row.draft, row.brand)
    needs_approval = actor is not None and AUTOMATIONS_NEED_APPROVAL.of(row.brand)
    if needs_approval:
        require_text(reason)
    version = _write_version(row, definition, actor)
    if needs_approval and isinstance(actor, User):
        return approvals.propose(AutomationActivation(automation=row, version=version, reason=reason), actor=actor)
    _activate(row, version, actor, reason)
    return version


def _write_version(row: Automation, definition: Definition, actor: Actor) -> AutomationVersion:
    newest = row.versions.order_by("-number").first()
    version = AutomationVersion.objects.create(
        automation=row, number=newest.number + 1 if newest else 1, definition=row.draft, created_by=actor
    )
    AutomationStep.objects.bulk_create(
        AutomationStep(
            version=version,
            position=step.position,
            variant=step.variant,
            wait_minutes=step.wait_minutes,
            action=step.kind.code,
            options=step.options,
            condition=None if step.condition is None else step.condition.stored(),
        )
        for step in definition.steps
    )
    return version


def _activate(row: Automation, version: AutomationVersion, actor: Actor, reason: str = "") -> None:
    definition = read_definition(version.definition, row.brand)
    if row.state != AutomationState.ACTIVE:
        row.move_to(AutomationState.ACTIVE)
    row.version, row.pause_reason, row.failures, row.dates_until = version, "", 0, timezone.now()
    trigger = definition.trigger
    if trigger.kind == TriggerKind.DATE:
        if row.subscription is not None:
            subscribe_app(row.subscription, events=row.subscription.events, path=None, is_enabled=False)
    else:
        given = row.subscription or EventSubscription(
            name=f"Automation {row.pk}",
            brand=row.brand,
            target=HEARS.code,
            options={"automation": row.pk},
            created_by=actor or row.created_by,
        )
        row.subscription = subscribe_app(given, events=trigger.events, path=trigger.path, is_enabled=True)
    row.save()
    _record(row, LeadsAction.AUTOMATION_ACTIVATED, actor, after={"version": version.number}, reason=reason)
    _set_due(row)


@transaction.atomic
def pause_automation(*, automation_id: int, actor: Actor, reason: str) -> Automation:
    """Pause an active automation: nobody enters, and its runs wait where they are.

    Who: as for making one. Raises: NotAllowed, WrongState; DomainError without a reason.
    """
    row = _open(automation_id, actor)
    require_text(reason)
    row.move_to(AutomationState.PAUSED)
    row.pause_reason = reason[:300]
    row.save(update_fields=["state", "pause_reason"])
    hear(row)
    _record(row, LeadsAction.AUTOMATION_PAUSED, actor, reason=reason)
    return row


@transaction.atomic
def resume_automation(*, automation_id: int, actor: Actor) -> Automation:
    """Resume a paused automation: its runs go on, what is overdue first. What happened meanwhile lets nobody in.

    Who: as for making one. Raises: NotAllowed, WrongState.
    """
    row = _open(automation_id, actor)
    if row.state != AutomationState.PAUSED:
        raise WrongState(_("Only a paused automation can be resumed."))
    row.move_to(AutomationState.ACTIVE)
    row.pause_reason, row.failures, row.dates_until = "", 0, timezone.now()
    row.save(update_fields=["state", "pause_reason", "failures", "dates_until"])
    hear(row)
    AutomationRun.objects.filter(automation=row, state=RunState.ACTIVE, attempts__gt=0).update(attempts=0)
    _set_due(row)
    _record(row, LeadsAction.AUTOMATION_RESUMED, actor)
    return row


@transaction.atomic
def archive_automation(*, automation_id: int, actor: Actor) -> Automation:
    """End an automation for good; its runs end where they are, and stay on the clients' pages.

    Who: as for making one. Raises: NotAllowed, WrongState.
    """
    row = _open(automation_id, actor)
    row.move_to(AutomationState.ARCHIVED)
    row.save(update_fields=["state"])
    hear(row)
    AutomationRun.objects.filter(automation=row, state=RunState.ACTIVE).update(next_at=timezone.now())
    _set_due(row)
    _record(row, LeadsAction.AUTOMATION_ARCHIVED, actor)
    return row


def _set_due(row: Automation) -> None:
    """Set the due rows of all runs that are in progress; those that have one keep their time."""
    runs = AutomationRun.objects.filter(automation=row, state=RunState.ACTIVE, next_at__isnull=False).order_by("pk")
    last: int | None = 0
    while last is not None:
        waiting = list(runs.filter(pk__gt=last).values_list("pk", "next_at", "client_id")[:CHUNK])
        due_many(
            STEP_DUE, [DueItem(pk, at, client_id, row.brand_id) for pk, at, client_id in waiting if at is not None]
        )
        last = waiting[-1][0] if len(waiting) == CHUNK else None


def _open(automation_id: int, actor: Actor) -> Automation:
    row = lock(Automation, automation_id, "brand", "subscription", "created_by")
    require(policies.can_manage(actor, row.brand_id))
    if row.state == AutomationState.ARCHIVED:
        raise WrongState(_("The automation is archived."))
    return row


def _free_name(brand_id: int, name: str, besides: int | None = None) -> str:
    name = " ".join(name.split())
    if not name or len(name) > NAME_CHARS_MAX:
        raise DomainError(_("Enter a name."))
    taken = Automation.objects.filter(brand_id=brand_id, name=name).exclude(state=AutomationState.ARCHIVED)
    if taken.exclude(pk=besides or 0).exists():
        raise DomainError(_("The brand already has an automation with this name."), code="duplicate")
    return name


def _record(row: Automation, action: AuditCode, actor: Actor, **details: Any) -> None:
    audit.record(actor=actor, action=action, target=row, brand_id=row.brand_id, **details)


class ActivationApproval(approvals.ApprovalKind[AutomationActivation]):
    """A version of an automation that another person activates."""

    model = AutomationActivation
    code = "automation"
    label = gettext_lazy("Automation")
    asks = decides = policies.MAKES
    proposed, approved = LeadsAction.AUTOMATION_PROPOSED, None
    rejected, withdrawn = LeadsAction.AUTOMATION_REJECTED, LeadsAction.AUTOMATION_WITHDRAWN
    notice = LeadsNotice.AUTOMATION_PROPOSED
    brand_path = "automation__brand_id"
    related = ("automation__brand", "version")
    one_open = ("automation",)
    done = gettext_lazy("Automation activated.")

    def lock(self, pk: int) -> AutomationActivation:
        lock(Automation, AutomationActivation.objects.values_list("automation_id", flat=True).get(pk=pk))
        return super().lock(pk)

    def apply(self, item: AutomationActivation, actor: User, **given: Any) -> None:
        """Activate it. Raises: WrongState when the automation was archived; DomainError where it can't be used any more."""
        row = _open(item.automation_id, actor)
        _activate(row, item.version, actor, item.reason)

    def title(self, item: AutomationActivation) -> LocalizedText:
        return phrase("Automation “%(name)s”, version %(number)s") % {
            "name": item.automation.name,
            "number": item.version.number,
        }

    def url(self, item: AutomationActivation) -> str:
        return item.automation.get_absolute_url()

    def changes(self, item: AutomationActivation) -> Sequence[Change]:
        brand = item.automation.brand
        before = item.automation.version
        return [
            Change(
                _("Automation"),
                read_definition(item.version.definition, brand).sentence(),
                None if before is None else _sentence(before, item.automation),
            )
        ]

    def after(self, item: AutomationActivation) -> dict[str, Any]:
        return {"version": item.version.number, "definition": item.version.definition}


def _sentence(version: AutomationVersion, row: Automation) -> str:
    found = outcome_of(lambda: read_definition(version.definition, row.brand).sentence())
    return found.result if found else found.message
