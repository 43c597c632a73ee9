"""Publishing: outbox rows and their deliveries in one statement of the caller's transaction; a worker is woken when it commits."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import count
from typing import Any, get_args, get_type_hints

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.events import bus
from crm.events.bus import IN_COLUMNS, Event
from crm.events.envelope import acting
from crm.models import Actor
from crm.queue.enqueue import enqueue

COLUMNS = "name, version, payload, client_id, brand_id, occurred_at, actor_kind, actor_id"
GIVEN = f"""
INSERT INTO crm_outboxevent ({COLUMNS})
SELECT name, version, payload::jsonb, client_id, brand_id, %(at)s, %(actor_kind)s, %(actor_id)s
FROM unnest(%(event_names)s::text[], %(versions)s::int[], %(payloads)s::text[], %(clients)s::bigint[], %(brands)s::bigint[])
  WITH ORDINALITY AS event (name, version, payload, client_id, brand_id, place)
ORDER BY place
"""  # noqa: S608 - constants
# Ids are given in the order of the rows, so a client's deliveries keep the order in which their events were published.
PUBLISH = """
WITH made AS ({insert} RETURNING id, name, client_id, brand_id, payload), listed (name, handler, brand_id, path) AS (
  SELECT name, handler, NULL::bigint, NULL::jsonpath
  FROM unnest(%(names)s::text[], %(handlers)s::text[]) AS code (name, handler)
  UNION ALL
  SELECT event.name, 'subscription:' || s.id, s.brand_id, s.path FROM crm_eventsubscription s, unnest(s.events) AS event (name)
  WHERE s.is_enabled AND s.events && %(published)s::varchar[]
), heard AS (
  INSERT INTO crm_eventdelivery (event_id, handler, client_id, state, attempts, due_at, error)
  SELECT made.id, listed.handler, made.client_id, 'pending', 0, %(now)s, ''
  FROM made JOIN listed ON listed.name = made.name AND (listed.brand_id IS NULL OR listed.brand_id = made.brand_id)
    AND (listed.path IS NULL OR jsonb_path_match(made.payload, listed.path, silent => true) IS TRUE)
  ORDER BY made.id
  RETURNING 1)
SELECT {answer}, EXISTS (SELECT FROM heard)
"""


def publish(event: Event, *, actor: Actor = None, occurred_at: dt.datetime | None = None) -> int:
    """Insert the event and a delivery per handler in the caller's transaction; wake a worker on commit.

    actor: who caused it; without one it is the person who sent the request, or the system. occurred_at: where it wasn't just now.
    Raises: RuntimeError outside a transaction, for an event without its change must be impossible; ValueError for a
    client's event without the client's brand.
    """
    return publish_many([event], actor=actor, occurred_at=occurred_at)[0]


def publish_many(events: Iterable[Event], *, actor: Actor = None, occurred_at: dt.datetime | None = None) -> list[int]:
    """Publish many events with one statement; see `publish`. Returns their ids in the same order."""
    events = list(events)
    if not events:
        return []
    for event in events:
        if event.client_id is not None and event.brand_id is None:
            raise ValueError(f"{event.name} of client {event.client_id} needs the client's brand_id")
    parameters = {
        "event_names": [event.name for event in events],
        "versions": [event.version for event in events],
        "payloads": [event.to_payload().decode() for event in events],
        "clients": [event.client_id for event in events],
        "brands": [event.brand_id for event in events],
    }
    ids: list[int] = _publish(
        {event.name for event in events},
        GIVEN,
        parameters,
        "ARRAY(SELECT id FROM made ORDER BY id)",
        actor,
        occurred_at,
    )
    return ids


def publish_set(
    event_type: type[Event], rows: QuerySet[Any, Any], *, actor: Actor = None, occurred_at: dt.datetime | None = None
) -> int:
    """Publish one event for each row of a query, inside the database; returns how many. See `publish`.

    rows: `.values(client_id=…, brand_id=…, …)` with the event's fields under their names, in the order of publishing.
    Raises: TypeError where a column is no field of the event, or a field without a default has no column.
    """
    try:
        sql, values = rows.query.sql_with_params()
    except EmptyResultSet:  # Django knows that no row can match, as of an empty list of ids
        return 0
    columns = [*rows.query.values_select, *rows.query.annotation_select]
    parameters: dict[str, Any] = {f"value_{place}": value for place, value in enumerate(values)}
    places = count()
    query = re.sub(r"%%|%s", lambda mark: mark[0] if mark[0] == "%%" else f"%(value_{next(places)})s", sql)
    optional = [f"item.{name}" if name in columns else "NULL::bigint" for name in ("client_id", "brand_id")]
    insert = f"""
    INSERT INTO crm_outboxevent ({COLUMNS})
    SELECT %(name)s, %(version)s, {_payload_sql(event_type, columns)}, {", ".join(optional)},
      %(at)s, %(actor_kind)s, %(actor_id)s
    FROM ({query}) AS item"""  # noqa: S608 - names of fields, checked against the event
    parameters |= {"name": event_type.name, "version": event_type.version}
    published: int = _publish({event_type.name}, insert, parameters, "(SELECT count(*) FROM made)", actor, occurred_at)
    return published


def _payload_sql(event_type: type[Event], columns: list[str]) -> str:
    """Write the JSON of an event's data from a query's columns, in the form in which `to_payload` writes it."""
    fields, hints = event_type.data_fields(), get_type_hints(event_type)
    unknown = sorted(set(columns) - set(fields) - IN_COLUMNS)
    missing = sorted(
        name for name, field in fields.items() if name not in columns and field.default is dataclasses.MISSING
    )
    if unknown or missing:
        raise TypeError(f"{event_type.name}: the query has {unknown} too many and lacks {missing}")
    parts = []
    for name in (name for name in fields if name in columns):
        kinds = {hints[name], *get_args(hints[name])}
        value = f"item.{name}"
        if Decimal in kinds:
            value += "::text"
        elif dt.datetime in kinds:
            value = f"to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        parts.append(f"'{name}', {value}")
    return f"jsonb_build_object({', '.join(parts)})"


def _publish(
    names: set[str], insert: str, parameters: dict[str, Any], answer: str, actor: Actor, occurred_at: dt.datetime | None
) -> Any:
    if not connection.in_atomic_block:
        raise RuntimeError(f"publish({', '.join(sorted(names))}) outside a transaction: no event without its change")
    now, caused_by = timezone.now(), acting(actor)
    heard = [(name, handler) for name in sorted(names) for handler in bus.HANDLERS.get(name, [])]
    parameters |= {
        "now": now,
        "at": occurred_at or now,
        "actor_kind": caused_by.kind,
        "actor_id": caused_by.id,
        "published": sorted(names),
        "names": [name for name, _handler in heard],
        "handlers": [handler for _name, handler in heard],
    }
    with connection.cursor() as cursor:
        cursor.execute(PUBLISH.format(insert=insert, answer=answer), parameters)
        made, is_heard = cursor.fetchone()
    # Once for a transaction: what a savepoint undoes is no longer in this list.
    if is_heard and not any(entry[1] is enqueue_delivery for entry in connection.run_on_commit):
        transaction.on_commit(enqueue_delivery)
    return made


def enqueue_delivery() -> None:
    """Ask a worker to deliver at once; what it does not hear of the sweeper finds."""
    enqueue("crm.deliver_events")
