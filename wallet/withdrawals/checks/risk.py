"""Checks of a withdrawal for AML alerts and fraud. None of them refuses: a person decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import RiskRating
from clients.models import Client
from compliance.choices import HitState
from compliance.models import Hit
from compliance.queries import current_risk
from compliance.risk_rating.explaining import explained
from crm.i18n import formats
from crm.money.amounts import Money, from_minor, to_minor
from trading.models import Deal, TradingAccount
from wallet.choices.checks import CheckName
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import Purpose, WithdrawalRoute
from wallet.core.limits import in_base, limit
from wallet.deposits.payer_match import is_payer
from wallet.models import Deposit, Withdrawal
from wallet.withdrawals.checks.aml_rules import reasons_of_rules
from wallet.withdrawals.checks.registry import Finding, Request, check, passed, review

CHURN_DAYS = 14
CHURN_PERCENT = 80  # of what came in lately
LOTS_PER_THOUSAND = Decimal("0.1")  # of the base currency: less than this is hardly any trading
STRUCTURING_DAYS = 7
CHARGEBACK_DAYS = 180
PAYER_DAYS = 365
DEPOSITS_READ_MAX = 200

# Further AML signals: apps above register functions that return a sentence, or "".
Signal = Callable[[Client], str]
SIGNALS: dict[str, Signal] = {}


def money_signal(name: str) -> Callable[[Signal], Signal]:
    """Register an AML signal that the `aml` check asks about; the function returns a sentence for staff, or "".

    For apps above the wallet, from their `checks` module.
    """

    def register(signal: Signal) -> Signal:
        SIGNALS[name] = signal
        return signal

    return register


@check(CheckName.RISK)
def risk(request: Request) -> Finding:
    """Review requests of clients who are rated high risk, with the factors that counted."""
    client = request.client
    if client.risk_rating != RiskRating.HIGH:
        return passed(_("Risk rating: %(rating)s.") % {"rating": client.get_risk_rating_display()})
    current = explained(current_risk(client))
    names = ", ".join(factor.name for factor in current.factors[:5]) if current else ""
    return review(_("The client is rated high risk. %(why)s") % {"why": f"({names})" if names else ""})


@check(CheckName.AML)
def aml(request: Request) -> Finding:
    """Review open watchlist matches, what AML rules found or would find, and the AML signals of other apps."""
    reasons = []
    if Hit.objects.filter(client=request.client, state__in=[HitState.OPEN, HitState.CONFIRMED]).exists():
        reasons.append(_("A watchlist match is open or confirmed."))
    reasons += reasons_of_rules(request)
    reasons += [words for words in (signal(request.client) for signal in SIGNALS.values()) if words]
    return review(" ".join(reasons)) if reasons else passed(_("Nothing is open."))


@check(CheckName.CHURN)
def churn(request: Request) -> Finding:
    """Review money that is paid in and taken out again with hardly any trading (pass-through)."""
    client, brand = request.client, request.client.brand
    since = timezone.now() - dt.timedelta(days=CHURN_DAYS)
    lately = Deposit.objects.filter(client=client, settled_at__gte=since)
    came = lately.aggregate(total=Sum("base_amount"))["total"] or Decimal(0)
    goes = in_base(brand, from_minor(request.amount_minor, request.currency), request.currency)
    if not came or goes * 100 < came * CHURN_PERCENT:
        return passed(_("Not mainly recent deposits."))
    accounts = TradingAccount.objects.filter(client=client, is_demo=False).values_list("pk", flat=True)
    lots = Deal.objects.filter(account_id__in=list(accounts), executed_at__gte=since).aggregate(lots=Sum("closed_lots"))
    traded = lots["lots"] or Decimal(0)
    if traded < came / 1000 * LOTS_PER_THOUSAND:
        words = {"came": formats.money(came, brand.base_currency), "days": CHURN_DAYS, "lots": formats.number(traded)}
        return review(
            _("%(came)s was deposited within %(days)s days and is being withdrawn; only %(lots)s lots were traded.")
            % words
        )
    return passed(_("%(lots)s lots were traded in between.") % {"lots": formats.number(traded)})


@check(CheckName.STRUCTURING)
def structuring(request: Request) -> Finding:
    """Review many deposits below a reporting threshold that are far above it together (structuring)."""
    brand = request.client.brand
    each, total = limit(brand, "structuring_each_minor"), limit(brand, "structuring_total_minor")
    since = timezone.now() - dt.timedelta(days=STRUCTURING_DAYS)
    amounts = Deposit.objects.filter(client=request.client, settled_at__gte=since).values_list("base_amount", flat=True)
    small = [
        minor
        for minor in (to_minor(amount, brand.base_currency) for amount in amounts[:DEPOSITS_READ_MAX])
        if minor < each
    ]
    if len(small) >= limit(brand, "structuring_count") and sum(small) > total:
        words = {
            "count": len(small),
            "total": formats.money(Money.of_minor(sum(small), brand.base_currency)),
            "days": STRUCTURING_DAYS,
        }
        return review(_("%(count)s small deposits within %(days)s days, %(total)s in total.") % words)
    return passed(_("No sign of structuring."))


@check(CheckName.PAYER)
def payer(request: Request) -> Finding:
    """Review money that somebody else paid in."""
    since = timezone.now() - dt.timedelta(days=PAYER_DAYS)
    names = (
        Deposit.objects.filter(client=request.client, settled_at__gte=since)
        .exclude(payer_name="")
        .order_by()
        .values_list("payer_name", flat=True)
        .distinct()[:DEPOSITS_READ_MAX]
    )
    others = [name for name in names if not is_payer(request.client.first_name, request.client.last_name, name)]
    if others:
        return review(_("Third-party payer: %(names)s.") % {"names": ", ".join(others[:3])})
    return passed(_("The client was the payer."))


@check(CheckName.CHARGEBACK)
def chargeback(request: Request) -> Finding:
    """Review requests of clients with recent chargebacks: more may follow."""
    since = timezone.now() - dt.timedelta(days=CHARGEBACK_DAYS)
    rows = Deposit.objects.filter(
        Q(state=DepositState.CHARGED_BACK) | Q(reversal__isnull=False), client=request.client, updated_at__gte=since
    )
    reference = rows.values_list("reference", flat=True).first()
    if reference is not None:
        return review(_("Deposit %(reference)s was recently charged back.") % {"reference": reference})
    return passed(_("None within %(days)s days.") % {"days": CHARGEBACK_DAYS})


@check(CheckName.DESTINATION)
def destination(request: Request) -> Finding:
    """Review a destination in another name, and one that another client uses, too."""
    holder = request.destination.get("holder", "")
    if not is_payer(request.client.first_name, request.client.last_name, holder):
        return review(_("The payout account is in another name: “%(holder)s”.") % {"holder": holder})
    if request.mark:
        others = Withdrawal.objects.filter(
            destination_hash=request.mark, way=WithdrawalRoute.PAYOUT, purpose=Purpose.WITHDRAWAL
        )
        other = others.exclude(client=request.client).select_related("client").defer("sealed_destination").first()
        if other is not None:
            return review(
                _("Another client uses this payout account: client %(number)s.") % {"number": other.client_id}
            )
    return passed(_("In the client's name, as far as stated."))
