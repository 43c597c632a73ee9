"""What a client may do under the brand's country, age and product rules: the one place that every gate asks.

    require(may(client, Gate.DEPOSIT))
    require(may_have(client, Product.BONUS))

A change acts on the next request: rules are read under the mark in the brand's row, exemptions from their table.
"""

from __future__ import annotations

import datetime as dt
from enum import Enum
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _

from clients.brand_policies import MINIMUM_AGE
from clients.choices import Category, Gate, Product
from clients.countries import country_name
from clients.country_rules.rules import Rule, refusal_text, rule_of
from clients.models import Client, Exemption
from crm.brand_policies.registry import today
from crm.choices import ApprovalState
from crm.models import Brand
from crm.security.policies import YES, Decision, no

# Gates that a client goes through, and to which an exemption may let them; the others are asked about people who aren't clients.
OF_CLIENTS: Final = (Gate.LOGIN, Gate.DEPOSIT, Gate.TRADING, Gate.WITHDRAWAL)
BY_AGE: Final = frozenset({Gate.REGISTRATION, Gate.DEPOSIT, Gate.TRADING})
NO_ONE, ANYONE = Q(pk__in=[]), Q(pk__isnull=False)


class Cause(Enum):
    """Why a rule refuses a client."""

    COUNTRY = "country"
    MINIMUM_AGE = "minimum_age"
    APPROVAL_AGE = "approval_age"
    PRODUCT = "product"
    PRODUCT_AGE = "product_age"


def may(client: Client, gate: Gate) -> Decision:
    """Decide whether a client gets through a gate today, with the sentence for them. A query only where a rule refuses."""
    rule = rule_of(client.brand, client.country)
    cause = cause_of(client, gate, rule, today(client.brand))
    if cause is None or gate in exempt_gates(client):
        return YES
    return no(sentence_for_client(client, gate, rule, cause))


def may_have(client: Client, product: Product) -> Decision:
    """Decide whether a product is offered to a client today. An exemption for trading accounts is one for their products."""
    rule = rule_of(client.brand, client.country)
    cause = cause_of(client, product, rule, today(client.brand))
    if cause is None:
        return YES
    if product is not Product.BONUS and Gate.TRADING in exempt_gates(client):
        return YES
    return no(sentence_for_client(client, product, rule, cause))


def cause_of(client: Client, what: Gate | Product, rule: Rule, day: dt.date) -> Cause | None:
    """Find why a rule refuses a client at a gate, or a product, on a day; None where it doesn't. Pure but for brand policies."""
    limits = rule.limits
    if isinstance(what, Product):
        refused = limits.not_offered | (limits.not_for_retail if client.category == Category.RETAIL else frozenset())
        if what in refused:
            return Cause.PRODUCT
        age = client.age_on(day) if what in limits.not_below_age else None
        return Cause.PRODUCT_AGE if age is not None and age < (limits.product_age or 0) else None
    if what not in rule.accepted:
        return Cause.COUNTRY
    age = client.age_on(day) if what in BY_AGE else None
    if age is None:
        return None
    if age < minimum_age(client.brand, rule):
        return Cause.MINIMUM_AGE
    is_asked = limits.approval_age is not None and what is not Gate.REGISTRATION and age >= limits.approval_age
    return Cause.APPROVAL_AGE if is_asked else None


def refused_q(what: Gate | Product, rule: Rule, brand: Brand, day: dt.date) -> Q:
    """Write `cause_of` as a filter of clients, for whole brands."""
    limits = rule.limits
    if isinstance(what, Product):
        if what in limits.not_offered:
            return ANYONE
        refused = Q(category=Category.RETAIL) if what in limits.not_for_retail else NO_ONE
        if what in limits.not_below_age and limits.product_age:
            refused |= Q(date_of_birth__gt=years_before(day, limits.product_age))
        return refused
    if what not in rule.accepted:
        return ANYONE
    if what not in BY_AGE:
        return NO_ONE
    refused = Q(date_of_birth__gt=years_before(day, minimum_age(brand, rule)))
    if limits.approval_age is not None and what is not Gate.REGISTRATION:
        refused |= Q(date_of_birth__lte=years_before(day, limits.approval_age))
    return refused


def minimum_age(brand: Brand, rule: Rule) -> int:
    """Return from which age on people are accepted under a rule: its own, else the brand's."""
    return rule.limits.minimum_age or MINIMUM_AGE.of(brand)


def years_before(day: dt.date, years: int) -> dt.date:
    """Return the last birth date of those who are `years` old on a day; who was born on February 29 is older from March 1."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def exemptions_of(client: Client) -> tuple[Exemption | None, Exemption | None]:
    """Find a client's exemption that holds today, the newest approved one while it lasts, and the proposal that waits."""
    rows = Exemption.objects.filter(client=client, state__in=[ApprovalState.APPROVED, ApprovalState.PENDING])
    # At most one waits, and it was asked for after the newest one that was approved.
    latest = list(rows.select_related("requested_by", "decided_by").order_by("-pk")[:2])
    newest = next((row for row in latest if row.state == ApprovalState.APPROVED), None)
    waiting = next((row for row in latest if row.state == ApprovalState.PENDING), None)
    if newest is None or newest.ends_on is None or newest.ends_on < today(client.brand):
        return None, waiting
    return newest, waiting


def exempt_gates(client: Client) -> frozenset[str]:
    """Return the gates at which the rules don't hold for a client today."""
    exemption, _waiting = exemptions_of(client)
    return frozenset(exemption.gates) if exemption is not None else frozenset()


def sentence_for_client(client: Client, what: Gate | Product, rule: Rule, cause: Cause) -> str:
    """Say to a client what isn't possible, and whom to ask."""
    place = country_name(client.country) or _("your country")
    if cause is Cause.COUNTRY:
        assert isinstance(what, Gate)
        return refusal_text(what, client.country)
    if cause is Cause.MINIMUM_AGE:
        return _("You must be at least %(age)s years old for this. Please contact support.") % {
            "age": minimum_age(client.brand, rule)
        }
    if cause is Cause.APPROVAL_AGE:
        return _("From the age of %(age)s, we approve this personally. Please contact support.") % {
            "age": rule.limits.approval_age
        }
    if cause is Cause.PRODUCT_AGE:
        return _("We offer you this from the age of %(age)s. Please contact support.") % {
            "age": rule.limits.product_age
        }
    return {
        Product.CFD: _("We can't offer you a trading account with real money in %(country)s. Please contact support."),
        Product.CRYPTO_CFD: _(
            "This account includes crypto-assets, which we can't offer you in %(country)s. Choose another account or contact "
            "support."
        ),
        Product.BONUS: _("We can't offer you bonuses in %(country)s."),
    }[Product(what)] % {"country": place}


def sentence_for_staff(client: Client, what: Gate | Product, rule: Rule, cause: Cause) -> str:
    """Say to staff which rule refuses a client."""
    values = {"country": country_name(client.country) or "–", "what": what.label}
    if cause is Cause.COUNTRY:
        return _("%(what)s: %(country)s isn't accepted.") % values
    if cause is Cause.MINIMUM_AGE:
        return _("%(what)s: below the minimum age of %(age)s.") % {**values, "age": minimum_age(client.brand, rule)}
    if cause is Cause.APPROVAL_AGE:
        return _("%(what)s: an exemption is needed from age %(age)s.") % {**values, "age": rule.limits.approval_age}
    if cause is Cause.PRODUCT_AGE:
        return _("%(what)s: not offered below age %(age)s.") % {**values, "age": rule.limits.product_age}
    if what in rule.limits.not_offered:
        return _("%(what)s: not offered in %(country)s.") % values
    return _("%(what)s: not offered to retail clients in %(country)s.") % values
