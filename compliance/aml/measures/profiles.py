"""Measures of what a client's deposits are compared with: declared means, and peers."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy

from clients.declared.choices import DeclaredFact
from compliance.aml.measures.kit import IN, READ, ROLLING, Measure, Parameter, Unit, register

DECLARED: Final = (DeclaredFact.EXPECTED_DEPOSITS, DeclaredFact.YEARLY_INCOME, DeclaredFact.NET_WORTH)


# What held when the money moved: a later declaration neither excuses nor accuses. Who declared nothing of it is compared with a
# fixed amount, or left out. What isn't above the least that a client ever declared isn't above what held: most rows end there. And
# whoever's months, which the window can't exceed, don't add up to as much is never read.
register(
    Measure(
        "declared_means",
        gettext_lazy("Above declared means"),
        gettext_lazy(
            "Deposits within %(window)s (%(least)s or more) are %(threshold)s or more of the highest declared amount: "
            "%(against)s; without one, of %(otherwise)s"
        ),
        Unit.PERCENT,
        f"""
        WITH {{scope}}, lowest AS (
          SELECT d.client_id, min(d.amount) AS amount FROM scope s JOIN clients_declaration d ON d.client_id = s.client_id
          WHERE d.fact = ANY(%(against)s) GROUP BY 1
        ), likely AS (
          SELECT s.* FROM scope s LEFT JOIN lowest l ON l.client_id = s.client_id,
            LATERAL (SELECT least(l.amount, nullif(%(otherwise)s, 0)) AS amount) x,
            LATERAL (SELECT sum(t.total) AS total FROM {{months}} t WHERE t.client_id = s.client_id AND t.brand_id = %(brand)s
              AND t.month >= date_trunc('month', (s.since - %(history)s) AT TIME ZONE 'UTC')) d
          WHERE x.amount IS NOT NULL AND d.total >= %(least)s AND d.total * 100 >= greatest(x.amount, 1) * %(threshold)s
        ), {READ.replace("FROM scope s", "FROM likely s")}, flow AS (
          SELECT client_id, at, id, since, sum(base_amount) OVER {ROLLING} AS came FROM m
        ), above AS (
          SELECT f.*, coalesce(
            (SELECT max(d.amount) FROM clients_declaration d WHERE d.client_id = f.client_id AND d.fact = ANY(%(against)s)
             AND d.given_at <= f.at AND (d.until IS NULL OR d.until > f.at)), nullif(%(otherwise)s, 0)) AS means
          FROM flow f LEFT JOIN lowest l ON l.client_id = f.client_id
          WHERE f.at >= f.since AND f.came >= %(least)s AND (l.amount IS NOT NULL OR %(otherwise)s > 0)
            AND f.came * 100 >= greatest(least(l.amount, nullif(%(otherwise)s, 0)), 1) * %(threshold)s
        )
        SELECT client_id, at, id AS movement_id, round(came * 100 / greatest(means, 1), 2) AS value FROM above
        WHERE means IS NOT NULL AND came * 100 >= greatest(means, 1) * %(threshold)s""",  # noqa: S608
        IN,
        (
            Parameter(
                "against",
                gettext_lazy("Compared with"),
                default=[fact.value for fact in DECLARED],
                choices={fact.value: fact.label for fact in DECLARED},
                is_many=True,
            ),
            Parameter("least", gettext_lazy("Deposits of at least"), Unit.MONEY, 5000, Decimal(1)),
            Parameter("otherwise", gettext_lazy("Without a declaration, compared with (0: left out)"), Unit.MONEY, 0),
        ),
    )
)


PEER_COLUMNS: Final = {
    "country": gettext_lazy("same country"),
    "risk_rating": gettext_lazy("same risk rating"),
    "category": gettext_lazy("same category"),
}


# The month so far against what peers deposited in the whole month before: a robust z-score (median and MAD; Iglewicz and
# Hoaglin, "How to Detect and Handle Outliers", 1993: 0.6745 · (x - median) / MAD, an outlier from 3.5 on). A group whose
# members are all alike has no MAD; a tenth of the median stands for it. Amounts are never negative, so a client whose whole month
# isn't outlying never was in it: only the movements of the others are added up one by one. So a month's total may be that of
# the whole month where a back-test ends within it: nothing of that month is a base for another one then.
MONTH: Final = "date_trunc('month', m.at AT TIME ZONE 'UTC')::date"


register(
    Measure(
        "peers",
        gettext_lazy("Peer outlier"),
        gettext_lazy(
            "Deposits of a month stand out by a robust z-score of %(threshold)s or more from those of clients with the %(peers)s "
            "in the month before"
        ),
        Unit.NUMBER,
        f"""
        WITH {{scope}}, {READ}, sums AS (
          SELECT c.{{peers}} AS peer, t.client_id, t.month, t.total FROM {{months}} t JOIN clients_client c ON c.id = t.client_id
          WHERE t.brand_id = %(brand)s
            AND t.month >= date_trunc('month', (%(first)s + %(history)s) AT TIME ZONE 'UTC') - interval '1 month'
        ), middle AS (
          SELECT peer, month, percentile_cont(0.5) WITHIN GROUP (ORDER BY total) AS median, count(*) AS size
          FROM sums GROUP BY 1, 2 HAVING count(*) >= %(least)s
        ), spread AS (
          SELECT s.peer, s.month, d.median, greatest(
            percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(s.total::float8 - d.median)), d.median / 10) AS mad
          FROM sums s JOIN middle d ON d.peer = s.peer AND d.month = s.month GROUP BY 1, 2, 3
        ), outlying AS (
          SELECT s.client_id, s.month, p.median, p.mad FROM sums s
          JOIN spread p ON p.peer = s.peer AND p.month = (s.month - interval '1 month')::date AND p.mad > 0
          WHERE round((0.6745 * (s.total::float8 - p.median) / p.mad)::numeric, 2) >= %(threshold)s
        ), so_far AS (
          SELECT m.client_id, m.at, m.id, m.since, o.median, o.mad,
            sum(m.base_amount) OVER (PARTITION BY m.client_id, o.month ORDER BY m.at) AS total
          FROM m JOIN outlying o ON o.client_id = m.client_id AND o.month = {MONTH}
        ), judged AS (
          SELECT f.*, round((0.6745 * (f.total::float8 - f.median) / f.mad)::numeric, 2) AS value FROM so_far f
        )
        SELECT client_id, at, id AS movement_id, value FROM judged WHERE at >= since AND value >= %(threshold)s""",  # noqa: S608
        IN,
        (
            Parameter("peers", gettext_lazy("Compared with clients of the"), default="country", choices=PEER_COLUMNS),
            Parameter("least", gettext_lazy("Peers, at least"), Unit.COUNT, 20, Decimal(5), Decimal(100000)),
        ),
        evidence_from="date_trunc('month', a.at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'",
        looks_back=lambda _hours, _threshold: 31 * 24,
        has_window=False,
    )
)
