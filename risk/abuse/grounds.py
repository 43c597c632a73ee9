"""Whether the evidence of open episodes still holds: deals may be edited or deleted, clients merged or erased."""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction

from crm.db.locking import lock_all
from crm.models import SubjectKey
from risk.abuse.choices import Abuse, EpisodeState, Lost
from risk.abuse.models import AbuseEpisode

AT_ONCE_MAX: Final = 2_000
# A half of the evidence deleted or changed is too much to rest on.
CHANGED: Final = """
SELECT t.episode_id, count(*), count(*) FILTER (WHERE d.id IS NULL OR d.deleted_at IS NOT NULL),
  count(*) FILTER (WHERE d.revision <> t.revision)
FROM risk_episodetrade t JOIN risk_abuseepisode e ON e.id = t.episode_id AND e.state = 'open'
LEFT JOIN trading_deal d ON d.id = t.deal_id AND d.executed_at = t.opened_at
GROUP BY 1 HAVING count(*) FILTER (WHERE d.id IS NULL OR d.deleted_at IS NOT NULL OR d.revision <> t.revision) > 0
LIMIT %(most)s
"""
BY_IDENTITY: Final = (Abuse.MULTI, Abuse.HEDGE, Abuse.COPY, Abuse.BONUS)


@transaction.atomic
def recheck() -> int:
    """Note on open episodes that their evidence no longer holds, and why. Returns how many changed."""
    reasons: dict[int, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, {"most": AT_ONCE_MAX})
        for episode, count, deleted, edited in cursor:
            if 2 * deleted >= count:
                reasons[episode] = Lost.DELETED
            elif 2 * (deleted + edited) >= count:
                reasons[episode] = Lost.EDITED
    reasons |= dict.fromkeys(_merged(), Lost.MERGED) | dict.fromkeys(_erased(), Lost.ERASED)
    changed = 0
    for row in lock_all(AbuseEpisode.objects.filter(state=EpisodeState.OPEN), pks=list(reasons)):
        if row.lost != reasons[row.pk]:
            row.lost = reasons[row.pk]
            row.save(update_fields=["lost"])
            changed += 1
    return changed


def _merged() -> list[int]:
    """Find open episodes across clients who are one record now."""
    rows = AbuseEpisode.objects.filter(
        state=EpisodeState.OPEN, kind__in=BY_IDENTITY, parties__client__merged_into__isnull=False
    ).distinct()
    found = []
    for row in rows.prefetch_related("parties__client")[:AT_ONCE_MAX]:
        clients = [party.client for party in row.parties.all()]
        if len(clients) > 1 and len({client.merged_into_id or client.pk for client in clients}) == 1:
            found.append(row.pk)
    return found


def _erased() -> list[int]:
    """Find open episodes about what clients share, of whom one was erased."""
    erased = SubjectKey.objects.filter(destroyed_at__isnull=False).values("client_id")
    rows = AbuseEpisode.objects.filter(state=EpisodeState.OPEN, kind=Abuse.MULTI, parties__client__in=erased)
    return list(rows.distinct().values_list("pk", flat=True)[:AT_ONCE_MAX])
