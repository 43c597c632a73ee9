"""The rules that come with the product, to begin with: a brand adds them as drafts, tries them out and changes them.

Thresholds are in the brand's base currency and are starting values, not law. Where they come from:
- below 2,000: CySEC C721 (9 July 2025) lets an unverified client deposit up to EUR 2,000; below 10,000: the limit for payments
  in cash of Regulation (EU) 2024/1624 art. 80, and the reporting limit of 31 CFR 1010.311.
- rapid in-and-out, pass-through, third parties, dormant accounts, several accounts of one person: indicators of FATF, "Money
  Laundering and Terrorist Financing in the Securities Sector" (2009), and of FINRA Regulatory Notice 19-18.
- cards of another country: EBA/GL/2021/02, guideline 10 (payment instruments issued elsewhere than the customer lives).
- FATF lists: Recommendation 19; the lists themselves are dated data (`compliance.models.CountryRisk`).
- opposite trades that move money between accounts: FATF 2009 as above, annex.
- above declared means: EBA/GL/2021/02, guideline 4 (business relationship's purpose; transactions that don't fit what is known
  of the customer); half again as much leaves room for what a client couldn't foresee.
- peer outliers: Iglewicz and Hoaglin (1993), z of 3.5; 6 here, as deposits are skewed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.aml import policies
from compliance.aml.choices import Severity
from compliance.aml.models import AmlRule
from compliance.aml.rules import Content, create_rule
from crm.models import Actor
from crm.security.policies import require

DAY: Final = 24


@dataclass(frozen=True)
class ShippedRule:
    """A rule to begin with; window and repeat in hours."""

    code: str
    name: str | Promise
    measure: str
    threshold: int
    window: int = DAY
    severity: Severity = Severity.MEDIUM
    repeat: int = 30 * DAY
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> Content:
        return Content(
            self.measure, Decimal(self.threshold), self.window, self.repeat, self.severity.value, self.parameters
        )


SHIPPED: Final = (
    ShippedRule(
        "below-2000", gettext_lazy("Deposits just below 2,000"), "structuring", 3, 7 * DAY, Severity.HIGH, 7 * DAY,
        {"limit": 2000, "from_percent": 80},
    ),
    ShippedRule(
        "below-10000", gettext_lazy("Deposits just below 10,000"), "structuring", 3, 30 * DAY, Severity.HIGH, 30 * DAY,
        {"limit": 10000, "from_percent": 80},
    ),
    ShippedRule("in-and-out", gettext_lazy("Rapid in-and-out"), "in_and_out", 80, 3 * DAY, Severity.HIGH, 7 * DAY),
    ShippedRule("pass-through", gettext_lazy("Pass-through to another account"), "pass_through", 90, 2 * DAY, repeat=7 * DAY),
    ShippedRule("method-mismatch", gettext_lazy("Paid out another way"), "method_mismatch", 1000, 30 * DAY),
    ShippedRule("third-party", gettext_lazy("Third-party payer"), "third_party", 1, 7 * DAY, Severity.HIGH, 7 * DAY),
    ShippedRule("many-cards", gettext_lazy("Three cards in a month"), "many_instruments", 3, 30 * DAY),
    ShippedRule("shared", gettext_lazy("Three clients on one device or account"), "shared", 2, severity=Severity.HIGH),
    ShippedRule("many-deposits", gettext_lazy("Five deposits in a day"), "velocity_count", 5, DAY, Severity.LOW, 7 * DAY),
    ShippedRule("large-deposits", gettext_lazy("50,000 deposited in a week"), "velocity_sum", 50000, 7 * DAY),
    ShippedRule(
        "declared-means", gettext_lazy("Deposits above declared means"), "declared_means", 150, 365 * DAY, repeat=90 * DAY
    ),
    ShippedRule("dormant", gettext_lazy("Active after half a year"), "dormant", 180),
    ShippedRule("round", gettext_lazy("Round amounts"), "round_amounts", 5, 7 * DAY, Severity.LOW),
    ShippedRule("country", gettext_lazy("Country on a FATF list"), "country", 1000, 30 * DAY, Severity.HIGH),
    ShippedRule("bank-country", gettext_lazy("Bank in a country on a FATF list"), "bank_country", 1000, 30 * DAY, Severity.HIGH),
    ShippedRule("card-country", gettext_lazy("Card of a country on a FATF list"), "card_country", 1000, 30 * DAY, Severity.HIGH),
    ShippedRule("card-abroad", gettext_lazy("Card of another country than the client's"), "card_abroad", 5000, 30 * DAY),
    ShippedRule(
        "sign-in-country", gettext_lazy("Signed in from a country on a FATF list"), "sign_in_country", 1000, 30 * DAY, Severity.HIGH
    ),
    ShippedRule("sign-in-countries", gettext_lazy("Signed in from four countries in three days"), "sign_in_countries", 4, 3 * DAY),
    ShippedRule("chargebacks", gettext_lazy("Two chargebacks in three months"), "chargebacks", 2, 90 * DAY),
    ShippedRule(
        "opposite-trades", gettext_lazy("Opposite trades between two clients"), "opposite_trades", 500, 31 * DAY, Severity.HIGH
    ),
    ShippedRule("peers", gettext_lazy("Deposits unlike those of peers"), "peers", 6, repeat=31 * DAY),
)  # fmt: skip  # a table


def example_of(measure: str) -> Content:
    """Return the values that a new rule of a measure begins with: those of the first shipped rule that measures so."""
    return next(rule.content for rule in SHIPPED if rule.measure == measure)


@transaction.atomic
def add_shipped(*, brand_id: int, actor: Actor) -> int:
    """Add the shipped rules that a brand lacks, as drafts; returns how many. Who: as `create_rule`. Raises: NotAllowed."""
    require(policies.can_write_for(actor, brand_id))
    known = set(AmlRule.objects.filter(brand_id=brand_id).values_list("code", flat=True))
    named = set(AmlRule.objects.filter(brand_id=brand_id).values_list("name", flat=True))
    # Stored in English and shown in the reader's language, whoever adds them.
    with translation.override("en"):
        missing = [rule for rule in SHIPPED if rule.code not in known and str(rule.name) not in named]
        for rule in missing:
            create_rule(
                brand_id=brand_id,
                name=str(rule.name),
                content=rule.content,
                why=_("Recommended rule"),
                actor=actor,
                code=rule.code,
            )
    return len(missing)
