"""Setting up where leads come from and what becomes of them: campaigns, landing pages, rules, shifts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import CustomField
from crm.audit_codes import AuditCode
from crm.conditions import readable
from crm.conditions.fields import ADDED
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed
from crm.models import Actor, User
from crm.security import audit, policies
from crm.security.scope import reach_of
from leads.audit_codes import LeadsAction
from leads.automations.by_rule import sequences_of
from leads.distribution.agents import zone_named
from leads.models import Absence, Campaign, LandingPage, RoutingRule, ScoreRule, Shift
from leads.models.campaigns import SHOWN_FIELDS_MAX
from leads.vocabulary import LEAD

MOST_SHIFTS = 21
Row = TypeVar("Row", Campaign, LandingPage, RoutingRule, ScoreRule)


def _save(row: Row, *, actor: Actor, fields: Mapping[str, Any], permission: str, action: AuditCode) -> Row:
    """Write a row of set-up with its history and an audit row that says what changed."""
    policies.require_permission(actor, permission)
    is_new = row.pk is None
    if not is_new:  # a form may have written into the object already: what was there is in the table
        row = lock(type(row), row.pk)
    before = {} if is_new else {name: getattr(row, name) for name in fields}
    _require_reach(actor, row)  # of the brand it is of, and of the one it shall be of
    for name, value in fields.items():
        setattr(row, name, value)
    _require_reach(actor, row)
    brand = getattr(row, "brand", None)
    try:
        # Django reads the exclusion constraint on score rules wrongly (its COALESCE over the brand); the database doesn't.
        row.full_clean(validate_constraints=not isinstance(row, ScoreRule))
        with transaction.atomic():
            row.save()
    except ValidationError as error:
        raise DomainError("; ".join(error.messages)) from error
    except IntegrityError as error:
        if "score_rule_has_one_version_a_day" not in str(error):
            raise
        raise DomainError(_("This brand already has a rule with this name. Edit that one.")) from error
    changed = [name for name in fields if is_new or before[name] != getattr(row, name)]
    audit.record(
        actor=actor,
        action=action,
        target=row,
        brand_id=brand.pk if brand else None,
        before={name: _plain(before[name]) for name in changed if not is_new},
        after={name: _plain(getattr(row, name)) for name in changed},
    )
    return row


def _require_reach(actor: Actor, row: Any) -> None:
    brand_id = getattr(row, "brand_id", None)
    if actor is not None and brand_id is not None and brand_id not in reach_of(actor).brands:
        raise NotAllowed(_("You don't have access to this brand."))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, models.Model) else value


@transaction.atomic
def save_campaign(*, actor: Actor, campaign: Campaign | None = None, **fields: Any) -> Campaign:
    """Create or change a campaign. Who: `leads.change_campaign` on the brand. Raises: NotAllowed, DomainError."""
    return _save(
        campaign or Campaign(),
        actor=actor,
        fields=fields,
        permission="leads.change_campaign",
        action=LeadsAction.CAMPAIGN_SAVED,
    )


@transaction.atomic
def save_landing_page(*, actor: Actor, page: LandingPage | None = None, **fields: Any) -> LandingPage:
    """Create or change a landing page. Who: `leads.change_landingpage` on the brand.

    Raises: NotAllowed; DomainError for a custom field that isn't on the leads of the page's brand, too many of them, or a
    required one that isn't shown.
    """
    _require_own_fields(page, fields)
    return _save(
        page or LandingPage(),
        actor=actor,
        fields=fields,
        permission="leads.change_landingpage",
        action=LeadsAction.LANDING_PAGE_SAVED,
    )


def _require_own_fields(page: LandingPage | None, fields: Mapping[str, Any]) -> None:
    """Check the custom fields of a page. An archived one stays until the page is saved without it; no form shows it."""
    shown = fields.get("shown_fields", page.shown_fields if page else [])
    required = fields.get("required_fields", page.required_fields if page else [])
    if len(shown) > SHOWN_FIELDS_MAX:
        raise DomainError(
            _("Show at most %(count)s custom fields: long forms lose leads.") % {"count": SHOWN_FIELDS_MAX}
        )
    brand = fields.get("brand") or (page.brand if page else None)
    rows = {row.pk: row for row in CustomField.objects.filter(pk__in={*shown, *required}).select_related("brand")}
    for pk in [*shown, *required]:
        row = rows.get(pk)
        if row is None or brand is None or row.brand_id != brand.pk or not row.for_leads:
            name = row.label if row else f"#{pk}"
            raise DomainError(
                _("“%(field)s” isn't a custom field on leads of %(brand)s.") % {"field": name, "brand": brand}
            )
    hidden = [rows[pk].label for pk in required if pk not in shown]
    if hidden:
        raise DomainError(_("Show the required fields on the form, too: %(fields)s.") % {"fields": ", ".join(hidden)})


@transaction.atomic
def save_routing_rule(
    *, actor: Actor, rule: RoutingRule | None = None, agents: Sequence[User] = (), **fields: Any
) -> RoutingRule:
    """Create or change a routing rule; it holds from the next lead on. Who: `leads.manage_rules` on the brand.

    Raises: NotAllowed; DomainError for a desk or pool of another brand, an agent who is not of that desk, a condition on
    another brand's custom field, or another name while automations start with the rule's leads.
    """
    desk = fields["desk"]
    if desk.brand_id != fields["brand"].pk:
        raise DomainError(_("The desk belongs to another brand."))
    pool = fields.get("pool")
    if pool is not None and (pool.brand_id != desk.brand_id or not pool.is_pool):
        raise DomainError(_("Choose a pool of the same brand."))
    _require_name_of_sequences(rule, fields.get("name", ""))
    if any(field.brand_id != fields["brand"].pk for field in _asked(fields.get("condition"))):
        raise DomainError(_("The condition uses a custom field of another brand."))
    strangers = [str(agent) for agent in agents if agent.desk_id != desk.pk]
    if strangers:
        raise DomainError(_("Not on this desk: %(names)s") % {"names": ", ".join(strangers)})
    saved = _save(
        rule or RoutingRule(),
        actor=actor,
        fields=fields,
        permission="leads.manage_rules",
        action=LeadsAction.ROUTING_RULE_SAVED,
    )
    saved.agents.set(agents)
    return saved


def _require_name_of_sequences(rule: RoutingRule | None, name: str) -> None:
    """Refuse another name for a rule whose leads start automations: those know it by its name."""
    if rule is None or rule.pk is None:
        return
    before = RoutingRule.objects.only("name", "brand_id").get(pk=rule.pk)
    started = sequences_of([before])[before.pk] if name != before.name else []
    if started:
        raise DomainError(
            _("These automations start with the rule's leads by its name: %(names)s. Change them first.")
            % {"names": ", ".join(map(str, started))}
        )


def _asked(stored: Any) -> list[CustomField]:
    """List the custom fields that a rule's condition asks for."""
    condition = readable(stored, LEAD) if stored else None
    names = [field.name for field in condition.fields()] if condition else []
    ids = [int(name.removeprefix(ADDED)) for name in names if name.startswith(ADDED)]
    return list(CustomField.objects.filter(pk__in=ids)) if ids else []


@transaction.atomic
def save_score_rule(*, actor: Actor, rule: ScoreRule | None = None, **fields: Any) -> ScoreRule:
    """Create a scoring rule, or a new version of one: the old ends today and stays for the leads of its days.

    A rule of all brands is Keelson's; changing it for a brand makes the brand's own, which replaces it there.
    Who: `leads.manage_rules` on the brand. Raises: NotAllowed, DomainError.
    """
    policies.require_permission(actor, "leads.manage_rules")
    _require_reach(actor, rule)  # before anything is answered about it
    today = timezone.localdate()
    if rule is not None and rule.brand_id is not None:
        if rule.valid_to is not None and rule.valid_to <= today:
            raise DomainError(_("This version has ended. Edit the current one."))
        if rule.valid_from >= today:  # made today: nothing was scored by it before
            return _save(
                rule, actor=actor, fields=fields, permission="leads.manage_rules", action=LeadsAction.SCORE_RULE_SAVED
            )
        rule.valid_to = today
        rule.save(update_fields=["valid_to"])
    return _save(
        ScoreRule(valid_from=today),
        actor=actor,
        fields=fields,
        permission="leads.manage_rules",
        action=LeadsAction.SCORE_RULE_SAVED,
    )


@transaction.atomic
def end_score_rule(*, rule_id: int, actor: Actor) -> ScoreRule:
    """End a brand's own scoring rule today; one that was created today is deleted. Who: `leads.manage_rules` on the brand.

    Raises: NotAllowed, also for a rule of all brands.
    """
    policies.require_permission(actor, "leads.manage_rules")
    rule = lock(ScoreRule, rule_id)
    if rule.brand_id is None or rule.brand_id not in reach_of(actor).brands:
        raise NotAllowed(_("You can only end a brand's own rule."))
    today = timezone.localdate()
    if rule.valid_from >= today:
        audit.record(actor=actor, action=LeadsAction.SCORE_RULE_REMOVED, target=rule, brand_id=rule.brand_id)
        rule.delete()
        return rule
    rule.valid_to = today
    rule.save(update_fields=["valid_to"])
    audit.record(actor=actor, action=LeadsAction.SCORE_RULE_ENDED, target=rule, brand_id=rule.brand_id)
    return rule


@transaction.atomic
def set_shifts(
    *,
    agent_id: int,
    actor: Actor,
    shifts: Sequence[tuple[int, dt.time, dt.time]],
    absences: Sequence[tuple[dt.date, dt.date]] | None = None,
) -> list[Shift]:
    """Write down when an agent works: (weekday, from, to) in the agent's own time zone; none as the brand's policy says.

    absences: the coming ones, first and last day; None leaves them as they are. Those that are over stay.
    Who: `leads.manage_rules`, for agents of desks in reach. Raises: NotAllowed; DomainError for hours or days that overlap.
    """
    policies.require_permission(actor, "leads.manage_rules")
    agent = User.objects.get(pk=agent_id)
    if actor is not None and agent.desk_id not in reach_of(actor).desks:
        raise NotAllowed(_("You don't have access to this agent's desk."))
    if len(shifts) > MOST_SHIFTS:
        raise DomainError(_("Enter at most three shifts a day."))
    ordered = sorted(shifts)
    for (day, _start, end), (next_day, next_start, _end) in pairwise(ordered):
        if day == next_day and next_start < end:
            raise DomainError(_("Two shifts on the same day overlap."))
    if any(start >= end for _day, start, end in ordered):
        raise DomainError(_("A shift must end after it starts. Enter a shift past midnight as two shifts."))
    before = [str(shift) for shift in Shift.objects.filter(agent=agent)]
    away = _set_absences(agent, sorted(absences)) if absences is not None else {}
    Shift.objects.filter(agent=agent).delete()
    rows = [Shift(agent=agent, weekday=day, starts=start, ends=end) for day, start, end in ordered]
    for row in rows:
        row.save()
    audit.record(
        actor=actor,
        action=LeadsAction.SHIFTS_SET,
        target=agent,
        brand_id=agent.brand_id,
        before={"shifts": before, **away.get("before", {})},
        after={"shifts": [str(row) for row in rows], **away.get("after", {})},
    )
    return rows


def coming_absences(agent: User) -> QuerySet[Absence]:
    """Select an agent's absences that aren't over, by the agent's own calendar."""
    today = timezone.now().astimezone(zone_named(agent.time_zone)).date()
    return Absence.objects.filter(agent=agent, ends_on__gte=today)


def _set_absences(agent: User, absences: Sequence[tuple[dt.date, dt.date]]) -> dict[str, dict[str, list[str]]]:
    """Replace an agent's coming absences; return what changed for the audit log, nothing where nothing did."""
    coming = list(coming_absences(agent))
    if [(row.starts_on, row.ends_on) for row in coming] == list(absences):
        return {}
    if any(first > last for first, last in absences):
        raise DomainError(_("An absence must end on or after its first day."))
    kept = Absence.objects.filter(agent=agent).exclude(pk__in=[row.pk for row in coming])
    days = sorted([*absences, *kept.values_list("starts_on", "ends_on")])
    if any(next_first <= last for (_first, last), (next_first, _last) in pairwise(days)):
        raise DomainError(_("Two absences overlap."))
    for row in coming:
        row.delete()
    for first, last in absences:
        Absence(agent=agent, starts_on=first, ends_on=last).save()
    return {
        "before": {"absences": [str(row) for row in coming]},
        "after": {"absences": [f"{first} – {last}" for first, last in absences]},
    }
