"""What a rule can measure: each measure is one statement over the movements, its parameters, and a sentence.

A statement yields every movement from the scope's `since` on at which the rule holds, judged by what had happened up to that
movement and nothing later. So it doesn't matter whether it is run for a few clients as money moves, or for all of them over a
year: the same movements are found. `compliance.aml.running` puts scope, period and population around it.

Placeholders: `{movement}` is the stream (or the stream with a movement that is only asked about), `{months}` the deposits of
clients by month, which are kept with it; parameters are named.
Sources of the indicators: FATF/Egmont, "Trade-Based Money Laundering: Risk Indicators"; FATF, "Money Laundering and Terrorist
Financing in the Securities Sector" (2009), annex; FINRA, Regulatory Notice 19-18; EBA/GL/2021/02 on ML/TF risk factors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext

from clients.choices import IdentifierKind
from clients.declared.choices import DeclaredFact
from compliance.aml.choices import MovementKind, MovementMethod
from compliance.choices import CountryRiskLevel
from crm.i18n import formats
from crm.money.amounts import Money

Label = str | Promise


class Unit(StrEnum):
    """What a threshold, a value or a parameter counts in."""

    COUNT = "count"
    MONEY = "money"
    PERCENT = "percent"
    DAYS = "days"
    NUMBER = "number"


@dataclass(frozen=True)
class Parameter:
    """A number that a rule sets, or a choice of codes."""

    name: str
    label: Label
    unit: Unit = Unit.NUMBER
    default: Any = None
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(10**12)
    choices: Mapping[str, Label] | None = None
    is_many: bool = False

    def show(self, value: Any, currency: str) -> str:
        """Write a value for a reader."""
        if self.choices is not None:
            picked = value if isinstance(value, list) else [value]
            return ", ".join(str(self.choices.get(code, code)) for code in picked)
        return shown(self.unit, Decimal(value), currency)


def shown(unit: Unit, value: Decimal, currency: str) -> str:
    """Write a measured value, or a threshold, with its unit."""
    if unit is Unit.MONEY:
        return formats.money(Money(value, currency))
    text = formats.number(value.normalize() if value == value.to_integral() else value)
    if unit is Unit.PERCENT:
        return f"{text} %"
    if unit is Unit.DAYS:
        return ngettext("%(count)s day", "%(count)s days", int(value)) % {"count": text}
    return text


@dataclass(frozen=True)
class Measure:
    """A measure.

    sql: the movements at which it holds, as client_id, at, movement_id, value. reads: kinds of movements that it looks at.
    evidence: which of them are behind an alert (`m`; the alert's movement is `a`), from `evidence_from` on. sentence: with
    %(threshold)s, %(window)s and the parameters' names. looks_back: hours of history that it needs, if not the window.
    """

    code: str
    label: Label
    sentence: Label
    unit: Unit
    sql: str
    reads: tuple[MovementKind, ...]
    parameters: tuple[Parameter, ...] = ()
    evidence: str = "true"
    evidence_from: str = "a.at - %(window)s"
    looks_back: Callable[[int, Decimal], int] | None = None
    has_window: bool = True

    def history_hours(self, window_hours: int, threshold: Decimal) -> int:
        """Return how far back from a movement it looks."""
        return self.looks_back(window_hours, threshold) if self.looks_back else window_hours


MEASURES: Final[dict[str, Measure]] = {}
IN, OUT = (MovementKind.DEPOSIT,), (MovementKind.WITHDRAWAL, MovementKind.WITHDRAWAL_BACK)

# The movements of the scope that a window ending in it can reach.
READ: Final = """
m AS (
  SELECT m.*, s.since FROM scope s JOIN {movement} m ON m.client_id = s.client_id
  WHERE m.kind = ANY(%(kinds)s) AND m.at >= s.since - %(history)s AND m.at >= %(first)s AND m.at < %(until)s
)"""
ROLLING: Final = "(PARTITION BY client_id ORDER BY at RANGE BETWEEN %(window)s PRECEDING AND CURRENT ROW)"
SIGNED: Final = "CASE kind WHEN 'withdrawal' THEN base_amount WHEN 'withdrawal_back' THEN -base_amount ELSE 0 END"


def _rolling(aggregate: str, picked: str = "true") -> str:
    """Write a count or a sum of the picked movements over the window that ends at each of them."""
    return f"""
    WITH {{scope}}, {READ}
    SELECT client_id, at, id AS movement_id, value FROM (
      SELECT client_id, at, id, since, {aggregate} OVER {ROLLING} AS value FROM m WHERE {picked}
    ) r WHERE at >= since AND value >= %(threshold)s"""  # noqa: S608 - constants of this module


def _measure(measure: Measure) -> None:
    MEASURES[measure.code] = measure


JUST_BELOW: Final = (
    "m.kind = 'deposit' AND m.base_amount >= %(limit)s * %(from_percent)s / 100 AND m.base_amount < %(limit)s"
)
_measure(
    Measure(
        "structuring",
        gettext_lazy("Structuring"),
        gettext_lazy(
            "%(threshold)s or more deposits just below %(limit)s (from %(from_percent)s of it) within %(window)s"
        ),
        Unit.COUNT,
        _rolling("count(*)", JUST_BELOW),
        IN,
        (
            Parameter("limit", gettext_lazy("Limit"), Unit.MONEY, 2000, Decimal(1)),
            Parameter("from_percent", gettext_lazy("Counted from"), Unit.PERCENT, 80, Decimal(1), Decimal(99)),
        ),
        JUST_BELOW,
    )
)
DIRECTION: Final = Parameter(
    "direction",
    gettext_lazy("Direction"),
    default="deposit",
    choices={"deposit": gettext_lazy("Deposits"), "withdrawal": gettext_lazy("Withdrawals")},
)
_measure(
    Measure(
        "velocity_count",
        gettext_lazy("Velocity: number"),
        gettext_lazy("%(direction)s: %(threshold)s or more within %(window)s"),
        Unit.COUNT,
        _rolling("count(*)", "m.kind = %(direction)s"),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (DIRECTION,),
        "m.kind = %(direction)s",
    )
)
_measure(
    Measure(
        "velocity_sum",
        gettext_lazy("Velocity: amount"),
        gettext_lazy("%(direction)s: %(threshold)s or more in total within %(window)s"),
        Unit.MONEY,
        _rolling("sum(m.base_amount)", "m.kind = %(direction)s"),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (DIRECTION,),
        "m.kind = %(direction)s",
    )
)
ROUND: Final = "m.kind = 'deposit' AND m.amount >= %(multiple)s AND mod(m.amount, %(multiple)s) = 0"
_measure(
    Measure(
        "round_amounts",
        gettext_lazy("Round amounts"),
        gettext_lazy("%(threshold)s or more deposits in multiples of %(multiple)s within %(window)s"),
        Unit.COUNT,
        _rolling("count(*)", ROUND),
        IN,
        (Parameter("multiple", gettext_lazy("Multiple of (any currency)"), Unit.NUMBER, 1000, Decimal(1)),),
        ROUND,
    )
)
_measure(
    Measure(
        "third_party",
        gettext_lazy("Third-party payer"),
        gettext_lazy("%(threshold)s or more deposits paid by somebody else within %(window)s"),
        Unit.COUNT,
        _rolling("count(*)", "m.is_third_party"),
        IN,
        evidence="m.is_third_party",
    )
)
LEVELS: Final = Parameter(
    "levels",
    gettext_lazy("FATF lists"),
    default=["grey", "black"],
    choices=dict(CountryRiskLevel.choices),
    is_many=True,
)
LISTED: Final = """EXISTS (SELECT 1 FROM compliance_countryrisk r
  WHERE r.country = m.country AND r.level = ANY(%(levels)s) AND r.valid @> (m.at AT TIME ZONE 'UTC')::date)"""
_measure(
    Measure(
        "country",
        gettext_lazy("High-risk country"),
        gettext_lazy("%(threshold)s or more moved within %(window)s by a resident of a country listed as: %(levels)s"),
        Unit.MONEY,
        _rolling("sum(m.base_amount)", LISTED),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (LEVELS,),
        LISTED,
    )
)
LISTED_BANK: Final = LISTED.replace("m.country", "m.bank_country")
_measure(
    Measure(
        "bank_country",
        gettext_lazy("High-risk bank country"),
        gettext_lazy(
            "%(threshold)s or more moved within %(window)s from or to a bank in a country listed as: %(levels)s"
        ),
        Unit.MONEY,
        _rolling("sum(m.base_amount)", LISTED_BANK),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (LEVELS,),
        LISTED_BANK,
    )
)
SIGNED_IN: Final = """EXISTS (SELECT 1 FROM clients_signincountry i JOIN compliance_countryrisk r ON r.country = i.country
  WHERE i.client_id = m.client_id AND i.first_at BETWEEN m.at - %(days)s * interval '1 day' AND m.at
  AND r.level = ANY(%(levels)s) AND r.valid @> i.day)"""
_measure(
    Measure(
        "sign_in_country",
        gettext_lazy("Signed in from a high-risk country"),
        gettext_lazy(
            "%(threshold)s or more moved within %(window)s, each time up to %(days)s after signing in from a country listed as: "
            "%(levels)s"
        ),
        Unit.MONEY,
        _rolling("sum(m.base_amount)", SIGNED_IN),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (LEVELS, Parameter("days", gettext_lazy("After signing in, up to"), Unit.DAYS, 30, Decimal(1), Decimal(365))),
        SIGNED_IN,
    )
)
_measure(
    Measure(
        "sign_in_countries",
        gettext_lazy("Many countries of sign-in"),
        gettext_lazy(
            "Money moved by a client who had signed in from %(threshold)s or more countries within %(window)s"
        ),
        Unit.COUNT,
        f"""
        WITH {{scope}}, {READ}, counted AS (
          SELECT m.client_id, m.at, m.id, (SELECT count(DISTINCT i.country) FROM clients_signincountry i
            WHERE i.client_id = m.client_id AND i.first_at BETWEEN m.at - %(window)s AND m.at) AS value
          FROM m WHERE m.at >= m.since
        )
        SELECT client_id, at, id AS movement_id, value FROM counted WHERE value >= %(threshold)s""",  # noqa: S608
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        evidence="m.id = a.movement_id",
    )
)
_measure(
    Measure(
        "chargebacks",
        gettext_lazy("Chargebacks"),
        gettext_lazy("%(threshold)s or more chargebacks within %(window)s"),
        Unit.COUNT,
        _rolling("count(*)"),
        (MovementKind.CHARGEBACK,),
    )
)
# Distinct values can't be counted by a window function: they are gathered by one, for clients who ever used enough of them.
_measure(
    Measure(
        "many_instruments",
        gettext_lazy("Many cards or accounts"),
        gettext_lazy("Deposits by %(threshold)s or more different instruments (%(method)s) within %(window)s"),
        Unit.COUNT,
        f"""
        WITH {{scope}}, {READ}, used AS (SELECT * FROM m WHERE method = %(method)s AND instrument_mark <> ''),
        several AS (
          SELECT client_id FROM used GROUP BY 1 HAVING count(DISTINCT instrument_mark) >= %(threshold)s
        ), gathered AS (
          SELECT client_id, at, id, since, array_agg(instrument_mark) OVER {ROLLING} AS marks
          FROM used WHERE client_id IN (SELECT client_id FROM several)
        ), counted AS (
          SELECT client_id, at, id AS movement_id, (SELECT count(DISTINCT mark) FROM unnest(marks) mark) AS value
          FROM gathered WHERE at >= since
        )
        SELECT * FROM counted WHERE value >= %(threshold)s""",  # noqa: S608
        IN,
        (Parameter("method", gettext_lazy("Method"), default="card", choices=dict(MovementMethod.choices)),),
        "m.method = %(method)s AND m.instrument_mark <> ''",
    )
)
DECLARED: Final = (DeclaredFact.EXPECTED_DEPOSITS, DeclaredFact.YEARLY_INCOME, DeclaredFact.NET_WORTH)
# What held when the money moved: a later declaration neither excuses nor accuses. Who declared nothing of it is compared with a
# fixed amount, or left out. What isn't above the least that a client ever declared isn't above what held: most rows end there.
_measure(
    Measure(
        "declared_means",
        gettext_lazy("Above declared means"),
        gettext_lazy(
            "Deposits within %(window)s (%(least)s or more) are %(threshold)s or more of the highest declared amount: "
            "%(against)s; without one, of %(otherwise)s"
        ),
        Unit.PERCENT,
        f"""
        WITH {{scope}}, {READ}, flow AS (
          SELECT client_id, at, id, since, sum(base_amount) OVER {ROLLING} AS came FROM m
        ), lowest AS (
          SELECT d.client_id, min(d.amount) AS amount FROM scope s JOIN clients_declaration d ON d.client_id = s.client_id
          WHERE d.fact = ANY(%(against)s) GROUP BY 1
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
_measure(
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
_measure(
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
_measure(
    Measure(
        "method_mismatch",
        gettext_lazy("Method mismatch"),
        gettext_lazy(
            "%(threshold)s or more withdrawn within %(window)s by a method that the client never deposited with"
        ),
        Unit.MONEY,
        _rolling("sum(m.base_amount)", OTHER_METHOD),
        (MovementKind.WITHDRAWAL,),
        evidence=OTHER_METHOD,
    )
)
_measure(
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
# What more clients share than this, a mobile operator's network or an office, says nothing of any two of them.
CROWD: Final = 25
_measure(
    Measure(
        "shared",
        gettext_lazy("Shared device, network or account"),
        gettext_lazy(
            "Money moved by a client who shares one of these with %(threshold)s or more others: %(identifiers)s"
        ),
        Unit.COUNT,
        f"""
        WITH {{scope}}, {READ}, pairs AS (
          SELECT i.client_id, o.client_id AS other, min(greatest(i.first_seen, o.first_seen)) AS linked_at
          FROM scope s JOIN clients_identifier i ON i.client_id = s.client_id AND i.kind = ANY(%(identifiers)s)
          JOIN LATERAL (SELECT count(*) AS n FROM (SELECT 1 FROM clients_identifier c
            WHERE c.kind = i.kind AND c.mark = i.mark AND c.client_id IS NOT NULL LIMIT {CROWD + 1}) x) crowd
            ON crowd.n BETWEEN 2 AND {CROWD}
          JOIN clients_identifier o ON o.kind = i.kind AND o.mark = i.mark AND o.client_id <> i.client_id
          JOIN clients_client oc ON oc.id = o.client_id AND oc.brand_id = %(brand)s
          GROUP BY 1, 2
        ), reached AS (
          SELECT client_id, linked_at FROM (
            SELECT client_id, linked_at, row_number() OVER (PARTITION BY client_id ORDER BY linked_at) AS place FROM pairs
          ) p WHERE place = %(threshold)s
        )
        SELECT m.client_id, m.at, m.id AS movement_id,
          (SELECT count(*) FROM pairs p WHERE p.client_id = m.client_id AND p.linked_at <= m.at) AS value
        FROM m JOIN reached r ON r.client_id = m.client_id AND r.linked_at <= m.at WHERE m.at >= m.since""",  # noqa: S608
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (
            Parameter(
                "identifiers",
                gettext_lazy("Shared"),
                default=["device", "bank_account", "card", "crypto_address"],
                choices=dict(IdentifierKind.choices),
                is_many=True,
            ),
        ),
        evidence="m.id = a.movement_id",
        has_window=False,
    )
)
PEER_COLUMNS: Final = {
    "country": gettext_lazy("same country"),
    "risk_rating": gettext_lazy("same risk rating"),
    "category": gettext_lazy("same category"),
}
# Only what the same two clients did to each other counts together; what goes back and forth cancels out.
_measure(
    Measure(
        "opposite_trades",
        gettext_lazy("Opposite trades between two clients"),
        gettext_lazy(
            "%(threshold)s or more moved to, or from, the same other client by %(times)s or more opposite trades within %(window)s"
        ),
        Unit.MONEY,
        f"""
        WITH {{scope}}, {READ}, run AS (
          SELECT client_id, at, id, since, count(*) OVER together AS times,
            abs(sum(CASE kind WHEN 'trade_gain' THEN base_amount ELSE -base_amount END) OVER together) AS value
          FROM m WINDOW together AS (
            PARTITION BY client_id, counterpart_id ORDER BY at RANGE BETWEEN %(window)s PRECEDING AND CURRENT ROW)
        )
        SELECT client_id, at, id AS movement_id, value FROM run
        WHERE at >= since AND times >= %(times)s AND value >= %(threshold)s""",  # noqa: S608
        (MovementKind.TRADE_GAIN, MovementKind.TRADE_LOSS),
        (Parameter("times", gettext_lazy("Opposite trades, at least"), Unit.COUNT, 3, Decimal(2), Decimal(1000)),),
        "m.counterpart_id = (SELECT x.counterpart_id FROM {movement} x WHERE x.id = a.movement_id)",
    )
)
# The month so far against what peers deposited in the whole month before: a robust z-score (median and MAD; Iglewicz and
# Hoaglin, "How to Detect and Handle Outliers", 1993: 0.6745 · (x - median) / MAD, an outlier from 3.5 on). A group whose
# members are all alike has no MAD; a tenth of the median stands for it. Amounts are never negative, so a client whose whole month
# isn't outlying never was in it: only the movements of the others are added up one by one. So a month's total may be that of
# the whole month where a back-test ends within it: nothing of that month is a base for another one then.
MONTH: Final = "date_trunc('month', m.at AT TIME ZONE 'UTC')::date"
_measure(
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


def choices() -> list[tuple[str, Label]]:
    """List the measures for a form."""
    return [(measure.code, measure.label) for measure in MEASURES.values()]
