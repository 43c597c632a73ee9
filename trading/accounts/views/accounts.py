"""The account page, the client's trading tab, and what people change there."""

from __future__ import annotations

import uuid
from typing import Any

from django.core import signing
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from clients.models import Client
from clients.queries import get_client
from clients.record.access import log_access
from clients.views import dialogs
from crm.choices import ApprovalState
from crm.models import User
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.ui.charts import Chart, Series
from crm.ui.views import StaffView, embedded_table
from crm.web.requests import UserRequest
from trading import policies, queries
from trading.accounts import changes as accounts
from trading.accounts import opening
from trading.accounts.account_status import request_history, status_of
from trading.accounts.forms import LeverageForm, OpenAccountForm
from trading.accounts.tables import AccountDealTable
from trading.choices import AccountState, IssueKind
from trading.leverage import caps
from trading.models import PlatformIssue, TradingAccount
from trading.platforms import capabilities
from trading.risk import margin, performance

DEALS_ON_TAB = 15
LOOK_SALT, LOOK_SECONDS = "trading.account_look", 12 * 3600


def curve_chart(account: TradingAccount, curve: queries.Curve, *, height: int = 220) -> Chart | None:
    """Draw equity over balance; None until there are two points."""
    if len(curve.at) < 2:
        return None
    return Chart(
        id=f"equity-{account.pk}",
        x=curve.at,
        series=[
            Series(_("Equity"), curve.equity, kind="area", unit=account.currency),
            Series(_("Balance"), curve.balance, tone="neutral", kind="step", unit=account.currency),
        ],
        height=height,
        from_zero=False,
    )


def drawdown_chart(account: TradingAccount, curve: queries.Curve) -> Chart | None:
    """Draw how far equity is below its peak, hanging from zero; None where it never fell."""
    if len(curve.at) < 2 or not curve.drawdown_percent:
        return None
    falls = [-fall for fall in curve.falls]
    return Chart(
        id=f"fall-{account.pk}",
        x=curve.at,
        height=110,
        series=[Series(_("Drawdown"), falls, tone="danger", kind="area", unit="%", decimals=1)],
    )


def hour_chart(account: TradingAccount, record: performance.TrackRecord) -> Chart | None:
    """Draw what each hour of the day brought; None without a trade."""
    if not record.days:
        return None
    return Chart(
        id=f"hours-{account.pk}",
        x=list(range(24)),
        height=150,
        x_label=_("Hour (UTC)"),
        series=[Series(_("Net"), record.hours, kind="bars", unit=account.currency)],
    )


def trading_tab(request: UserRequest, client: Client) -> HttpResponse:
    """Show a client's accounts, open positions and last deals; `?account=` chooses whose curve and deals are shown."""
    user = request.user
    rows = queries.accounts_of(user, client.pk)
    positions = queries.positions_of_client(user, client.pk)
    by_id = {account.pk: account for account in rows}
    account_id = request.GET.get("account", "")
    chosen = by_id.get(int(account_id)) if is_whole(account_id) else None
    chosen = chosen or next((account for account in rows if account.state == "open"), None)
    context: dict[str, Any] = {
        "client": client,
        "accounts": rows,
        "positions": positions,
        "chosen": chosen,
        "totals": queries.totals_of(client, rows, positions),
        "operations": queries.operations_of_client(user, client.pk)[:8],
        "can_open": any(offer.decision for offer in queries.offers_for(user, client)),
    }
    if chosen is not None:
        curve = queries.equity_curve(user, chosen.pk)
        deals = queries.with_price_digits(list(queries.deals_of_account(user, chosen.pk)[:DEALS_ON_TAB]))
        context |= {
            "chart": curve_chart(chosen, curve),
            "curve": curve,
            "deals": deals,
            "has_fees": any(deal.fee for deal in deals),
        }
    return render(request, "trading/accounts/_client_tab.html", context)


class AccountPage(StaffView):
    """One account: what it is worth, how it went, what is open, what was dealt."""

    permission = "trading.view_tradingaccount"

    def get(self, request: UserRequest, account_id: int) -> HttpResponse:
        user = request.user
        account = queries.get_account(user, account_id)
        log_view(user, account)
        curve, positions = queries.curve_of(account), queries.positions_of(account)
        is_there = account.state == "open" and account.missing_since is None
        context = {
            "account": account,
            "client": account.client,
            "curve": curve,
            "chart": curve_chart(account, curve, height=260),
            "positions": positions,
            "held": performance.held_of(positions),
            "fared": performance.track_record(account),
            "alerts": margin.open_alerts_of(account),
            "look": signing.dumps([user.pk, account.pk], salt=LOOK_SALT),
            "may_change_leverage": policies.can_change_leverage(user, account) and is_there,
            "may_reset_password": policies.can_reset_password(user, account) and is_there,
            "lacking": capabilities.lacking(account.server),
            "asks_to_look": _asks_to_look(account),
            "unverified": capabilities.unverified(account.server),
            "standing": status_of(user, account),
            **_of_opening(user, account),
        }
        return render(request, "trading/accounts/account.html", context)


class AccountResults(StaffView):
    """What the account page fetches once it is shown: how the account fared, what was asked, moved and changed.

    The page's look was noted already and comes with it, signed; whoever asks without one is noted here.
    """

    permission = "trading.view_tradingaccount"

    def get(self, request: UserRequest, account_id: int) -> HttpResponse:
        user = request.user
        account = queries.get_account(user, account_id)
        if not is_noted(request.GET.get("look", ""), user, account):
            log_view(user, account)
        curve, fared = queries.curve_of(account), performance.track_record(account)
        context = {
            "account": account,
            "curve": curve,
            "fared": fared,
            "falls": drawdown_chart(account, curve),
            "hours": hour_chart(account, fared),
            "results": performance.by_symbol(account),
            "asked": request_history(account),
            "operations": queries.operations_of(account)[:12],
        }
        return render(request, "trading/sync/_fared.html", context)


class AccountDeals(StaffView):
    """The deals of one account, as the table that the account page embeds."""

    permission = "trading.view_deal_list"

    def get(self, request: UserRequest, account_id: int) -> HttpResponseBase:
        table = AccountDealTable(request.user, request.GET, path=request.path, scope={"account_id": account_id})
        return embedded_table(request, table)


class OpenAccount(StaffView):
    """Open an account for a client."""

    permission = "trading.open_account"

    def get(self, request: UserRequest, client_id: int) -> HttpResponse:
        return self._form(request, get_client(request.user, client_id))

    def post(self, request: UserRequest, client_id: int) -> HttpResponse:
        client = get_client(request.user, client_id)
        form = OpenAccountForm(request.POST, offers=queries.offers_for(request.user, client))
        if run_action(
            request,
            lambda: opening.request_account(
                client_id=client.pk,
                account_type_id=int(form.cleaned_data["account_type"]),
                actor=request.user,
                leverage=form.cleaned_data["leverage"],
                request_key=request.POST.get("key", "")[:60] or _key(),
            ),
            _("The account is being opened. This takes a few seconds."),
            form=form,
            show_forbidden=True,
        ):
            return redirect(f"/clients/{client.pk}/?tab=trading")
        return self._form(request, client, form)

    @staticmethod
    def _form(request: UserRequest, client: Client, form: OpenAccountForm | None = None) -> HttpResponse:
        offers = queries.offers_for(request.user, client)
        context = {
            "client": client,
            "offers": offers,
            "form": form or OpenAccountForm(offers=offers),
            "key": request.POST.get("key") or _key(),
        }
        return render(
            request, "trading/accounts/open_account.html", context, status=422 if form and form.errors else 200
        )


class ChangeLeverage(StaffView):
    """The leverages that type and rules allow, in a dialog of the account page."""

    permission = "trading.change_leverage"

    def get(self, request: UserRequest, account_id: int) -> HttpResponseBase:
        account = queries.get_account(request.user, account_id)
        form = LeverageForm(request.POST or None, account=account, ladder=caps.ladder_of(account))
        return dialogs.run(
            request,
            form,
            lambda: accounts.change_leverage(
                account_id=account.pk, leverage=form.cleaned_data["leverage"], actor=request.user
            ),
            url=reverse("trading_account", args=[account.pk]),
            success_message=_("Leverage changed."),
            title=_("Change leverage"),
            submit=_("Change leverage"),
        )

    post = get


class ResetPassword(StaffView):
    """Set a new trading password and show it, this once."""

    permission = "trading.reset_password"

    def post(self, request: UserRequest, account_id: int) -> HttpResponse:
        account = queries.get_account(request.user, account_id)
        done = run_action(
            request, lambda: accounts.reset_password(account_id=account.pk, actor=request.user), show_forbidden=True
        )
        if not done:
            return redirect("trading_account", account.pk)
        return never_cache(
            lambda r: render(r, "trading/accounts/new_password.html", {"account": account, "password": done.result})
        )(request)


class RetryAccount(StaffView):
    permission = "trading.open_account"

    def post(self, request: UserRequest, account_id: int) -> HttpResponse:
        account = queries.get_account(request.user, account_id)
        run_action(
            request,
            lambda: opening.retry_account(account_id=account.pk, actor=request.user),
            _("The account is being opened again."),
            show_forbidden=True,
        )
        return redirect("trading_account", account.pk)


def _of_opening(user: User, account: TradingAccount) -> dict[str, Any]:
    """Collect what a person may do about an opening that failed or was not answered."""
    if account.state not in (AccountState.FAILED, AccountState.UNKNOWN):
        return {}
    proposal = account.login_proposals.filter(state=ApprovalState.PENDING).select_related("requested_by").first()
    may_open = user.has_perm("trading.open_account") and proposal is None
    return {
        "login_proposal": proposal,
        "may_attach": may_open,
        "may_retry": may_open and account.state == AccountState.FAILED,
    }


def _asks_to_look(account: TradingAccount) -> bool:
    """Tell whether its opening was not answered and only a person can find out whether it is on the platform."""
    if account.state != "failed":
        return False
    asked = PlatformIssue.objects.filter(
        server_id=account.server_id,
        kind=IssueKind.BY_HAND,
        subject=opening.reference_of(account.pk),
        closed_at__isnull=True,
    )
    return asked.exists()


def _key() -> str:
    return f"page:{uuid.uuid4()}"


def is_noted(look: str, user: User, account: TradingAccount) -> bool:
    """Tell whether this user opened this account's page lately, by the mark that the page gave out."""
    try:
        noted: list[int] = signing.loads(look, salt=LOOK_SALT, max_age=LOOK_SECONDS)
    except signing.BadSignature:
        return False
    return noted == [user.pk, account.pk]


def log_view(user: User, account: TradingAccount, *, target: str = "") -> None:
    """Log who viewed an account, or a part of it."""
    log_access(user, account.client, target or f"trading.account:{account.pk}")
