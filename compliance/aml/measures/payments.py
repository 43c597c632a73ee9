"""Measures of payments one by one: structuring, velocity, round amounts, third-party payers, chargebacks, many instruments."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy

from compliance.aml.choices import MovementKind, MovementMethod
from compliance.aml.measures.kit import IN, READ, ROLLING, Measure, Parameter, Unit, register, rolling

JUST_BELOW: Final = (
    "m.kind = 'deposit' AND m.base_amount >= %(limit)s * %(from_percent)s / 100 AND m.base_amount < %(limit)s"
)


register(
    Measure(
        "structuring",
        gettext_lazy("Structuring"),
        gettext_lazy(
            "%(threshold)s or more deposits just below %(limit)s (from %(from_percent)s of it) within %(window)s"
        ),
        Unit.COUNT,
        rolling("count(*)", JUST_BELOW),
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


register(
    Measure(
        "velocity_count",
        gettext_lazy("Velocity: number"),
        gettext_lazy("%(direction)s: %(threshold)s or more within %(window)s"),
        Unit.COUNT,
        rolling("count(*)", "m.kind = %(direction)s"),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (DIRECTION,),
        "m.kind = %(direction)s",
    )
)


register(
    Measure(
        "velocity_sum",
        gettext_lazy("Velocity: amount"),
        gettext_lazy("%(direction)s: %(threshold)s or more in total within %(window)s"),
        Unit.MONEY,
        rolling("sum(m.base_amount)", "m.kind = %(direction)s"),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (DIRECTION,),
        "m.kind = %(direction)s",
    )
)


ROUND: Final = "m.kind = 'deposit' AND m.amount >= %(multiple)s AND mod(m.amount, %(multiple)s) = 0"


register(
    Measure(
        "round_amounts",
        gettext_lazy("Round amounts"),
        gettext_lazy("%(threshold)s or more deposits in multiples of %(multiple)s within %(window)s"),
        Unit.COUNT,
        rolling("count(*)", ROUND),
        IN,
        (Parameter("multiple", gettext_lazy("Multiple of (any currency)"), Unit.NUMBER, 1000, Decimal(1)),),
        ROUND,
    )
)


register(
    Measure(
        "third_party",
        gettext_lazy("Third-party payer"),
        gettext_lazy("%(threshold)s or more deposits paid by somebody else within %(window)s"),
        Unit.COUNT,
        rolling("count(*)", "m.is_third_party"),
        IN,
        evidence="m.is_third_party",
    )
)


register(
    Measure(
        "chargebacks",
        gettext_lazy("Chargebacks"),
        gettext_lazy("%(threshold)s or more chargebacks within %(window)s"),
        Unit.COUNT,
        rolling("count(*)"),
        (MovementKind.CHARGEBACK,),
    )
)


# Distinct values can't be counted by a window function: they are gathered by one, for clients who ever used enough of them.
register(
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
