"""How far a partner has come towards the next plan: plans of a brand with an entry are its partner levels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.i18n import formats
from ib.choices import VersionState
from ib.models import Attribution, Partner, Plan, PlanVersion
from ib.partner_pages.figures import ACTIVE_DAYS, Days, earned_between, is_active
from ib.plans import level_rank


@dataclass(frozen=True)
class Goal:
    """One condition of a level, with what the partner has of it."""

    label: str
    now: Decimal | int
    target: Decimal | int
    text: str

    @property
    def percent(self) -> int:
        return max(0, min(100, int(100 * self.now / self.target)))


@dataclass(frozen=True)
class NextLevel:
    """The next plan above a partner's own. All goals reached: the partner manager can move the partner to it."""

    plan: Plan
    goals: Sequence[Goal]

    @property
    def is_reached(self) -> bool:
        return all(goal.now >= goal.target for goal in self.goals)


def levels_of(brand_id: int) -> list[Plan]:
    """List a brand's levels, the lowest entry first: plans with an entry and a version in force."""
    now = timezone.now()
    versions = PlanVersion.objects.filter(plan=OuterRef("pk"), state=VersionState.ACTIVE, starts_at__lte=now)
    has_entry = Q(entry_lots__isnull=False) | Q(entry_clients__isnull=False)
    plans = Plan.objects.filter(has_entry, Exists(versions.filter(Q(ends_at=None) | Q(ends_at__gt=now))))
    return sorted(plans.filter(brand_id=brand_id), key=level_rank)


def next_level(partner: Partner, current: Plan | None, read: Days | None = None) -> NextLevel | None:
    """Return the next level above the partner's plan; None on the highest, and where the brand has no levels.

    read: the partner's sums of a stretch that reaches back so many days, where they are known.
    """
    own = level_rank(current)
    above = next((plan for plan in levels_of(partner.brand_id) if level_rank(plan) > own), None)
    if above is None:
        return None
    goals = []
    if above.entry_lots:
        today = timezone.localdate()
        days = [today - dt.timedelta(days=back) for back in range(ACTIVE_DAYS - 1, -1, -1)]
        lots = earned_between(partner, days, read).lots
        goals.append(_goal(_("Lots in 30 days"), lots, above.entry_lots))
    if above.entry_clients:
        clients = Attribution.objects.filter(is_active(), partner=partner, ends_at__isnull=True).count()
        goals.append(_goal(_("Active clients"), clients, above.entry_clients))
    return NextLevel(above, goals) if goals else None


def _goal(label: str, now: Decimal | int, target: Decimal | int) -> Goal:
    text = _("%(now)s of %(target)s") % {"now": formats.number(now, 0), "target": formats.number(target, 0)}
    return Goal(label, now, target, text)
