"""What an automation would have done: past events and dates looked at with a draft, nothing written."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models.expressions import RawSQL
from django.utils import timezone

from clients.models import Client
from clients.queries import clients_visible_to
from crm.models import Brand, OutboxEvent, User
from leads.automations.choices import TriggerKind
from leads.automations.definition import Definition
from leads.automations.entering import Arrival, due_dates, fitting, variant_of
from leads.models import Automation

DAYS: Final = 30
LOOKED_AT_MAX: Final = 20_000
SAMPLE: Final = 10


@dataclass(frozen=True)
class Rehearsal:
    """The result: how many arrived, how many would have entered, how often each step would have been reached, and a sample.

    `is_cut`: only the newest arrivals were looked at. Conditions are asked of the records as they are now.
    """

    since: dt.datetime
    arrived: int
    entered: int
    clients: int
    steps: Sequence[tuple[str, int]]
    sample: Sequence[Client]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Past:
    client_id: int
    at: dt.datetime
    event_id: int = 0


def rehearse(automation: Automation, definition: Definition, user: User, *, days: int = DAYS) -> Rehearsal:
    """Find who would have entered in the last days, and what would have been done for them; writes nothing.

    The sample holds only clients whom the user reaches.
    """
    now = timezone.now()
    since = now - dt.timedelta(days=days)
    past = _arrivals(automation.brand, definition, since, now)
    is_cut = len(past) >= LOOKED_AT_MAX
    if definition.trigger.kind == TriggerKind.ABSENT:
        past = _unanswered(past, definition, now)
    fit = fitting(automation.brand_id, definition, list({item.client_id for item in past}), now)
    entered = _within_limit([item for item in past if item.client_id in fit], definition)
    groups = [variant_of(automation.pk, item.client_id, definition.split) for item in entered]
    steps = [(step.words(), sum(step.variant in ("", group) for group in groups)) for step in definition.steps]
    ids = list(dict.fromkeys(item.client_id for item in reversed(entered)))
    sample = clients_visible_to(user).filter(pk__in=ids[: SAMPLE * 10]).defer("search_text").order_by("-pk")[:SAMPLE]
    return Rehearsal(since, len(past), len(entered), len(ids), steps, list(sample), is_cut)


def _arrivals(brand: Brand, definition: Definition, since: dt.datetime, now: dt.datetime) -> list[_Past]:
    trigger = definition.trigger
    if trigger.kind == TriggerKind.DATE:
        assert trigger.field is not None
        found: list[Arrival] = due_dates(brand.pk, trigger.field, trigger.days, since, now)
        return [_Past(arrival.client_id, now) for arrival in found[:LOOKED_AT_MAX]]
    rows = OutboxEvent.objects.filter(
        name__in=trigger.events, brand_id=brand.pk, occurred_at__gte=since, client_id__isnull=False
    )
    if trigger.path:
        rows = rows.filter(RawSQL("jsonb_path_match(payload, %s::jsonpath, silent => true) IS TRUE", [trigger.path]))
    newest = rows.order_by("-id").values_list("client_id", "occurred_at", "id")[:LOOKED_AT_MAX]
    return [_Past(client_id, at, pk) for client_id, at, pk in reversed(list(newest)) if client_id is not None]


def _unanswered(past: Sequence[_Past], definition: Definition, now: dt.datetime) -> list[_Past]:
    """Keep those whom what was waited for didn't follow in time."""
    wait = dt.timedelta(hours=definition.trigger.hours)
    ids = {item.client_id for item in past}
    answers: dict[int, list[dt.datetime]] = defaultdict(list)
    rows = OutboxEvent.objects.filter(client_id__in=ids, name=definition.trigger.absent)
    for client_id, at in rows.values_list("client_id", "occurred_at"):
        answers[client_id or 0].append(at)
    return [
        item
        for item in past
        if item.at + wait <= now and not any(item.at <= at <= item.at + wait for at in answers[item.client_id])
    ]


def _within_limit(past: Sequence[_Past], definition: Definition) -> list[_Past]:
    """Apply the limit of entries per client and period, in the order of time."""
    period = dt.timedelta(days=definition.entries_days)
    entries: dict[int, list[_Past]] = defaultdict(list)
    for item in past:
        mine = [one for one in entries[item.client_id] if one.at > item.at - period]
        if len(mine) < definition.entries_max:
            entries[item.client_id].append(item)
    return sorted((item for items in entries.values() for item in items), key=lambda item: (item.at, item.event_id))
