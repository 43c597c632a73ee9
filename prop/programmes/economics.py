"""What each programme earned and paid by month: fees, resets, refunds, payouts and how many phases were passed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from crm.models import User
from prop.choices import PayoutState, StageState
from prop.models import Challenge, ChallengePayout, ChallengeReset, PhaseAccount
from prop.queries import programmes_visible_to

MONTHS: Final = 12
LOST: Final = (StageState.BREACHED, StageState.EXPIRED, StageState.REJECTED)


@dataclass(slots=True)
class ProgrammeMonth:
    """One programme in one month, in the currency of its challenges. paid: the traders' part, without refunded fees."""

    name: str
    currency: str
    month: dt.date
    sold: int = 0
    fees: Decimal = Decimal(0)
    resets: Decimal = Decimal(0)
    refunds: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    passed: int = 0
    lost: int = 0

    @property
    def result(self) -> Decimal:
        """What is left of fees and resets after refunds and payouts."""
        return self.fees + self.resets - self.refunds - self.paid

    @property
    def pass_rate(self) -> int | None:
        """The percentage of evaluation phases that ended and were passed; None where none ended."""
        ended = self.passed + self.lost
        return round(100 * self.passed / ended) if ended else None


def economics_of(user: User, *, months: int = MONTHS) -> list[ProgrammeMonth]:
    """Add up the programmes that a person sees by month, the newest first: four statements, however many challenges."""
    today = timezone.localdate()
    first = today.year * 12 + today.month - months
    since = dt.datetime(first // 12, first % 12 + 1, 1, tzinfo=timezone.get_current_timezone())
    programmes = programmes_visible_to(user).order_by().values("pk")
    rows: dict[tuple[int, str, dt.date], ProgrammeMonth] = {}
    for facts in _facts(programmes, since):
        for fact in facts:
            month = timezone.localtime(fact["month"]).date()
            key = (fact["programme"], fact["money"], month)
            row = rows.setdefault(key, ProgrammeMonth(fact["name"], fact["money"], month))
            for name in fact.keys() - {"programme", "name", "money", "month"}:
                setattr(row, name, fact[name] or 0)
    return sorted(rows.values(), key=lambda row: (-row.month.toordinal(), row.name, row.currency))


def _facts(programmes: Any, since: dt.datetime) -> Iterable[Iterable[Mapping[str, Any]]]:
    sold = _by_month(Challenge.objects.all(), "", "bought_at", programmes, since)
    yield sold.annotate(sold=Count("pk"), fees=Sum("price"))
    resets = ChallengeReset.objects.filter(payment__isnull=False)
    yield _by_month(resets, "lost__challenge__", "bought_at", programmes, since).annotate(resets=Sum("price"))
    paid = ChallengePayout.objects.filter(state=PayoutState.PAID)
    yield _by_month(paid, "challenge__", "ended_at", programmes, since).annotate(
        paid=Sum("amount"), refunds=Sum("refund")
    )
    ended = PhaseAccount.objects.filter(phase__is_funded=False)
    yield _by_month(ended, "challenge__", "ended_at", programmes, since).annotate(
        passed=Count("pk", filter=Q(state=StageState.PASSED)), lost=Count("pk", filter=Q(state__in=LOST))
    )


def _by_month(rows: QuerySet[Any], path: str, at: str, programmes: Any, since: dt.datetime) -> QuerySet[Any, Any]:
    """Group rows by programme, currency and month. path: from a row to its challenge."""
    programme = f"{path}version__programme"
    seen = rows.filter(**{f"{programme}__in": programmes, f"{at}__gte": since}).order_by()
    grouped: QuerySet[Any, Any] = seen.annotate(
        programme=F(programme), name=F(f"{programme}__name"), money=F(f"{path}currency"), month=TruncMonth(at)
    ).values("programme", "name", "money", "month")
    return grouped
