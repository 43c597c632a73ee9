"""The checks a withdrawal goes through: each has a name, looks at one thing, and answers in words.

    @check("velocity", _("How often"))
    def velocity(request: Request) -> Finding: …

`pass` lets it go, `review` sends it to a person, `stop` refuses it outright.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import RiskRating
from clients.models import Client
from crm.models import AuditEvent
from crm.money import Money
from trading.models import TradingAccount
from wallet.choices import DepositState, Outcome, WithdrawalState
from wallet.limits import limit
from wallet.models import Account, Balance, Deposit, Psp, Withdrawal
from wallet.policies import NO_WITHDRAWALS

MARGIN_LEVEL_MIN = Decimal(100)  # per cent; below this a platform closes positions
KEPT = (DepositState.SETTLED, DepositState.CHARGEBACK_REVERSED)
PASSWORD_ACTIONS = ("crm.password_changed", "crm.password_reset")


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for, as the checks see it."""

    client: Client
    wallet: Account
    psp: Psp
    amount_minor: int
    currency: str
    destination_mark: str

    @property
    def money(self) -> Money:
        return Money.of_minor(self.amount_minor, self.currency)


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
    # What was charged back or refunded has gone back already.
    came = _by_psp(Deposit.objects.filter(client=request.client, state__in=KEPT), "received_minor", request)
    went = _by_psp(
        Withdrawal.objects.filter(client=request.client, finished_at__isnull=True)
        | Withdrawal.objects.filter(client=request.client, state=WithdrawalState.SETTLED),
        "amount_minor",
        request,
    )
    open_sources = {psp: came[psp] - went.get(psp, 0) for psp in came if came[psp] > went.get(psp, 0)}
    if not came:
        return review(_("The client never paid in in %(currency)s.") % {"currency": request.currency})
    if open_sources.get(request.psp.pk, 0) >= request.amount_minor:
        return passed(_("Goes back the way it came: %(psp)s.") % {"psp": request.psp})
    others = {psp: minor for psp, minor in open_sources.items() if psp != request.psp.pk}
    if others:
        names = dict(Psp.objects.filter(pk__in=others).values_list("pk", "name"))
        due = ", ".join(
            f"{names[psp]} {Money.of_minor(minor, request.currency)}" for psp, minor in sorted(others.items())
        )
        return review(_("Should go back first to where it came from: %(due)s.") % {"due": due})
    return passed(_("All deposits have gone back already; this is profit."))


def _by_psp(rows: Any, field: str, request: Request) -> dict[int, int]:
    sums = rows.filter(currency=request.currency).order_by().values("psp").annotate(total=Sum(field))
    return {row["psp"]: int(row["total"] or 0) for row in sums}


@check("velocity", gettext_lazy("How often"))
def velocity(request: Request) -> Finding:
    """Many requests in a day are unusual."""
    most = limit(request.client.brand, "withdrawal_requests_per_day")
    since = timezone.now() - dt.timedelta(days=1)
    recent = len(
        Withdrawal.objects.filter(client=request.client, requested_at__gte=since).values_list("pk")[: most + 1]
    )
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
    earlier = Withdrawal.objects.filter(client=request.client, psp=request.psp)
    known = earlier.filter(destination_mark=request.destination_mark, requested_at__lt=since)
    if earlier.exists() and not known.exists():
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
