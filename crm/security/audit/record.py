from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.db import connection, models
from django.utils import timezone

from crm.audit_codes import AuditCode
from crm.db.bulk import copy_models
from crm.models import Actor, AuditEvent
from crm.security import crypto
from crm.security.request_context import RequestContext, current

# From this many rows on, COPY pays.
COPY_FROM = 50


def canonical(body: Mapping[str, Any]) -> bytes:
    """Write JSON with sorted keys; dates as ISO text, Decimals as text."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z, default=str)


def record(  # noqa: PLR0913  one keyword per part of one row: each verb's call reads as the row it writes
    *,
    actor: Actor,
    action: AuditCode,
    target: models.Model | tuple[str, object],
    client_id: int | None = None,
    brand_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Write one audit row in the caller's transaction.

    actor: the user, or None for the system's own work. action: a member of the app's `audit_codes.py`.
    target: the row acted on. client_id: encrypts the body under the client's own key. before/after: changed fields only.
    """
    fields = {
        "actor": actor,
        "action": action,
        "target": target,
        "client_id": client_id,
        "brand_id": brand_id,
        "before": before,
        "after": after,
        "reason": reason,
        "evidence": evidence,
    }
    return record_many([fields])[0]


def record_many(rows: Iterable[Mapping[str, Any]]) -> list[AuditEvent]:
    """Write many rows with a few statements; each mapping holds `record`'s arguments."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        transaction_id = cursor.fetchone()[0]
    context = current()
    now = timezone.now()
    made = [
        _row(context=context, at=row.get("at") or now, transaction_id=transaction_id, **_without_at(row))
        for row in rows
    ]
    personal = [row for row in made if row.client_id is not None]
    sealed = crypto.encrypt_many_for_clients([(row.client_id, bytes(row.body)) for row in personal])  # type: ignore[misc]
    for row, body in zip(personal, sealed, strict=True):
        row.body, row.is_encrypted = body, True
    if len(made) < COPY_FROM:
        return AuditEvent.objects.bulk_create(made)
    copy_models(made)
    return made


def _without_at(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "at"}


def _row(  # noqa: PLR0913  `record`'s keywords, and what all rows of a call share
    *,
    context: RequestContext,
    at: dt.datetime,
    transaction_id: int,
    actor: Actor,
    action: AuditCode,
    target: models.Model | tuple[str, object],
    client_id: int | None = None,
    brand_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> AuditEvent:
    if not isinstance(action, AuditCode):
        raise TypeError(f"{action!r} isn't an audit code: declare it in the app's audit_codes.py")
    if isinstance(target, models.Model):
        target_type, target_id = target._meta.label_lower, str(target.pk)
    else:
        target_type, target_id = target[0], str(target[1])
    content = {"before": before, "after": after, "reason": str(reason), "evidence": evidence}
    body = canonical({key: value for key, value in content.items() if value})
    return AuditEvent(
        at=at,
        transaction_id=transaction_id,
        actor=actor,
        actor_label=str(actor) if actor else "Keelson",
        action=action.value,
        target_type=target_type,
        target_id=target_id,
        client_id=client_id,
        brand_id=brand_id,
        ip=context.ip,
        request_id=context.request_id,
        body=body,
    )


def body_of(event: AuditEvent) -> dict[str, Any]:
    """Read before, after, reason and evidence of a row; `{"erased": True}` once the client's key is destroyed."""
    raw = bytes(event.body)
    if event.is_encrypted:
        assert event.client_id is not None
        try:
            raw = crypto.decrypt_for_client(event.client_id, raw)
        except crypto.KeyDestroyed:
            return {"erased": True}
        except crypto.InvalidTag:
            return {"tampered": True}
    body: dict[str, Any] = orjson.loads(raw)
    return body


def bodies_of(events: Iterable[AuditEvent]) -> list[dict[str, Any]]:
    """Read `body_of` of many rows; the clients' keys are read once."""
    rows = list(events)
    sealed = [row for row in rows if row.is_encrypted]
    opened = dict(
        zip(
            [row.pk for row in sealed],
            crypto.decrypt_many_for_clients([(row.client_id or 0, row.body) for row in sealed]),
            strict=True,
        )
    )
    return [_read(opened.get(row.pk, bytes(row.body))) for row in rows]


def _read(plain: bytes | Exception) -> dict[str, Any]:
    if isinstance(plain, crypto.KeyDestroyed):
        return {"erased": True}
    if isinstance(plain, Exception):
        return {"tampered": True}
    body: dict[str, Any] = orjson.loads(plain)
    return body
