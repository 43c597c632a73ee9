"""How far a client is verified: recomputed when a proof comes or goes, and for a whole brand when its levels change."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.choices import Stage
from clients.facts import GENERATED_ONCE, rebuild_client
from clients.models import Client
from crm.db.locking import lock
from crm.due import DueKind, declare, due
from crm.events import ClientVerified, KycLevelLost, KycLevelRegained, publish, publish_many
from crm.models import Actor, Brand, DueRow
from crm.security import audit
from kyc.audit_codes import KycAction
from kyc.brand_policies import KYC_LEVEL_REQUIRED
from kyc.choices import LevelLoss
from kyc.levels.ladder import is_required
from kyc.levels.sql import levels_sql
from kyc.models import Document, LevelReached
from kyc.models.level_tables import LevelTable

MOVE = f"""
WITH moved AS (
  UPDATE clients_client c SET kyc_level = n.level, {GENERATED_ONCE} FROM (
    SELECT k.id, coalesce(s.level, 0) AS level, k.kyc_level AS before, k.stage = %(related)s AS related
    FROM clients_client k LEFT JOIN ({{levels}}) s(client_id, level) ON s.client_id = k.id
    WHERE k.brand_id = %(brand)s AND k.kyc_level <> coalesce(s.level, 0)
  ) n WHERE c.id = n.id RETURNING c.id, n.level, n.before, n.related
), fresh AS (
  INSERT INTO kyc_levelreached (client_id, level, reached_at)
  SELECT m.id, step, %(now)s FROM moved m CROSS JOIN LATERAL generate_series(1, m.level) step
  ON CONFLICT (client_id, level) DO NOTHING RETURNING client_id, level
)
SELECT m.id, m.level, m.before, m.related, EXISTS (SELECT FROM fresh f WHERE f.client_id = m.id) FROM moved m ORDER BY m.id
"""  # noqa: S608 — of constants


def level_required(client: Client) -> int:
    """Return the level that makes a client “verified” at this brand: its policy `kyc_level_required`."""
    return KYC_LEVEL_REQUIRED.of(client.brand)


def note_level(
    *,
    client: Client,
    document: Document | None = None,
    decided_by: Actor = None,
    loss: LevelLoss = LevelLoss.PROOF_GONE,
) -> int:
    """Recompute the level after a proof came or went; publish one that is reached for the first time or again, and each fall.

    loss: what a fall comes from.

    The caller holds the client's lock. Returns the level.
    """
    levels = Client.objects.values_list("kyc_level", flat=True)
    before = levels.get(pk=client.pk)
    rebuild_client(client.pk, "kyc_level")
    level = levels.get(pk=client.pk)
    if level < before and client.stage != Stage.RELATED:
        publish(
            KycLevelLost(level=level, level_before=before, reason=loss, client_id=client.pk, brand_id=client.brand_id)
        )
    reached = set(LevelReached.objects.filter(client=client).values_list("level", flat=True))
    fresh = [step for step in range(1, level + 1) if step not in reached]
    if not fresh:
        if level > before and client.stage != Stage.RELATED:
            publish(KycLevelRegained(level=level, level_before=before, client_id=client.pk, brand_id=client.brand_id))
        return level
    now = timezone.now()
    LevelReached.objects.bulk_create(
        [LevelReached(client=client, level=step, reached_at=now, document=document) for step in fresh]
    )
    audit.record(
        actor=None,
        action=KycAction.LEVEL_REACHED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"level": max(reached, default=0)},
        after={"level": level},
        evidence={"document": document.pk} if document else {},
    )
    if client.stage == Stage.RELATED:
        return level  # verified for their company; nothing opens for them
    publish(ClientVerified(level=level, client_id=client.pk, brand_id=client.brand_id), actor=decided_by)
    return level


@transaction.atomic
def note_proof(*, client_id: int, proof: str) -> None:
    """Recompute a client's level after a proof came or went, where the brand's levels ask for it."""
    client = lock(Client, client_id, "brand", no_key=True)
    if is_required(client.brand, proof):
        note_level(client=client)


# ── a brand's levels change ──────────────────────────────────────────────────────────────────────────────────────────


def _take_effect(row: DueRow) -> None:
    """Put a table of levels in force on its day, and move every client of the brand whose level it makes another."""
    table = LevelTable.objects.get(pk=int(row.key))
    brand = lock(Brand, table.brand_id)
    if brand.kyc_level_table >= table.pk:
        return  # a later one holds already
    before = brand.kyc_level_table
    brand.kyc_level_table = table.pk
    brand.save(update_fields=["kyc_level_table"])
    moved = move_all(brand)
    audit.record(
        actor=None,
        action=KycAction.LEVELS_IN_FORCE,
        target=table,
        brand_id=brand.pk,
        before={"table": before},
        after={"table": table.pk, "clients_moved": moved},
        reason=table.reason,
    )


IN_FORCE = declare(DueKind("kyc.levels_in_force", gettext_lazy("KYC levels take effect"), _take_effect))


def schedule(table: LevelTable) -> None:
    """Have a table take effect when its day begins at the brand; one of today, now."""
    zone = zoneinfo.ZoneInfo(table.brand.time_zone or "UTC")
    begins = dt.datetime.combine(table.effective_on, dt.time(), zone)
    due(IN_FORCE, key=table.pk, at=max(begins, timezone.now()), brand_id=table.brand_id)


def move_all(brand: Brand) -> int:
    """Recompute all clients of a brand with one statement and publish who reached a level first and who lost one.

    The caller holds the brand's lock. Returns how many clients changed level.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            MOVE.replace("{levels}", levels_sql()),
            {"brand": brand.pk, "related": Stage.RELATED.value, "now": timezone.now()},
        )
        moved: list[tuple[int, int, int, bool, bool]] = cursor.fetchall()
    publish_many(
        ClientVerified(level=level, client_id=client_id, brand_id=brand.pk)
        for client_id, level, _before, related, is_first in moved
        if is_first and not related
    )
    publish_many(
        KycLevelLost(
            level=level, level_before=before, reason=LevelLoss.LEVELS_CHANGED, client_id=client_id, brand_id=brand.pk
        )
        for client_id, level, before, related, _is_first in moved
        if level < before and not related
    )
    publish_many(
        KycLevelRegained(level=level, level_before=before, client_id=client_id, brand_id=brand.pk)
        for client_id, level, before, related, is_first in moved
        if level > before and not is_first and not related
    )
    return len(moved)
