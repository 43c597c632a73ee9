"""How far a client is verified: level 1 is who they are, level 2 also where they live. The rule itself is in `facts.py`."""

from __future__ import annotations

from django.utils import timezone

from clients.facts import rebuild_client
from clients.models import Client
from crm.events import ClientVerified, publish
from crm.security import audit
from kyc.audit_codes import KycAction
from kyc.brand_policies import KYC_LEVEL_REQUIRED
from kyc.models import Document, LevelReached


def level_required(client: Client) -> int:
    """Return the level that makes a client “verified” at this brand: its policy `kyc_level_required`."""
    return KYC_LEVEL_REQUIRED.of(client.brand)


def note_level(*, client: Client, document: Document) -> int:
    """Recompute the level after an approval took effect; the first time a level is reached, publish it once.

    The caller holds the client's lock. Returns the level.
    """
    rebuild_client(client.pk, "kyc_level")
    level = Client.objects.values_list("kyc_level", flat=True).get(pk=client.pk)
    reached = set(LevelReached.objects.filter(client=client).values_list("level", flat=True))
    fresh = [step for step in range(1, level + 1) if step not in reached]
    if not fresh:
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
        evidence={"document": document.pk},
    )
    publish(ClientVerified(level=level, client_id=client.pk, brand_id=client.brand_id), actor=document.reviewed_by)
    return level
