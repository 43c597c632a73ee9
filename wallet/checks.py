"""The checks a withdrawal goes through: each has a name, looks at one thing, and answers in words.

    @check("velocity", _("How often"))
    def velocity(request: Request) -> Finding: …

`pass` lets it go, `review` sends it to a person, `stop` refuses it outright.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import RiskRating
from clients.models import Client
from crm.models import AuditEvent
from crm.money import Money
from trading.models import TradingAccount
from wallet.choices import DepositState, Outcome, Purpose, Way
from wallet.limits import limit
from wallet.models import Account, Balance, Deposit, Withdrawal
from wallet.payout_methods import PayoutMethod
from wallet.plans import Plan
from wallet.policies import NO_WITHDRAWALS
from wallet.sources import KEPT

MARGIN_LEVEL_MIN = Decimal(100)  # per cent; below this a platform closes positions
PASSWORD_ACTIONS = ("crm.password_changed", "crm.password_reset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks for, as the checks see it: before it is kept with its plan, later with the row itself."""

    client: Client
    wallet: Account
    amount_minor: int
    currency: str
    chosen: PayoutMethod | None = None
    destination: Mapping[str, str] = field(default_factory=dict)
    plan: Plan | None = None
    known: Withdrawal | None = None

    @property
    def money(self) -> Money:
        return Money.of_minor(self.amount_minor, self.currency)

    @property
    def mark(self) -> str:
        """Of the destination that the client chose; empty when everything goes back to its sources."""
        if self.plan is None:
            return self.known.destination_mark if self.known and self.known.way == Way.PAYOUT else ""
        return next((part.mark for part in self.plan.parts if part.way == Way.PAYOUT), "")

    @property
    def others(self) -> QuerySet[Withdrawal]:
        """The client's other withdrawals, one row per request."""
        rows = Withdrawal.objects.filter(client=self.client, purpose=Purpose.WITHDRAWAL, part=1)
        return rows.exclude(request_reference=self.known.request_reference) if self.known else rows


@dataclass(frozen=True, slots=True)
class Finding:
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    label: str | Promise
    run: Callable[[Request], Finding]


CHECKS: dict[str, Check] = {}


def check(name: str, label: str | Promise) -> Callable[[Callable[[Request], Finding]], Callable[[Request], Finding]]:
    def register(run: Callable[[Request], Finding]) -> Callable[[Request], Finding]:
        CHECKS[name] = Check(name, label, run)
        return run

    return register


def run_checks(request: Request) -> dict[str, Finding]:
    """Every check's finding, in the order they stand below."""
    return {name: one.run(request) for name, one in CHECKS.items()}


def passed(reason: str) -> Finding:
    return Finding(Outcome.PASS, reason)


def review(reason: str) -> Finding:
    return Finding(Outcome.REVIEW, reason)


def stop(reason: str) -> Finding:
    return Finding(Outcome.STOP, reason)


@check("funds", gettext_lazy("Funds"))
def funds(request: Request) -> Finding:
    """The wallet covers it after what is already reserved."""
    available = Balance.objects.get(pk=request.wallet.pk).available_minor
    shown = Money.of_minor(max(available, 0), request.currency)
    if available < request.amount_minor:
        return stop(_("Only %(available)s is available in the wallet.") % {"available": shown})
    return passed(_("%(available)s is available.") % {"available": shown})


@check("kyc", gettext_lazy("Identity"))
def kyc(request: Request) -> Finding:
    """No money leaves to someone whose identity is not verified."""
    needed = limit(request.client.brand, "withdrawal_kyc_level")
    if request.client.kyc_level < needed:
        return stop(_("The identity is not verified yet. Please upload the documents that are asked for."))
    return passed(_("Verified to level %(level)s.") % {"level": request.client.kyc_level})


@check("restrictions", gettext_lazy("Restrictions"))
def restrictions(request: Request) -> Finding:
    """Compliance may have frozen withdrawals, or everything."""
    if NO_WITHDRAWALS & set(request.client.restrictions):
        return stop(_("Withdrawals are not possible at the moment. Please contact support."))
    if request.client.restrictions:
        return review(
            _("The client is under a restriction: %(all)s.") % {"all": ", ".join(request.client.restrictions)}
        )
    return passed(_("No restriction."))


@check("risk", gettext_lazy("Risk rating"))
def risk(request: Request) -> Finding:
    if request.client.risk_rating == RiskRating.HIGH:
        return review(_("The client is rated high risk."))
    return passed(_("Rated: %(rating)s.") % {"rating": request.client.get_risk_rating_display()})


@check("return_to_source", gettext_lazy("Return to source"))
def return_to_source(request: Request) -> Finding:
    """Money goes back the way it came, up to what came, before it goes anywhere else (an anti-laundering rule)."""
    plan = request.plan
    if plan is None:
        return passed(_("Was split when it was asked for."))
    if plan.unreturned:
        due = ", ".join(f"{label} {money}" for label, money in plan.unreturned)
        return review(_("Should go back first to where it came from: %(due)s.") % {"due": due})
    returned = sum(part.return_minor for part in plan.parts)
    if returned == request.amount_minor:
        ways = ", ".join(f"{part.label} {part.money}" for part in plan.parts)
        return passed(_("Goes back the way it came: %(ways)s.") % {"ways": ways})
    came = Q(state__in=KEPT) | Q(state=DepositState.REFUNDED, refunds__purpose=Purpose.WITHDRAWAL)
    if not Deposit.objects.filter(came, client=request.client, wallet__currency=request.currency).exists():
        return review(_("The client never paid in in %(currency)s.") % {"currency": request.currency})
    profit = Money.of_minor(plan.profit_minor, request.currency)
    return passed(_("All deposits go back first; %(profit)s is profit.") % {"profit": profit})


@check("velocity", gettext_lazy("How often"))
def velocity(request: Request) -> Finding:
    """Many requests in a day are unusual."""
    most = limit(request.client.brand, "withdrawal_requests_per_day")
    since = timezone.now() - dt.timedelta(days=1)
    recent = len(request.others.filter(requested_at__gte=since).values_list("pk")[: most + 1])
    if recent >= most:
        return review(_("More than %(most)s requests within a day.") % {"most": most})
    return passed(_("%(count)s other requests within a day.") % {"count": recent})


@check("cooling_off", gettext_lazy("Cooling off"))
def cooling_off(request: Request) -> Finding:
    """A new password or a changed destination shortly before a withdrawal is how accounts are robbed."""
    hours = limit(request.client.brand, "withdrawal_cooling_off_hours")
    since = timezone.now() - dt.timedelta(hours=hours)
    if AuditEvent.objects.filter(client_id=request.client.pk, action__in=PASSWORD_ACTIONS, at__gte=since).exists():
        return review(_("The password was changed within the last %(hours)s hours.") % {"hours": hours})
    earlier = Withdrawal.objects.filter(client=request.client, way=Way.PAYOUT, purpose=Purpose.WITHDRAWAL)
    known = earlier.filter(destination_mark=request.mark, requested_at__lt=since)
    if request.mark and earlier.exists() and not known.exists():
        return review(_("The destination is new or was changed within the last %(hours)s hours.") % {"hours": hours})
    return passed(_("Nothing was changed lately."))


@check("open_margin", gettext_lazy("Open positions"))
def open_margin(request: Request) -> Finding:
    """A trading account close to being closed out may need the money."""
    tight = (
        TradingAccount.objects.filter(client=request.client, margin__gt=0, margin_level__lt=MARGIN_LEVEL_MIN)
        .values_list("login", flat=True)
        .first()
    )
    if tight is not None:
        return review(_("Trading account %(login)s is short of margin.") % {"login": tight})
    return passed(_("No account is short of margin."))
