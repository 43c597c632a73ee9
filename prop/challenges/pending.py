"""What is under way on accounts of challenges, which payouts, merges and resets wait for: read in one statement."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db import connection

UNDER_WAY: Final = """
SELECT p.id,
  (SELECT m.id FROM prop_accountmerge m WHERE (m.kept_id = p.id OR m.closed_id = p.id)
   AND m.state IN ('requested', 'closing', 'sending') LIMIT 1),
  EXISTS (SELECT FROM prop_challengepayout o WHERE o.phase_account_id = p.id AND o.state IN ('requested', 'sending')),
  EXISTS (SELECT FROM prop_judgementcorrection c WHERE c.phase_account_id = p.id AND c.state = 'open'),
  EXISTS (SELECT FROM prop_appeal a WHERE a.phase_account_id = p.id AND a.state = 'open'),
  EXISTS (SELECT FROM prop_appeal a WHERE a.phase_account_id = p.id AND a.state = 'open' AND a.payout_id IS NOT NULL),
  EXISTS (SELECT FROM prop_accountgrowth g WHERE g.phase_account_id = p.id AND g.state IN ('proposed', 'sending')),
  EXISTS (SELECT FROM trading_position t WHERE t.account_id = p.account_id),
  EXISTS (SELECT FROM prop_challengepause u WHERE u.challenge_id = p.challenge_id),
  EXISTS (SELECT FROM prop_fundingfailure f WHERE f.phase_account_id = p.id AND f.state = 'open')
FROM prop_phaseaccount p WHERE p.id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """What is under way on one account. merge_id: the open merge that it is in, as the kept or the closed one. was_paused: its
    challenge is or was paused."""

    merge_id: int | None
    has_payout: bool
    has_correction: bool
    has_appeal: bool
    has_payout_appeal: bool
    has_growth: bool
    has_positions: bool
    was_paused: bool
    has_funding_failure: bool


def pending_of(account_ids: Collection[int]) -> dict[int, Pending]:
    """Read what is under way on phase accounts by their keys, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(UNDER_WAY, [list(account_ids)])
        return {row[0]: Pending(*row[1:]) for row in cursor.fetchall()}
