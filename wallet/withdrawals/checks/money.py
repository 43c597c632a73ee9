"""Checks of a withdrawal that look at the money: is it there, may it leave, where does it go."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext as _

from clients.choices import Gate
from clients.countries import country_name
from clients.country_rules.gates import may
from crm.i18n import formats
from crm.money.amounts import Money, from_minor
from kyc.levels.ladder import allowance_of
from kyc.questionnaires import gates
from trading.models import TradingAccount
from wallet.bonuses.ending import lost_by_withdrawal
from wallet.choices.checks import CheckName
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import Purpose
from wallet.core.limits import in_base
from wallet.models import Balance, Deposit
from wallet.withdrawals.checks.registry import Finding, Request, check, passed, review, stop
from wallet.withdrawals.level_limits import left_to_withdraw
from wallet.withdrawals.policies import NO_WITHDRAWALS
from wallet.withdrawals.refundable_deposits import KEPT

MARGIN_LEVEL_MIN = Decimal(100)  # per cent; below this a platform closes positions


@check(CheckName.FUNDS, can_stop=True)
def funds(request: Request) -> Finding:
    """Stop a request for more than the wallet has after its reservations."""
    if not request.amount_minor:
        return passed(_("The money is reserved."))
    available = Balance.objects.get(pk=request.wallet.pk).available_minor
    shown = formats.money(Money.of_minor(max(available, 0), request.currency))
    if available < request.amount_minor:
        return stop(_("Only %(available)s is available in the wallet.") % {"available": shown})
    return passed(_("%(available)s is available.") % {"available": shown})


@check(CheckName.KYC, can_stop=True)
def kyc(request: Request) -> Finding:
    """Stop a withdrawal that the client's KYC level doesn't allow: at all, in total, or in 30 days."""
    if not allowance_of(request.client).withdraws:
        return stop(_("Identity isn't verified yet. Please upload the requested documents."))
    left = left_to_withdraw(request.client, but=request.known)
    if left is not None and in_base(request.client.brand, request.money.amount, request.currency) > left.amount:
        return stop(
            _("This is more than you can withdraw at your verification level: %(left)s is left.")
            % {"left": formats.money(left)}
        )
    return passed(_("Verified to level %(level)s.") % {"level": request.client.kyc_level})


@check(CheckName.QUESTIONNAIRES, can_stop=True)
def questionnaires(request: Request) -> Finding:
    """Stop a withdrawal before the client has answered what the brand asks before one."""
    answered = gates.may_withdraw(request.client)
    return passed(_("Nothing is missing.")) if answered else stop(answered.reason)


@check(CheckName.RESTRICTIONS, can_stop=True)
def restrictions(request: Request) -> Finding:
    """Stop a withdrawal while compliance has frozen withdrawals, or the whole account."""
    if NO_WITHDRAWALS & set(request.client.restrictions):
        return stop(_("Withdrawals are not possible at the moment. Please contact support."))
    if request.client.restrictions:
        return review(
            _("The client is under a restriction: %(all)s.") % {"all": ", ".join(request.client.restrictions)}
        )
    return passed(_("No restriction."))


@check(CheckName.COUNTRY)
def country(request: Request) -> Finding:
    """Review a withdrawal of a client whose country the brand doesn't accept: their money is never kept without a decision."""
    client = request.client
    name = country_name(client.country) or "–"
    if not may(client, Gate.WITHDRAWAL):
        return review(_("Withdrawals of residents of %(country)s need a decision.") % {"country": name})
    return passed(_("Withdrawals to residents of %(country)s are accepted.") % {"country": name})


@check(CheckName.RETURN_TO_SOURCE)
def return_to_source(request: Request) -> Finding:
    """Review a request that should go back to its source first and can't (AML).

    Also one in a currency that the client never paid in.
    """
    plan = request.plan
    if plan is None:
        return passed(_("Split when it was requested."))
    if plan.unreturned:
        due = ", ".join(f"{label} {formats.money(money)}" for label, money in plan.unreturned)
        return review(_("Should go back to its source first: %(due)s.") % {"due": due})
    returned = sum(part.return_minor for part in plan.parts)
    if returned == request.amount_minor:
        ways = ", ".join(f"{part.label} {formats.money(part.money)}" for part in plan.parts)
        return passed(_("Goes back to its source: %(ways)s.") % {"ways": ways})
    came = Q(state__in=KEPT) | Q(state=DepositState.REFUNDED, refunds__purpose=Purpose.WITHDRAWAL)
    if not Deposit.objects.filter(came, client=request.client, wallet__currency=request.currency).exists():
        return review(_("The client has never deposited in %(currency)s.") % {"currency": request.currency})
    profit = formats.money(Money.of_minor(plan.profit_minor, request.currency))
    return passed(_("All deposits go back first; %(profit)s is profit.") % {"profit": profit})


@check(CheckName.OPEN_MARGIN)
def open_margin(request: Request) -> Finding:
    """Review a request while a trading account is close to its stop-out and may need the money."""
    tight = (
        TradingAccount.objects.filter(client=request.client, margin__gt=0, margin_level__lt=MARGIN_LEVEL_MIN)
        .values_list("login", flat=True)
        .first()
    )
    if tight is not None:
        return review(_("Trading account %(login)s is short of margin.") % {"login": tight})
    return passed(_("No account is short of margin."))


@check(CheckName.BONUS)
def bonus(request: Request) -> Finding:
    """Credit is never part of the wallet; what a withdrawal takes of it is said before."""
    if not request.amount_minor:
        return passed(_("Shown when it was requested."))
    amount = from_minor(request.amount_minor, request.currency)
    lost = [(grant, minor) for grant, minor in lost_by_withdrawal(request.client, amount, request.currency) if minor]
    if not lost:
        return passed(_("No credit is affected."))
    sums = ", ".join(formats.money(Money.of_minor(minor, grant.currency)) for grant, minor in lost)
    return passed(_("Removes credit: %(sums)s.") % {"sums": sums})


from wallet.withdrawals.checks import conduct, risk  # noqa: E402, F401 (they register theirs, after the ones above)
