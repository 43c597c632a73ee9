"""Subscriptions to events as rows: which events of a brand go to whom, set up by an administrator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.choices import DeliveryState
from crm.conditions import Condition, everything, read
from crm.db.locking import lock, lock_all
from crm.errors import DomainError, WrongState
from crm.events.bus import EVENT_TYPES, label_of
from crm.events.conditions import conditional_fields, path_of, vocabulary_of
from crm.events.targets import TARGETS, chosen_by_people
from crm.models import Actor, Brand, EventDelivery, EventSubscription, User
from crm.models.outbox import SUBSCRIPTION
from crm.security import audit
from crm.security.policies import Decision, has_permission, no, require
from crm.security.scope import reach_of
from crm.staff.company import reaches_all_brands, require_reason

MANAGES: Final = "crm.manage_events"
PER_BRAND_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class SubscriptionDetails:
    """What an administrator chooses; `options` are the target's, `condition` is on the events' data, empty for every event."""

    name: str
    events: list[str]
    options: dict[str, Any] = field(default_factory=dict)
    condition: dict[str, Any] = field(default_factory=dict)


def can_subscribe(actor: Actor, brand_id: int | None) -> Decision:
    """Allow subscribing to a brand's events to who reaches all of it, and to those of all brands to who reaches every one."""
    allowed = has_permission(actor, MANAGES)
    if not allowed or actor is None:
        return allowed
    reached = reaches_all_brands(actor) if brand_id is None else brand_id in reach_of(actor).whole_brands
    return allowed if reached else no(_("You don't have access to all clients of this subscription's brands."))


def subscriptions_visible_to(user: User) -> QuerySet[EventSubscription]:
    """Select the subscriptions of the brands that a user reaches as a whole; those to all brands, for who reaches every one."""
    mine = Q(brand__in=reach_of(user).whole_brands)
    if reaches_all_brands(user):
        mine |= Q(brand=None)
    managed = [code for code, target in TARGETS.items() if target.is_managed]
    return EventSubscription.objects.filter(mine).exclude(target__in=managed)


def subscription_of(user: User, handler: str) -> EventSubscription | None:
    """Find the subscription that a delivery goes to; None for one to code, and where the user doesn't see it."""
    number = handler.removeprefix(SUBSCRIPTION)
    return None if number == handler else subscriptions_visible_to(user).filter(pk=int(number)).first()


@transaction.atomic
def create_subscription(
    *, brand_id: int | None, target: str, actor: User, details: SubscriptionDetails
) -> EventSubscription:
    """Subscribe to events of a brand, or of all brands with `brand_id=None`; they are sent from now on.

    Who: `crm.manage_events`, reaching the whole brand. Raises: NotAllowed; DomainError for an unknown target or event, a name
    that is taken, or too many subscriptions.
    """
    require(can_subscribe(actor, brand_id))
    if target not in chosen_by_people():
        raise DomainError(_("Choose where the events go."))
    # Two at once wait for each other, so that neither goes over the limit.
    brands = lock_all(Brand.objects.filter(pk=brand_id) if brand_id is not None else Brand.objects.all())
    brand = brands[0] if brand_id is not None else None
    theirs = EventSubscription.objects.filter(brand=brand) if brand else EventSubscription.objects.filter(brand=None)
    if theirs.filter(archived_at=None, target__in=chosen_by_people()).count() >= PER_BRAND_MAX:
        raise DomainError(
            _("There are already %(count)s subscriptions. Archive one that you no longer need first.")
            % {"count": PER_BRAND_MAX}
        )
    row = EventSubscription(brand=brand, target=target, created_by=actor)
    _assign(row, details)
    _save(row)
    _record(row, actor, CrmAction.EVENT_SUBSCRIPTION_CREATED, after=_values(row))
    return row


@transaction.atomic
def change_subscription(*, subscription_id: int, actor: User, details: SubscriptionDetails) -> EventSubscription:
    """Change name, events or options of a subscription. Who: as for a new one. Raises: NotAllowed, WrongState, DomainError."""
    row = _locked(subscription_id, actor)
    before = _values(row)
    _assign(row, details)
    after = _values(row)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        _save(row)
        _record(
            row,
            actor,
            CrmAction.EVENT_SUBSCRIPTION_CHANGED,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return row


@transaction.atomic
def set_subscription_enabled(*, subscription_id: int, is_enabled: bool, actor: User) -> EventSubscription:
    """Pause a subscription, or resume it. What happens while it is paused is never sent, nor what was still waiting.

    Who: as for a new one. Raises: NotAllowed, WrongState.
    """
    row = _locked(subscription_id, actor)
    if row.is_enabled == is_enabled:
        raise WrongState(_("Nothing to change: this is already set."))
    row.is_enabled = is_enabled
    row.save(update_fields=["is_enabled"])
    skipped = 0 if is_enabled else _skip_waiting(row)
    action = CrmAction.EVENT_SUBSCRIPTION_RESUMED if is_enabled else CrmAction.EVENT_SUBSCRIPTION_PAUSED
    _record(row, actor, action, evidence={"skipped": skipped})
    return row


@transaction.atomic
def archive_subscription(*, subscription_id: int, actor: User, reason: str) -> EventSubscription:
    """End a subscription for good; its deliveries stay as the record, and what was still waiting is skipped.

    Who: as for a new one. Raises: NotAllowed, WrongState; DomainError without a reason.
    """
    row = _locked(subscription_id, actor)
    require_reason(reason)
    row.is_enabled, row.archived_at = False, timezone.now()
    row.save(update_fields=["is_enabled", "archived_at"])
    skipped = _skip_waiting(row)
    _record(row, actor, CrmAction.EVENT_SUBSCRIPTION_ARCHIVED, reason=reason, evidence={"skipped": skipped})
    return row


def subscribe_app(
    row: EventSubscription, *, events: list[str], path: str | None, is_enabled: bool
) -> EventSubscription:
    """Write the subscription of an app's own thing, such as an automation: never seen or changed as a subscription by people.

    row: new with name, brand, target, options and maker, or the one to change. What waits for one that is switched off is skipped.
    """
    row.events, row.path, row.is_enabled = sorted(events), path, is_enabled
    row.save()
    if not is_enabled:
        _skip_waiting(row)
    return row


def _locked(subscription_id: int, actor: User) -> EventSubscription:
    row = lock(EventSubscription.objects.filter(target__in=chosen_by_people()), subscription_id)
    require(can_subscribe(actor, row.brand_id))
    if row.archived_at is not None:
        raise WrongState(_("This subscription is archived."))
    return row


def _skip_waiting(row: EventSubscription) -> int:
    waiting = EventDelivery.objects.filter(handler=row.handler, state=DeliveryState.PENDING)
    return waiting.update(state=DeliveryState.SKIPPED, finished_at=timezone.now())


def _assign(row: EventSubscription, details: SubscriptionDetails) -> None:
    events, condition = check_events(details.events, details.condition)
    if not details.name.strip():
        raise DomainError(_("Enter a name."))
    row.condition, row.path = (condition.stored(), path_of(condition)) if condition.fields() else ({}, None)
    row.name, row.events, row.options = details.name.strip()[:80], events, details.options


def check_events(events: Sequence[str], asked: Mapping[str, Any]) -> tuple[list[str], Condition]:
    """Check chosen events and the condition on their data: each of them has to declare what it asks. Raises: DomainError."""
    unknown = sorted(set(events) - set(EVENT_TYPES))
    if unknown:
        raise DomainError(_("Unknown events: %(names)s.") % {"names": ", ".join(unknown)[:200]})
    if not events:
        raise DomainError(_("Choose at least one event."))
    if not asked:
        return sorted(set(events)), everything()
    condition = read(dict(asked), vocabulary_of(list(EVENT_TYPES.values())))
    for event_type in (EVENT_TYPES[name] for name in events):
        declared = conditional_fields(event_type)
        for field_asked in condition.fields():
            if field_asked.name not in declared:
                raise DomainError(
                    _("“%(event)s” has no field “%(field)s”. Remove the event or this condition.")
                    % {"event": label_of(event_type.name), "field": field_asked.label}
                )
    return sorted(set(events)), condition


def _save(row: EventSubscription) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise DomainError(
            _("There's already a subscription called “%(name)s”.") % {"name": row.name}, code="duplicate"
        ) from None


def _values(row: EventSubscription) -> dict[str, Any]:
    return {
        "name": row.name,
        "events": row.events,
        "target": row.target,
        "options": row.options,
        "condition": row.condition,
    }


def _record(row: EventSubscription, actor: User, action: CrmAction, **given: Mapping[str, Any] | str) -> None:
    audit.record(actor=actor, action=action, target=row, brand_id=row.brand_id, **given)  # type: ignore[arg-type]
