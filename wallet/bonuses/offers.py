"""What a client is offered today: the bonuses that their next deposit would earn."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone

from clients.models import Client
from clients.segments.membership import members_among
from crm.money.amounts import Money, from_minor
from wallet.bonuses.granting import may_have_bonus
from wallet.choices.bonuses import BonusState, BonusTrigger
from wallet.models import BonusGrant, BonusRule

OFFERS_MAX = 3


@dataclass(frozen=True, slots=True)
class Promotion:
    """A bonus that a deposit earns; amounts in the brand's base currency."""

    rule: BonusRule
    left: Money
    minimum: Money | None

    @property
    def is_for_first_deposit(self) -> bool:
        return self.rule.trigger == BonusTrigger.FIRST_DEPOSIT


def promotions_for(client: Client) -> list[Promotion]:
    """List what the client's next deposit would earn: rules in force today, with something left under their maximum.

    Nothing for those who may have no bonus (`may_have_bonus`), nor what staff grant by hand. Two statements at most, and one
    where a rule is for a segment only.
    """
    if not may_have_bonus(client):
        return []
    today = timezone.now().date()
    newest = (
        BonusRule.objects.filter(plan__brand_id=client.brand_id, plan__is_enabled=True, valid_from__lte=today)
        .select_related("plan")
        .order_by("plan_id", "-valid_from", "-pk")
        .distinct("plan_id")
    )
    triggers = {BonusTrigger.EVERY_DEPOSIT}
    if client.first_deposit_at is None:
        triggers.add(BonusTrigger.FIRST_DEPOSIT)
    rules = [rule for rule in newest if rule.trigger in triggers]
    limited = {rule.segment_id for rule in rules if rule.segment_id}
    inside = members_among(client.pk, limited) if limited else set()
    rules = [rule for rule in rules if rule.segment_id is None or rule.segment_id in inside]
    if not rules:
        return []
    grants = BonusGrant.objects.filter(client=client, rule__plan__in=[rule.plan_id for rule in rules]).exclude(
        state__in=[BonusState.REJECTED, BonusState.WITHDRAWN]
    )
    given = dict(grants.order_by().values_list("rule__plan").annotate(Sum("base_amount")))
    currency = client.brand.base_currency
    offers = []
    for rule in rules:
        left = from_minor(rule.maximum_minor, currency) - (given.get(rule.plan_id) or Decimal(0))
        if left > 0:
            minimum = Money(from_minor(rule.deposit_minimum_minor, currency), currency)
            offers.append(Promotion(rule, Money(left, currency), minimum if minimum.amount else None))
    return sorted(offers, key=lambda offer: -offer.left.amount)[:OFFERS_MAX]
