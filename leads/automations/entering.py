"""Who enters an automation: by an event, a date, what didn't happen, a segment, or another automation; once for each reason."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.choices import Stage
from clients.models import Client
from clients.vocabulary import CLIENT
from crm.conditions import Field
from crm.db.locking import lock_or_none
from crm.due import DueItem, due_many
from crm.events.envelope import Envelope
from crm.events.targets import Target, declare
from crm.models import EventSubscription, User
from crm.security.crypto import lasting_key
from leads.automations.choices import AutomationState, TriggerKind, Variant
from leads.automations.definition import Definition, in_force
from leads.models import Automation

STEP_DUE: Final = "leads.automation_step"  # declared in leads/automations/running.py
PURPOSE: Final = "automation-group"
CHUNK: Final = 2_000
# A client enters once for a reason and is in an automation once at a time (UNIQUE), and at most so often in a period: this
# bounds an automation that starts itself.
ENTER: Final = """
INSERT INTO leads_automationrun (automation_id, version_id, client_id, state, variant, position, is_watching, trigger_key,
  event_id, entered_at, next_at, attempts, error, reason)
SELECT %(automation)s, %(version)s, item.client_id, 'active', item.variant, item.position, %(watches)s, item.key, item.event_id,
  %(now)s, item.next_at, 0, '', ''
FROM unnest(%(clients)s::bigint[], %(keys)s::text[], %(events)s::bigint[], %(variants)s::text[], %(positions)s::int[],
  %(nexts)s::timestamptz[]) AS item (client_id, key, event_id, variant, position, next_at)
WHERE (SELECT count(*) FROM leads_automationrun r WHERE r.automation_id = %(automation)s AND r.client_id = item.client_id
  AND r.entered_at > %(since)s AND r.state <> 'not_started') < %(most)s
ORDER BY item.client_id
ON CONFLICT DO NOTHING RETURNING id, client_id, next_at
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Why a client may enter. `key`: of this reason, for one entry."""

    client_id: int
    key: str
    event_id: int | None = None


def enter(automation: Automation, arrivals: Sequence[Arrival], *, watches: bool = True) -> set[int]:
    """Let clients into an active automation's version, in the caller's transaction; returns the ids of those who entered.

    They must be of the brand, not closed or merged, meet the conditions and be below the limit of entries. watches: False for
    who is let in by another automation: what the trigger waits for isn't waited for.
    """
    version = automation.version
    if version is None or automation.state != AutomationState.ACTIVE or not arrivals:
        return set()
    definition, now = in_force(version), timezone.now()
    is_watching = watches and definition.trigger.kind == TriggerKind.ABSENT
    fit = fitting(automation.brand_id, definition, [arrival.client_id for arrival in arrivals], now, is_watching)
    entered: set[int] = set()
    rows = [_row(automation, definition, arrival, now, is_watching) for arrival in arrivals if arrival.client_id in fit]
    rows = [row for row in rows if row is not None]
    if not rows:
        return set()
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            ENTER,
            {
                "automation": automation.pk,
                "version": version.pk,
                "watches": is_watching,
                "now": now,
                "since": now - dt.timedelta(days=definition.entries_days),
                "most": definition.entries_max,
                **dict(zip(("clients", "keys", "events", "variants", "positions", "nexts"), columns, strict=True)),
            },
        )
        made = cursor.fetchall()
    due_many(STEP_DUE, [DueItem(pk, at, client_id, automation.brand_id) for pk, client_id, at in made])
    entered.update(client_id for _pk, client_id, _at in made)
    return entered


def fitting(
    brand_id: int, definition: Definition, client_ids: Sequence[int], now: dt.datetime, is_watching: bool = False
) -> set[int]:
    """Select the ids of those who may enter; whoever is watched first is asked for the conditions after the wait."""
    rows = Client.objects.filter(pk__in=client_ids, brand_id=brand_id, merged_into=None).exclude(stage=Stage.CLOSED)
    if not is_watching and definition.condition.parts():
        rows = rows.filter(definition.condition.q(now))
    return set(rows.order_by().values_list("pk", flat=True))


def variant_of(automation_id: int, client_id: int, split: int) -> str:
    """Put a client into group A or B by a keyed hash, the same whenever they enter; empty where there are no groups."""
    if not split:
        return Variant.ALL.value
    number = int.from_bytes(hmac.digest(lasting_key(PURPOSE), f"{automation_id}:{client_id}".encode(), "sha256")[:8])
    return Variant.B.value if number % 100 < split else Variant.A.value


def _row(
    automation: Automation, definition: Definition, arrival: Arrival, now: dt.datetime, is_watching: bool
) -> tuple[Any, ...] | None:
    variant = variant_of(automation.pk, arrival.client_id, definition.split)
    step = definition.step_from(0, variant)
    if step is None:  # nothing to do for this group
        return None
    wait = dt.timedelta(hours=definition.trigger.hours) if is_watching else step.wait
    return arrival.client_id, arrival.key[:80], arrival.event_id, variant, step.position, now + wait


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _hear(subscription: EventSubscription, envelopes: list[Envelope]) -> None:
    """Let in those whom events are about: one event lets a client in once, however often it is delivered."""
    automation = Automation.objects.select_related("version").get(pk=subscription.options["automation"])
    arrivals = [
        Arrival(envelope.client, f"event:{envelope.id}", envelope.id)
        for envelope in envelopes
        if envelope.client is not None
    ]
    enter(automation, arrivals)


def _no_fields(user: User) -> dict[str, forms.Field]:
    return {}


HEARS = declare(
    Target("automation", gettext_lazy("Automation"), _no_fields, dict, lambda row: {}, _hear, is_managed=True)
)


# ── dates ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def enter_by_date() -> int:
    """Let in those whose date came since the last look, for every active automation that waits for one; returns how many."""
    rows = Automation.objects.filter(state=AutomationState.ACTIVE, version__definition__trigger__kind=TriggerKind.DATE)
    return sum(_enter_by_date(pk) for pk in rows.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _enter_by_date(automation_id: int) -> int:
    automation = lock_or_none(Automation, automation_id, "version")
    if automation is None or automation.state != AutomationState.ACTIVE or automation.version is None:
        return 0
    now, trigger = timezone.now(), automation.version.definition["trigger"]
    field = CLIENT.field(trigger["field"])
    begin = automation.dates_until or now
    automation.dates_until = now
    automation.save(update_fields=["dates_until"])
    if field is None:
        return 0
    arrivals = due_dates(automation.brand_id, field, trigger["days"], begin, now)
    chunks = [arrivals[start : start + CHUNK] for start in range(0, len(arrivals), CHUNK)]
    return sum(len(enter(automation, chunk)) for chunk in chunks)


def due_dates(brand_id: int, field: Field, days: int, begin: dt.datetime, end: dt.datetime) -> list[Arrival]:
    """List whose date plus these days lies behind `begin` and not behind `end`, by the client's id."""
    wait = dt.timedelta(days=days)
    between = {f"{field.lookup}__gt": begin - wait, f"{field.lookup}__lte": end - wait}
    if field.rows is None:
        found = Client.objects.filter(brand_id=brand_id, **between).values_list("pk", field.lookup)
    else:
        found = field.rows().filter(client__brand_id=brand_id, **between).values_list("client_id", field.lookup)
    return [Arrival(client_id, f"date:{at.isoformat()}") for client_id, at in found.order_by()]
