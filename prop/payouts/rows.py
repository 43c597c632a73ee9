"""Rows of a challenge that its page and its checks read again and again: few each, by statements written once."""

from __future__ import annotations

from typing import Final

from crm.db.prepared import ByKey
from prop.models import AccountGrowth, AccountMerge, ChallengePayout, PhaseAccount

PAYOUTS: Final = ByKey(lambda: ChallengePayout.objects.select_related("operation").order_by("-pk"), "challenge_id")
GROWTHS: Final = ByKey(lambda: AccountGrowth.objects.order_by("-number"), "phase_account_id")
MERGES: Final = AccountMerge.objects.select_related("kept__account", "closed__account").order_by("-pk")
INTO: Final = ByKey(lambda: MERGES, "kept__challenge_id")
CLOSED: Final = ByKey(lambda: MERGES, "closed_id")


def payouts_of(row: PhaseAccount) -> list[ChallengePayout]:
    """List an account's payouts with their operations, the newest first."""
    return [payout for payout in PAYOUTS.all(challenge_id=row.challenge_id) if payout.phase_account_id == row.pk]


def growths_of(row: PhaseAccount) -> list[AccountGrowth]:
    """List the steps by which an account grew or may grow, the newest first."""
    return GROWTHS.all(phase_account_id=row.pk)


def merges_into(challenge_id: int) -> list[AccountMerge]:
    """List the merges that let an account of a challenge grow, the newest first."""
    return INTO.all(kept__challenge_id=challenge_id)


def merges_of(row: PhaseAccount) -> list[AccountMerge]:
    """List the merges that an account was in, the newest first."""
    into = [merge for merge in merges_into(row.challenge_id) if merge.kept_id == row.pk]
    return sorted([*into, *CLOSED.all(closed_id=row.pk)], key=lambda merge: -merge.pk)
