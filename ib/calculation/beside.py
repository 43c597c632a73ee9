"""What is paid beside trades, clients' months and sold challenges, runs through the engine's statements as deals do.

Its rows are laid out as `ib_closing`; what a pass over deals asks of them otherwise, and how lines are written, is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from django.db.backends.utils import CursorWrapper

from crm.models import Brand
from crm.rates import fx
from ib.calculation import caps, facts, months, ranks, wanted
from ib.calculation import writing as sql
from ib.calculation.tried import Instead
from ib.calculation.wanted import Features
from ib.choices import Component
from ib.engine import MEMORY, EngineResult
from ib.models import Partner

# Per partner, in a currency: what they would earn, and what all would on their own clients.
EARNED: Final = """
SELECT partner_id, coalesce(sum(amount * r.rate) FILTER (WHERE is_own), 0),
  coalesce(sum(amount * r.rate) FILTER (WHERE NOT is_own), 0)
FROM (SELECT partner_id, amount, currency, day, true AS is_own FROM ib_wanted WHERE reason = ''
      UNION ALL SELECT introducer_id, amount, currency, day, false FROM ib_wanted WHERE reason = '') w
JOIN ib_fx r ON r.base = w.currency AND r.quote = %(currency)s AND r.day = w.day
GROUP BY 1
"""


def features_beside(cursor: CursorWrapper, brand: Brand, instead: Instead | None) -> Features:
    """Find what the brand's plans make use of; a CPA, components of deals and what lies beside them don't matter here."""
    cursor.execute(MEMORY)
    return replace(
        wanted.features_of(cursor, brand, instead),
        has_cpa=False,
        has_revenue=False,
        has_upline_cap=False,
        has_odd=False,
        has_mirrored=False,
        has_passed=False,
    )


def lay_beside(
    cursor: CursorWrapper,
    brand: Brand,
    features: Features,
    *,
    components: Sequence[Component],
    bases: set[str],
    instead: Instead | None = None,
    currency: str = "",
) -> None:
    """Lay out what the rows of `ib_closing` ask for. bases: currencies of their money; currency: in which a what-if compares."""
    for statement in (*months.BESIDE, facts.OWN):
        cursor.execute(
            statement.format(agreements=features.agreements),
            {"components": [str(component) for component in components]},
        )
    if features.has_shared:
        cursor.execute(facts.SHARED, {"brand": brand.pk})
    if features.has_tiers:
        ranks.gather(cursor, brand, instead)
    cursor.execute("SELECT DISTINCT (closed_at AT TIME ZONE 'UTC')::date FROM ib_closing")
    days = [day for (day,) in cursor.fetchall()]
    cursor.execute("SELECT DISTINCT currency FROM ib_version")
    plans = {plan for (plan,) in cursor.fetchall()}
    partners = set(
        Partner.objects.filter(brand=brand).order_by("currency").values_list("currency", flat=True).distinct()
    )
    quotes = plans | partners | ({currency} if currency else set())
    rates = fx.rates_of_days({*bases, *plans, *partners}, quotes, days)
    if rates:
        cursor.executemany(
            "INSERT INTO ib_fx VALUES (%s, %s, %s, %s, %s)",
            [(base, quote, day, round(rate.rate, 10), rate.on) for (base, quote, day), rate in sorted(rates.items())],
        )
    cursor.execute("ANALYZE ib_closing, ib_cell, ib_level, ib_above, ib_own, ib_fx")


def write_lines(
    cursor: CursorWrapper, features: Features, given: dict[str, Any], outcome: EngineResult, brand: Brand
) -> None:
    """Write what `ib_wanted` has and no line says yet, and the differences of `given["deal_ids"]` to the lines there are."""
    cursor.execute(wanted.ANALYZE)
    cursor.execute(sql.DROP_KNOWN)
    cursor.execute(sql.MISSING + sql.IN_ORDER, given)
    cursor.execute(months.ADD_UP_MONTHS, given)
    cursor.execute(sql.COUNTS)
    outcome.accrued, outcome.excluded = cursor.fetchone()
    scope = "x.deal_id = ANY (%(deal_ids)s)"
    cursor.execute(months.CORRECTED.format(accrued=scope), given)
    outcome.corrected = cursor.fetchone()[0]
    if features.has_caps:
        outcome.corrected += caps.take_off(
            cursor, scope=scope, afresh=False, parameters={**given, "zone": brand.time_zone}
        )
