"""The client's KYC level as they see it: what it allows, how much of that is left, and what the next one needs."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from clients.models import Client
from crm.errors import outcome_of
from crm.money.amounts import Money
from crm.rates import fx
from kyc.levels.standing import Standing, standing_of
from wallet.deposits import unverified
from wallet.withdrawals.level_limits import left_to_withdraw


@dataclass(frozen=True, slots=True)
class LevelCard:
    """A client's standing with what the wallet adds: amounts still allowed; None where there is no limit."""

    standing: Standing
    deposits_max: Money | None
    deposits_left: Money | None
    withdrawals_left: Money | None

    @property
    def step_url(self) -> str:
        """Where the client gets what is missing; empty where they can only wait."""
        step = self.standing.next_step
        return reverse(step.step) if step else ""


def standing_for(client: Client) -> LevelCard:
    """Describe a client's level. At most four small queries; one at a level without limits, none at the highest of these."""
    standing, currency = standing_of(client), client.brand.base_currency
    most = unverified.most_for(client, unverified.rule_for(client))
    left = outcome_of(lambda: unverified.still_allowed(client), only=fx.NoRate).result if most is not None else None
    return LevelCard(
        standing,
        Money(most, currency) if most is not None else None,
        left,
        left_to_withdraw(client) if standing.level.withdraws else None,
    )
