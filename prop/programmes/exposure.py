"""What each programme means for the broker today: who passes which phase, what runs funded, and what its traders have earned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import Case, Count, DecimalField, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Ceil, Coalesce, Greatest
from django.utils import timezone

from crm.models import User
from crm.money.amounts import exponent
from crm.security.scope import reach_of
from prop.choices import GrowthState, StageState
from prop.models import AccountGrowth, Challenge, ChallengePayout, PhaseAccount
from prop.programmes.economics import LOST, ProgrammeMonth, economics_of
from prop.queries import programmes_visible_to

KEPT_SECONDS = 60
MONEY = DecimalField(max_digits=30, decimal_places=8)


@dataclass(frozen=True, slots=True)
class PhaseRate:
    """How many accounts of a phase ended, and how many of them were passed."""

    number: int
    passed: int
    lost: int

    @property
    def rate(self) -> int:
        return round(100 * self.passed / (self.passed + self.lost))


@dataclass(slots=True)
class ProgrammeExposure:
    """One programme in one currency. size: what running funded accounts trade; earned: their traders' part of profits not paid yet.

    fees, paid: of the months shown, for the payout ratio.
    """

    name: str
    currency: str
    phases: list[PhaseRate] = field(default_factory=list)
    funded: int = 0
    size: Decimal = Decimal(0)
    earned: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)

    @property
    def payout_ratio(self) -> int | None:
        """Payouts as a percentage of fees and resets; None where there were none."""
        return round(100 * self.paid / self.fees) if self.fees else None


Figures = tuple[list[ProgrammeMonth], list[ProgrammeExposure]]


def figures_of(user: User) -> Figures:
    """Return economics and exposure as their page shows them: kept for a minute, or until the next challenge is sold or paid."""
    newest = [
        model.objects.order_by("-pk").values_list("pk", flat=True).first() for model in (Challenge, ChallengePayout)
    ]
    known = [*sorted(reach_of(user).whole_brands), *newest, timezone.localdate()]
    key = f"prop.economics:{'-'.join(map(str, known))}"
    kept: Figures | None = cache.get(key)
    if kept is None:
        months = economics_of(user)
        kept = months, exposure_of(user, months)
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def exposure_of(user: User, months: Sequence[ProgrammeMonth]) -> list[ProgrammeExposure]:
    """Add up the programmes that a person sees: three statements, however many accounts. months: their economics."""
    rows: dict[tuple[str, str], ProgrammeExposure] = {}
    accounts = PhaseAccount.objects.filter(
        challenge__version__programme__in=programmes_visible_to(user).order_by().values("pk")
    )
    for fact in _ended(accounts):
        rate = PhaseRate(fact["phase__number"], fact["passed"], fact["lost"])
        _row(rows, fact).phases.append(rate)
    for fact in _running(accounts):
        row = _row(rows, fact)
        row.funded, row.size, row.earned = fact["funded"], fact["size"], fact["earned"] or Decimal(0)
    for month in months:
        row = rows.setdefault((month.name, month.currency), ProgrammeExposure(month.name, month.currency))
        row.fees += month.fees + month.resets
        row.paid += month.paid
    return sorted(rows.values(), key=lambda row: (row.name, row.currency))


def _row(rows: dict[tuple[str, str], ProgrammeExposure], fact: dict[str, Any]) -> ProgrammeExposure:
    name, currency = fact["challenge__version__programme__name"], fact["challenge__currency"]
    return rows.setdefault((name, currency), ProgrammeExposure(name, currency))


def _ended(accounts: Any) -> Iterable[dict[str, Any]]:
    ended = accounts.filter(phase__is_funded=False, state__in=[StageState.PASSED, *LOST]).order_by("phase__number")
    grouped: Iterable[dict[str, Any]] = ended.values(
        "challenge__version__programme__name", "challenge__currency", "phase__number"
    ).annotate(passed=Count("pk", filter=Q(state=StageState.PASSED)), lost=Count("pk", filter=Q(state__in=LOST)))
    return grouped


def _running(accounts: Any) -> Iterable[dict[str, Any]]:
    """Group running funded accounts; the profit is the judge's balance, in minor units, above the starting balance."""
    running = accounts.filter(phase__is_funded=True, state=StageState.RUNNING).order_by()
    currencies = list(running.values_list("challenge__currency", flat=True).distinct())
    if not currencies:
        return []
    scale = Case(
        *(When(challenge__currency=name, then=Value(Decimal(1).scaleb(exponent(name)))) for name in currencies),
        output_field=MONEY,
    )
    balance = Cast(KeyTextTransform("balance", KeyTransform("state", "judged")), MONEY)
    raised = AccountGrowth.objects.filter(phase_account=OuterRef("pk"), state=GrowthState.BOOKED, split__isnull=False)
    split = Coalesce(Subquery(raised.order_by("-number").values("split")[:1]), F("phase__split"))
    profit = Greatest(balance - F("challenge__balance") * scale, Value(Decimal(0)), output_field=MONEY)
    # A fraction of a unit goes to the trader, as it is paid (`prop.payouts.terms.share_of`).
    share = Ceil(Cast(profit * split / 100, MONEY)) / scale
    grouped: Iterable[dict[str, Any]] = (
        running.annotate(share=Cast(share, MONEY))
        .values("challenge__version__programme__name", "challenge__currency")
        .annotate(funded=Count("pk"), size=Sum(F("challenge__balance") + F("growth")), earned=Sum("share"))
    )
    return grouped
