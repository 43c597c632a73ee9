"""Versions of the learned score: fitted to months that are over, recalibrated on a later one, judged on the two newest.

On the last day of each month the newest leads of everyone who hadn't paid in are looked at as that day knew them; a success is a
first deposit within the month that follows. Months that the score is judged on are seen neither by the fit nor by the calibration.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from crm.learning import logistic
from crm.learning.logistic import Array
from crm.learning.trained import numbers
from crm.models import Brand
from leads import scoring
from leads.learned.features import DAYS, FEATURES, RATED, Rates, values_of
from leads.models import Lead, LeadModel
from leads.scores.rescoring import signals_of

MONTHS: Final = 9
HELD_BACK: Final = 2
# With fewer deposits, or fewer without, a model would learn noise.
DEPOSITS_LEAST: Final = 30
# Of each month, chosen by a hash: more would teach nothing.
LEADS_MAX: Final = 10_000
RATES_MAX: Final = 300  # values of one feature
DRAWN_BY: Final = 40  # so many leads at the average are added to each value

CHOSEN = """
SELECT id FROM (
  SELECT DISTINCT ON (l.client_id) l.id, l.client_id FROM leads_lead l JOIN clients_client c ON c.id = l.client_id
  WHERE l.captured_at > %(since)s AND l.captured_at <= %(until)s AND l.refusal = '' AND c.merged_into_id IS NULL
    AND (c.first_deposit_at IS NULL OR c.first_deposit_at > %(until)s)
  ORDER BY l.client_id, l.captured_at DESC, l.id DESC
) newest ORDER BY hashint8(client_id) LIMIT %(most)s
"""


@dataclass(frozen=True)
class Month:
    """The leads of a month as its last day knew them, whether each paid in within the next one, and their points."""

    seen: list[scoring.Signals]
    paid: Array
    points: Array


def train(*, now: dt.datetime | None = None) -> LeadModel | None:
    """Train a new version and put it into use; None, and the old one stays, where too few paid in to learn from."""
    newest = (now or timezone.now()) - dt.timedelta(days=DAYS)
    ends = [newest - dt.timedelta(days=DAYS * n) for n in range(MONTHS)]
    months = [_month(end, with_points=n < HELD_BACK) for n, end in enumerate(ends)]
    held, later, earlier = months[:HELD_BACK], months[HELD_BACK], months[HELD_BACK + 1 :]
    for part in (held, [later], earlier):
        paid = sum(month.paid.sum() for month in part)
        if not DEPOSITS_LEAST <= paid <= sum(len(month.paid) for month in part) - DEPOSITS_LEAST:
            return None
    rates = _rates(earlier)
    fitting, paid = _joined(earlier, rates)
    later_values, later_paid = _joined([later], rates)
    model = logistic.fitted(fitting, paid, later=later_values, happened_later=later_paid)
    testing, truth = _joined(held, rates)
    with transaction.atomic():
        LeadModel.objects.filter(is_active=True).update(is_active=False)
        return LeadModel.objects.create(
            trained_at=timezone.now(),
            first_day=(ends[-1] - dt.timedelta(days=DAYS)).date(),
            last_day=ends[0].date(),
            horizon_days=DAYS,
            rates=rates,
            edges=np.quantile(model.probability(testing), np.linspace(0, 1, 101)).tolist(),
            leads=len(paid) + len(later.paid),
            held_back=len(truth),
            deposited=int(truth.sum()),
            **numbers(
                model,
                list(FEATURES),
                held=testing,
                truth=truth,
                yardstick=np.concatenate([month.points for month in held]),
            ),
        )


def _month(until: dt.datetime, *, with_points: bool) -> Month:
    with connection.cursor() as cursor:
        cursor.execute(CHOSEN, {"since": until - dt.timedelta(days=DAYS), "until": until, "most": LEADS_MAX})
        ids = [pk for (pk,) in cursor.fetchall()]
    rows = (
        Lead.objects.filter(pk__in=ids).select_related("client__leads_facts", "campaign").defer("client__search_text")
    )
    of_brands: dict[int, list[Lead]] = {}
    for lead in rows.order_by("pk"):
        of_brands.setdefault(lead.brand_id, []).append(lead)
    seen: list[scoring.Signals] = []
    paid: list[float] = []
    points: list[float] = []
    end = until + dt.timedelta(days=DAYS)
    for brand in Brand.objects.filter(pk__in=of_brands):
        leads = of_brands[brand.pk]
        paid += [
            float(lead.client.first_deposit_at is not None and lead.client.first_deposit_at <= end) for lead in leads
        ]
        signals = signals_of(leads, brand, until)
        seen += signals
        if with_points:
            rules = scoring.rules_of(brand.pk, until.date())
            points += [float(scoring.score(one, rules).value) for one in signals]
    return Month(seen, np.array(paid), np.array(points))


def _rates(months: Sequence[Month]) -> Rates:
    """Compute for each common value of a feature how much its leads paid in above or below the average, in log-odds."""
    seen = [one for month in months for one in month.seen]
    paid = np.concatenate([month.paid for month in months])
    mean = float(paid.mean())
    base = float(np.log(mean / (1 - mean)))
    rates: dict[str, dict[str, float]] = {}
    for name, value in RATED.items():
        values = [value(one) for one in seen]
        count = Counter(values)
        hits: Counter[str] = Counter(one for one, has_paid in zip(values, paid, strict=True) if has_paid)
        rates[name] = {}
        for one, number in count.most_common(RATES_MAX):
            share = (hits[one] + DRAWN_BY * mean) / (number + DRAWN_BY)
            rates[name][one] = float(np.log(share / (1 - share))) - base
    return rates


def _joined(months: Sequence[Month], rates: Rates) -> tuple[Array, Array]:
    rows = [values_of(one, rates) for month in months for one in month.seen]
    return np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES)), np.concatenate([month.paid for month in months])
