"""The locks of a merge: the client, both challenges, both accounts and the merge, in this order."""

from __future__ import annotations

from clients.models import Client
from crm.db.locking import lock, lock_all
from prop.models import AccountMerge, Challenge, PhaseAccount


def lock_pair(client_id: int, kept_id: int, closed_id: int) -> tuple[PhaseAccount, PhaseAccount]:
    """Lock two accounts of a client with their challenges; each comes with its challenge, client and brand."""
    client = lock(Client, client_id, "brand")
    owners = PhaseAccount.objects.filter(pk__in=[kept_id, closed_id]).values("challenge")
    challenges = {
        each.pk: each for each in lock_all(Challenge, "version__programme", pks=[o["challenge"] for o in owners])
    }
    rows = {each.pk: each for each in lock_all(PhaseAccount, "phase", "account__server", pks=[kept_id, closed_id])}
    for row in rows.values():
        row.challenge = challenges[row.challenge_id]
        row.challenge.client = client
    return rows[kept_id], rows[closed_id]


def locked(merge_id: int) -> AccountMerge:
    """Lock a merge and, before it, what it changes."""
    client_id, kept_id, closed_id = AccountMerge.objects.values_list(
        "kept__challenge__client_id", "kept_id", "closed_id"
    ).get(pk=merge_id)
    kept, closed = lock_pair(client_id, kept_id, closed_id)
    merge = lock(AccountMerge, merge_id, "work")
    merge.kept, merge.closed = kept, closed
    return merge
