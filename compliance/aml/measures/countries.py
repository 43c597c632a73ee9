"""Measures of countries: of residence, of the bank, of the card, and of sign-ins."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy

from compliance.aml.choices import MovementKind
from compliance.aml.measures.kit import READ, Measure, Parameter, Unit, register, rolling
from compliance.choices import CountryRiskLevel

LEVELS: Final = Parameter(
    "levels",
    gettext_lazy("FATF lists"),
    default=["grey", "black"],
    choices=dict(CountryRiskLevel.choices),
    is_many=True,
)


LISTED: Final = """EXISTS (SELECT 1 FROM compliance_countryrisk r
  WHERE r.country = m.country AND r.level = ANY(%(levels)s) AND r.valid @> (m.at AT TIME ZONE 'UTC')::date)"""


register(
    Measure(
        "country",
        gettext_lazy("High-risk country"),
        gettext_lazy("%(threshold)s or more moved within %(window)s by a resident of a country listed as: %(levels)s"),
        Unit.MONEY,
        rolling("sum(m.base_amount)", LISTED),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (LEVELS,),
        LISTED,
    )
)


LISTED_BANK: Final = LISTED.replace("m.country", "m.bank_country")


register(
    Measure(
        "bank_country",
        gettext_lazy("High-risk bank country"),
        gettext_lazy(
            "%(threshold)s or more moved within %(window)s from or to a bank in a country listed as: %(levels)s"
        ),
        Unit.MONEY,
        rolling("sum(m.base_amount)", LISTED_BANK),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (LEVELS,),
        LISTED_BANK,
    )
)


LISTED_CARD: Final = LISTED.replace("m.country", "m.card_country")
ABROAD: Final = "m.card_country NOT IN ('', m.country) AND m.country <> ''"


register(
    Measure(
        "card_country",
        gettext_lazy("Card of a high-risk country"),
        gettext_lazy(
            "%(threshold)s or more moved within %(window)s by cards that were issued in a country listed as: %(levels)s"
        ),
        Unit.MONEY,
        rolling("sum(m.base_amount)", LISTED_CARD),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (LEVELS,),
        LISTED_CARD,
    )
)


register(
    Measure(
        "card_abroad",
        gettext_lazy("Card of another country"),
        gettext_lazy(
            "%(threshold)s or more deposited within %(window)s by cards that weren't issued in the client's country"
        ),
        Unit.MONEY,
        rolling("sum(m.base_amount)", ABROAD),
        (MovementKind.DEPOSIT,),
        evidence=ABROAD,
    )
)


SIGNED_IN: Final = """EXISTS (SELECT 1 FROM clients_signincountry i JOIN compliance_countryrisk r ON r.country = i.country
  WHERE i.client_id = m.client_id AND i.first_at BETWEEN m.at - %(days)s * interval '1 day' AND m.at
  AND r.level = ANY(%(levels)s) AND r.valid @> i.day)"""


register(
    Measure(
        "sign_in_country",
        gettext_lazy("Signed in from a high-risk country"),
        gettext_lazy(
            "%(threshold)s or more moved within %(window)s, each time up to %(days)s after signing in from a country listed as: "
            "%(levels)s"
        ),
        Unit.MONEY,
        rolling("sum(m.base_amount)", SIGNED_IN),
        (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL),
        (LEVELS, Parameter("days", gettext_lazy("After signing in, up to"), Unit.DAYS, 30, Decimal(1), Decimal(365))),
        SIGNED_IN,
    )
)


register(
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
