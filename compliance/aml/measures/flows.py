"""Measures of money in and out: rapid in-and-out, pass-through, method mismatch, accounts that were dormant."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy

from compliance.aml.choices import MovementKind
from compliance.aml.measures.kit import IN, OUT, READ, ROLLING, SIGNED, Measure, Parameter, Unit, register, rolling

# In and out. What goes back to the deposit that it came from is no way of moving money on.
FLOWS: Final = f"""
WITH {{scope}}, {READ}, flow AS (
  SELECT client_id, at, id, since, kind, is_return,
    sum(CASE WHEN kind = 'deposit' THEN base_amount ELSE 0 END) OVER {ROLLING} AS came,
    sum({SIGNED}) OVER {ROLLING} AS went
  FROM m WHERE NOT is_return OR kind <> 'withdrawal'
)
SELECT f.client_id, f.at, f.id AS movement_id, round(f.went * 100 / f.came, 2) AS value FROM flow f
WHERE f.at >= f.since AND f.kind = 'withdrawal' AND f.came >= %(least)s AND f.went * 100 >= f.came * %(threshold)s"""  # noqa: S608


TRADED: Final = """
AND f.came / 1000 * %(lots)s > coalesce((
  SELECT sum(t.lots) FROM compliance_amltradingday t WHERE t.client_id = f.client_id
    AND t.day BETWEEN ((f.at - %(window)s) AT TIME ZONE 'UTC')::date AND (f.at AT TIME ZONE 'UTC')::date), 0)"""


LEAST: Final = Parameter("least", gettext_lazy("Deposits of at least"), Unit.MONEY, 1000, Decimal(1))


register(
    Measure(
        "in_and_out",
        gettext_lazy("Rapid in-and-out with little trading"),
        gettext_lazy(
            "Withdrawals of %(threshold)s or more of what was deposited within %(window)s (%(least)s or more), with less than "
            "%(lots)s lots traded per 1,000 deposited"
        ),
        Unit.PERCENT,
        FLOWS + TRADED,
        (*IN, *OUT),
        (
            LEAST,
            Parameter("lots", gettext_lazy("Lots per 1,000 deposited"), Unit.NUMBER, Decimal("0.1"), Decimal("0.01")),
        ),
    )
)


register(
    Measure(
        "pass_through",
        gettext_lazy("Pass-through"),
        gettext_lazy(
            "%(threshold)s or more of what was deposited within %(window)s (%(least)s or more) is withdrawn elsewhere"
        ),
        Unit.PERCENT,
        FLOWS,
        (*IN, *OUT),
        (LEAST,),
    )
)


OTHER_METHOD: Final = """m.kind = 'withdrawal' AND NOT m.is_return
  AND EXISTS (SELECT 1 FROM {movement} d WHERE d.client_id = m.client_id AND d.kind = 'deposit' AND d.at <= m.at)
  AND NOT EXISTS (SELECT 1 FROM {movement} d
    WHERE d.client_id = m.client_id AND d.kind = 'deposit' AND d.at <= m.at AND d.method = m.method)"""


register(
    Measure(
        "method_mismatch",
        gettext_lazy("Method mismatch"),
        gettext_lazy(
            "%(threshold)s or more withdrawn within %(window)s by a method that the client never deposited with"
        ),
        Unit.MONEY,
        rolling("sum(m.base_amount)", OTHER_METHOD),
        (MovementKind.WITHDRAWAL,),
        evidence=OTHER_METHOD,
    )
)


register(
    Measure(
        "dormant",
        gettext_lazy("Dormant, then active"),
        gettext_lazy("A movement of %(least)s or more after %(threshold)s or more without movements or trades"),
        Unit.DAYS,
        f"""
        WITH {{scope}}, {READ}
        SELECT m.client_id, m.at, m.id AS movement_id, extract(day FROM m.at - l.at) AS value FROM m,
          LATERAL (SELECT greatest(
            (SELECT max(p.at) FROM {{movement}} p WHERE p.client_id = m.client_id AND p.at < m.at),
            (SELECT max(t.day)::timestamp AT TIME ZONE 'UTC' FROM compliance_amltradingday t
             WHERE t.client_id = m.client_id AND t.day < (m.at AT TIME ZONE 'UTC')::date)) AS at) l
        WHERE m.at >= m.since AND m.base_amount >= %(least)s AND m.at - l.at >= make_interval(days => %(threshold)s::int)""",  # noqa: S608
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (Parameter("least", gettext_lazy("Movement of at least"), Unit.MONEY, 5000, Decimal(1)),),
        evidence_from="coalesce((SELECT max(p.at) FROM {movement} p WHERE p.client_id = a.client_id AND p.at < a.at), a.at)",
        looks_back=lambda _hours, days: int(days) * 24,
        has_window=False,
    )
)
