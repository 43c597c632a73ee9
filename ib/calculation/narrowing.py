"""Which lines a version that is tried out can change; all others stay as they were accrued and aren't calculated again.

It can change lines on trades of a partner who holds the plan that it stands for, and lines of a partner above who holds it and is
paid by their own plan. Lines that share something with these are calculated beside them: those below or above in a difference
payout, all levels under one cap, all lines that caps per day, month or revenue count, those of which a part is passed on; and
whatever isn't accrued yet.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.utils import CursorWrapper

from ib.calculation.tried import TRIED_PLAN, Instead
from ib.calculation.wanted import Features
from ib.choices import Network

_RATE: Final = f"""LEFT JOIN ib_fx r ON r.base = x.currency AND r.day = (x.closed_at AT TIME ZONE 'UTC')::date
  AND r.quote = (SELECT currency FROM ib_version WHERE plan_id = {TRIED_PLAN})"""  # noqa: S608
_IS_PASSED: Final = "bool_or(x.passed_percent IS NOT NULL OR x.passed_per_lot IS NOT NULL)"
_IS_CAPPED: Final = """coalesce(bool_or(x.version_id IN (
    SELECT v.id FROM ib_planversion v WHERE coalesce(v.cap_day, v.cap_month, v.cap_revenue) > 0)), false)"""
# What was accrued, in the version's currency. Of trades without a line there is a row without a partner.
PAID: Final = f"""
CREATE TEMP TABLE ib_paid ON COMMIT DROP AS
SELECT c.introducer_id, x.partner_id, sum(x.amount * r.rate) FILTER (WHERE x.amount <> 0) AS amount,
  {_IS_PASSED} AS is_passed, {_IS_CAPPED} AS is_capped
FROM ib_closing c LEFT JOIN ib_accrual x ON x.deal_id = c.deal_id AND x.kind = 'original'
{_RATE}
GROUP BY 1, 2;
INSERT INTO ib_paid
SELECT c.introducer_id, x.partner_id, sum(x.amount * r.rate), {_IS_PASSED}, {_IS_CAPPED}
FROM ib_closing c JOIN ib_accrual x ON x.deal_id = c.deal_id AND x.kind <> 'original' AND (x.kind = 'delta' OR x.kind = 'capped')
{_RATE}
GROUP BY 1, 2;
ANALYZE ib_paid
"""  # noqa: S608
# Who is above whom, and whether lines of the one on trades of the other's clients are calculated.
PAIRS: Final = f"""
CREATE TEMP TABLE ib_pair ON COMMIT DROP AS
WITH holder AS (
  SELECT DISTINCT partner_id FROM {{agreements}} WHERE plan_id = {TRIED_PLAN}
), whole AS (
  SELECT partner_id AS introducer_id FROM holder
  UNION SELECT t.partner_id FROM ib_attribution t JOIN {{agreements}} h ON h.link_id = t.link_id AND h.plan_id = {TRIED_PLAN}
  UNION SELECT introducer_id FROM ib_paid WHERE partner_id IS NULL
), pair AS (
  SELECT u.partner_id AS introducer_id, u.ancestor_id AS partner_id, {{can_change}} AS is_tried
  FROM (SELECT DISTINCT partner_id, ancestor_id FROM ib_upline WHERE partner_id IN (SELECT introducer_id FROM ib_closing)) u
)
SELECT introducer_id, partner_id,
  is_tried OR (bool_or(is_tried) OVER (PARTITION BY introducer_id) AND {{beside}}) AS is_tried
FROM pair;
ANALYZE ib_pair
"""  # noqa: S608
CAN_CHANGE: Final = f"""(u.partner_id IN (SELECT introducer_id FROM whole)
    OR (u.ancestor_id IN (SELECT partner_id FROM holder) AND EXISTS (
      SELECT 1 FROM ib_version WHERE plan_id IN ({TRIED_PLAN}, %(plan)s) AND network <> '{Network.INTRODUCER}'))
    OR (u.partner_id, u.ancestor_id) IN (SELECT introducer_id, partner_id FROM ib_paid
      WHERE (is_passed OR is_capped) AND partner_id IS NOT NULL))"""  # noqa: S608
BELOW_OR_ABOVE: Final = f"""(introducer_id = partner_id OR partner_id IN (
    SELECT h.partner_id FROM {{agreements}} h JOIN ib_version v ON v.plan_id = h.plan_id
    WHERE v.network = '{Network.DIFFERENCE}'))"""  # noqa: S608
# The trades of the days are kept beside those that are calculated.
TRADES: Final = """
ALTER TABLE ib_closing RENAME TO ib_trade;
CREATE TEMP TABLE ib_closing ON COMMIT DROP AS
SELECT * FROM ib_trade WHERE introducer_id IN (SELECT introducer_id FROM ib_pair WHERE is_tried);
ANALYZE ib_closing
"""
ONLY_TRIED: Final = """
DELETE FROM ib_above a USING ib_pair p WHERE p.introducer_id = a.partner_id AND p.partner_id = a.ancestor_id AND NOT p.is_tried
"""


def is_narrowed(instead: Instead) -> bool:
    """Say whether a trial leaves lines out: one agreement is tried on its network's trades alone, and all of those count."""
    return instead.agreement is None


def narrow(cursor: CursorWrapper, features: Features, instead: Instead) -> None:
    """Leave in `ib_closing` the trades of which a line can change, and the others in `ib_trade`.

    Call with all trades in `ib_closing` and the rates in `ib_fx`.
    """
    beside = "false"
    if features.has_upline_cap:
        beside = "true"
    elif features.has_difference:
        beside = BELOW_OR_ABOVE.format(agreements=features.agreements)
    cursor.execute(PAID)
    pairs = PAIRS.format(
        agreements=features.agreements, can_change=CAN_CHANGE if is_narrowed(instead) else "true", beside=beside
    )
    cursor.execute(pairs, {"plan": instead.plan_id})
    cursor.execute(TRADES)
