"""Measures of what connects clients: shared devices, networks and accounts, and opposite trades."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy

from clients.choices import IdentifierKind
from compliance.aml.choices import MovementKind
from compliance.aml.measures.kit import READ, Measure, Parameter, Unit, register

# What more clients share than this, a mobile operator's network or an office, says nothing of any two of them.
CROWD: Final = 25


register(
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


# Only what the same two clients did to each other counts together; what goes back and forth cancels out.
register(
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
