"""What a brand's referrals show, partner by partner: counted from identifiers and commissions in one statement.

Self-referral, clusters and returning people count only what a person owns: a device, a card, an account, a document, a phone.
A network alone is shared by offices, families and mobile operators, so that it never holds a payout alone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from clients.choices import IdentifierKind, Stage
from crm.models import Brand
from ib.abuse.choices import AbuseSignal
from ib.choices import FOR_CLIENT, Component, ExcludedTrade, PartnerState

DAYS: Final = 180
# Trades shorter than this carry next to no risk.
QUICK_SECONDS: Final = 120
QUICK_SHARE: Final = 0.7
CLUSTER_MIN: Final = 3
NETWORK_MIN: Final = 5
# A client who stops trading within so many days of the CPA, and hasn't traded for as long as `GONE_DAYS`, came for the CPA.
STAYED_DAYS: Final = 7
GONE_DAYS: Final = 30
AWAY_DAYS: Final = 14
OWNED: Final = (
    IdentifierKind.DEVICE,
    IdentifierKind.CARD,
    IdentifierKind.BANK_ACCOUNT,
    IdentifierKind.CRYPTO_ADDRESS,
    IdentifierKind.DOCUMENT_NUMBER,
    IdentifierKind.PHOTO,
    IdentifierKind.PHONE,
)
FIGURES: Final = """
WITH partner AS (
  SELECT id, client_id, user_id FROM ib_partner WHERE brand_id = %(brand)s AND state <> %(closed)s
), mine AS (
  SELECT a.partner_id, c.id AS client_id, c.registered_at, c.last_trade_at, c.net_deposits
  FROM partner p JOIN ib_attribution a ON a.partner_id = p.id AND a.ends_at IS NULL AND a.starts_at >= %(since)s
  JOIN clients_client c ON c.id = a.client_id AND c.id IS DISTINCT FROM p.client_id
), own AS (
  SELECT p.id AS partner_id, i.kind, i.mark FROM partner p JOIN clients_identifier i ON i.client_id = p.client_id
  UNION SELECT p.id, i.kind, i.mark FROM partner p JOIN clients_identifier i ON i.user_id = p.user_id
  UNION SELECT m.partner_id, i.kind, i.mark FROM partner p JOIN ib_partnermember m ON m.partner_id = p.id
    JOIN clients_identifier i ON i.user_id = m.user_id
), used AS (
  SELECT m.partner_id, m.client_id, m.registered_at, i.kind, i.mark, i.kind = ANY(%(owned)s) AS is_owned,
    count(*) OVER (PARTITION BY m.partner_id, i.kind, i.mark) AS size
  FROM mine m JOIN clients_identifier i ON i.client_id = m.client_id WHERE i.kind = ANY(%(kinds)s)
), traded AS (
  SELECT m.partner_id, m.client_id
  FROM mine m JOIN ib_accrual x ON x.client_id = m.client_id AND x.partner_id = m.partner_id
  WHERE x.kind = 'original' AND x.level = 1 AND x.closed_at >= %(since)s AND NOT x.component = ANY(%(for_client)s)
  GROUP BY 1, 2 HAVING sum(x.lots) > 0 AND coalesce(
    sum(x.lots) FILTER (WHERE x.held_seconds < %(quick)s OR x.reason = ANY(%(riskless)s)), 0) >= %(share)s * sum(x.lots)
), cpa AS (
  SELECT m.partner_id, m.client_id, max(coalesce(q.min_deposit, 0)) AS least, min(x.closed_at) AS paid_at,
    max(m.last_trade_at) AS last_trade_at, max(m.net_deposits) AS net_deposits
  FROM mine m JOIN ib_accrual x ON x.client_id = m.client_id AND x.partner_id = m.partner_id
  LEFT JOIN ib_plancpa q ON q.version_id = x.version_id
  WHERE x.kind = 'original' AND x.level = 1 AND x.state = 'accrued' AND x.component = %(cpa)s AND x.closed_at >= %(since)s
  GROUP BY 1, 2
), found AS (
  SELECT DISTINCT %(self_code)s::text AS code, u.partner_id, u.client_id
  FROM used u JOIN own o ON o.partner_id = u.partner_id AND o.kind = u.kind AND o.mark = u.mark WHERE u.is_owned
  UNION SELECT %(cluster_code)s, partner_id, client_id FROM used WHERE is_owned AND size >= %(cluster)s
  UNION SELECT %(network_code)s, partner_id, client_id FROM used WHERE NOT is_owned AND size >= %(network)s
  UNION SELECT %(again_code)s, u.partner_id, u.client_id
  FROM used u JOIN clients_identifier i ON i.kind = u.kind AND i.mark = u.mark AND i.client_id <> u.client_id
  JOIN clients_client o ON o.id = i.client_id AND o.brand_id = %(brand)s AND o.registered_at < u.registered_at
  WHERE u.is_owned AND (o.stage = ANY(%(left)s) OR coalesce(o.last_trade_at, o.registered_at) < u.registered_at - %(away)s)
  UNION SELECT %(quick_code)s, partner_id, client_id FROM traded
  UNION SELECT %(gone_code)s, partner_id, client_id FROM cpa
  WHERE paid_at < %(gone)s AND coalesce(last_trade_at, paid_at) < paid_at + %(stayed)s AND net_deposits <= least * 1.1
), active AS (
  SELECT DISTINCT m.partner_id, m.client_id FROM mine m JOIN ib_accrual x ON x.client_id = m.client_id
    AND x.partner_id = m.partner_id AND x.level = 1 AND x.closed_at >= %(since)s
)
SELECT 'all', partner_id, count(*), '{}'::bigint[] FROM mine GROUP BY 2
UNION ALL SELECT 'active', partner_id, count(*), '{}' FROM active GROUP BY 2
UNION ALL SELECT 'cpa', partner_id, count(*), '{}' FROM cpa WHERE paid_at < %(gone)s GROUP BY 2
UNION ALL SELECT code, partner_id, count(*), (array_agg(client_id ORDER BY client_id DESC))[1:%(kept)s] FROM found GROUP BY 1, 2
"""
# What a signal's number is a part of: all clients, those who traded, those whose CPA was paid.
PART_OF: Final = {AbuseSignal.QUICK: "active", AbuseSignal.GONE: "cpa"}
CLIENTS_KEPT: Final = 30


@dataclass(frozen=True)
class Count:
    """How many of so many clients show a signal, and who: the newest."""

    code: str
    clients: int
    of: int
    ids: tuple[int, ...]


def counts(brand: Brand, *, at: dt.datetime | None = None) -> dict[int, list[Count]]:
    """Count what each partner's referrals of the last half-year show: {partner: counts}. One statement."""
    now = at or timezone.now()
    values: dict[str, Any] = {
        "brand": brand.pk,
        "since": now - dt.timedelta(days=DAYS),
        "closed": str(PartnerState.CLOSED),
        "owned": [str(kind) for kind in OWNED],
        "kinds": [str(kind) for kind in (*OWNED, IdentifierKind.IP_PREFIX)],
        "for_client": [str(component) for component in FOR_CLIENT],
        "riskless": [str(ExcludedTrade.HEDGED), str(ExcludedTrade.MIRRORED)],
        "quick": QUICK_SECONDS,
        "share": QUICK_SHARE,
        "cpa": str(Component.CPA),
        "cluster": CLUSTER_MIN,
        "network": NETWORK_MIN,
        "left": [str(Stage.DORMANT), str(Stage.CLOSED)],
        "away": dt.timedelta(days=AWAY_DAYS),
        "gone": now - dt.timedelta(days=GONE_DAYS),
        "stayed": dt.timedelta(days=STAYED_DAYS),
        "kept": CLIENTS_KEPT,
        **{f"{signal}_code": str(signal) for signal in AbuseSignal},
    }
    with connection.cursor() as cursor:
        cursor.execute(FIGURES, values)
        rows = cursor.fetchall()
    totals = {(code, partner_id): number for code, partner_id, number, _ids in rows}
    found: dict[int, list[Count]] = {}
    for code, partner_id, number, ids in rows:
        if code in AbuseSignal.values:
            of = totals.get((PART_OF.get(AbuseSignal(code), "all"), partner_id), 0)
            found.setdefault(partner_id, []).append(Count(code, number, max(of, number), tuple(ids)))
    return found
