"""Levels of all clients with one statement: the same for one client, for a brand, and for a proposal that is only looked at."""

from __future__ import annotations

from typing import Final

import orjson
from django.utils.functional import lazystr

from clients import proofs
from kyc.levels.ladder import DEFAULT

# A level is reached where every group of it and of those below has at least one proof: as many groups met as there are.
LEVELS: Final = """
WITH rules AS (
  SELECT b.id AS brand_id, k.kind, (l.value->>'number')::int AS level, g.ordinality AS place, p.value AS proof
  FROM crm_brand b LEFT JOIN kyc_leveltable t ON t.id = b.kyc_level_table
  CROSS JOIN (VALUES ('person', 'requires'), ('company', 'company_requires')) k(kind, name)
  CROSS JOIN LATERAL jsonb_array_elements({table}) l(value)
  CROSS JOIN LATERAL jsonb_array_elements(l.value->k.name) WITH ORDINALITY g(value, ordinality)
  CROSS JOIN LATERAL jsonb_array_elements_text(g.value) p(value)
), needed AS (
  SELECT brand_id, kind, level, sum(count(DISTINCT place)) OVER (PARTITION BY brand_id, kind ORDER BY level) AS total
  FROM rules GROUP BY brand_id, kind, level
)
SELECT client_id, max(level) FROM (
  SELECT m.client_id, c.brand_id, c.kind, r.level,
    sum(count(DISTINCT r.place)) OVER (PARTITION BY m.client_id ORDER BY r.level) AS total
  FROM ({proofs}) m(client_id, proof) JOIN clients_client c ON c.id = m.client_id
  JOIN rules r ON r.brand_id = c.brand_id AND r.kind = c.kind AND r.proof = m.proof
  GROUP BY m.client_id, c.brand_id, c.kind, r.level
) have JOIN needed USING (brand_id, kind, level, total) GROUP BY client_id
"""
OF_THE_BRAND: Final = "coalesce(t.levels, '{default}'::jsonb)"


def levels_sql(table: str = "") -> str:
    """Write the statement of (client id, level). table: an SQL expression of the levels in place of each brand's own."""
    default = orjson.dumps([level.as_json() for level in DEFAULT if level.number], default=str).decode()
    return LEVELS.replace("{table}", table or OF_THE_BRAND.replace("{default}", default)).replace(
        "{proofs}", proofs.all_sql()
    )


class _Lazy:
    """Written when it is used: other apps register their proofs after this one is loaded."""

    def __str__(self) -> str:
        return levels_sql()


FACT_SQL: Final = lazystr(_Lazy())
