"""Every client's probability of departure, its reasons, and the revenue that is at stake.

A client's monthly revenue is the lots of the last half year, by month, times the brand's revenue per lot (policy). At risk is
the probability times a year of it. Lifetime value is all lots so far times the revenue per lot, and the revenue of the
next twelve months, each counted with the probability that the client is still there.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from crm.learning.logistic import Array
from crm.models import Brand
from crm.money.amounts import from_minor
from risk.brand_policies import REVENUE_PER_LOT
from risk.retention.choices import CaseState
from risk.retention.churn.features import FEATURES, HORIZON_DAYS, Snapshot, snapshot
from risk.retention.models import ChurnModel

REASONS: Final = 3
MONTHS: Final = 12
# Less than this in log-odds is no reason.
REASON_LEAST: Final = 0.1

UPSERT = """
INSERT INTO risk_clientoutlook AS o (client_id, model_id, probability, reasons, monthly_revenue, value_at_risk, lifetime_value, at)
SELECT n.id, %(model)s, n.p, string_to_array(nullif(n.reasons, ''), ','), round(n.monthly::numeric, 2),
  round((n.p * 12 * n.monthly)::numeric, 2),
  round(coalesce(f.lots_closed, 0) * n.per_lot::numeric + (n.monthly * n.months)::numeric, 2), %(now)s
FROM unnest(%(ids)s::bigint[], %(p)s::float8[], %(reasons)s::text[], %(monthly)s::float8[], %(months)s::float8[],
  %(per_lot)s::float8[]) n (id, p, reasons, monthly, months, per_lot)
JOIN clients_client c ON c.id = n.id LEFT JOIN trading_tradingfacts f ON f.client_id = n.id
ON CONFLICT (client_id) DO UPDATE SET model_id = EXCLUDED.model_id, probability = EXCLUDED.probability, reasons = EXCLUDED.reasons,
  monthly_revenue = EXCLUDED.monthly_revenue, value_at_risk = EXCLUDED.value_at_risk, lifetime_value = EXCLUDED.lifetime_value,
  at = EXCLUDED.at
"""
KEEP_CASES = """
UPDATE risk_retentioncase c SET value_at_risk = o.value_at_risk FROM risk_clientoutlook o
WHERE o.client_id = c.client_id AND c.state = %(open)s AND c.value_at_risk <> o.value_at_risk
"""


@transaction.atomic
def score_all(*, now: dt.datetime | None = None) -> int:
    """Score everyone who traded lately with the version in use. Returns how many; 0 without a model."""
    row = ChurnModel.objects.filter(is_active=True).first()
    if row is None:
        return 0
    now = now or timezone.now()
    model, clients = row.loaded(FEATURES), snapshot(now.date(), is_past=False)
    probability = model.probability(clients.features)
    per_lot = _revenue_per_lot(clients)
    monthly = clients.monthly_lots * per_lot
    values: dict[str, Any] = {
        "model": row.pk,
        "now": now,
        "ids": clients.clients.tolist(),
        "p": probability.tolist(),
        "reasons": _reasons(model.contributions(clients.features)),
        "monthly": monthly.tolist(),
        "months": expected_months(probability).tolist(),
        "per_lot": per_lot.tolist(),
    }
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, values)
        # Who hasn't traded for the horizon has no score: they have left, and are won back.
        cursor.execute("DELETE FROM risk_clientoutlook WHERE at < %(now)s", values)
    keep_cases()
    return len(clients.clients)


def keep_cases() -> None:
    """Write what is at risk onto the open cases, whose queue is in that order."""
    with connection.cursor() as cursor:
        cursor.execute(KEEP_CASES, {"open": CaseState.OPEN.value})


def expected_months(probability: Array) -> Array:
    """Compute how many of the next twelve months a client is expected to stay, with the same risk in each."""
    staying = (1 - np.clip(probability, 0, 0.999)) ** (30 / HORIZON_DAYS)
    months: Array = sum((staying**n for n in range(1, MONTHS + 1)), start=np.zeros_like(staying))
    return months


def _revenue_per_lot(clients: Snapshot) -> Array:
    by_brand = {
        brand.pk: float(from_minor(REVENUE_PER_LOT.of(brand), brand.base_currency)) for brand in Brand.objects.all()
    }
    return np.array([by_brand[pk] for pk in clients.brands.tolist()], dtype=np.float64)


def _reasons(contributions: Array) -> list[str]:
    """Name the features that raise each client's score most, as codes with commas between."""
    names = list(FEATURES)
    order = np.argsort(-contributions, axis=1)[:, :REASONS]
    return [
        ",".join(names[n] for n in row if contributions[client, n] >= REASON_LEAST)
        for client, row in enumerate(order.tolist())
    ]
