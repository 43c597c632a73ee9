"""Paying out in the client portal: how much and where to, then the plan that says where it will go, then the request."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.models import Client
from crm.accounts.guards import confirmed
from crm.ui.actions import run_action
from portal import money
from portal.forms_payout import WithdrawForm
from portal.guards import client_required
from portal.views.money import AMOUNT_CHARS, me, new_key
from wallet.bonuses.ending import lost_by_withdrawal
from wallet.movements import queries
from wallet.withdrawals import verbs as withdrawals
from wallet.withdrawals.payout_methods import PayoutMethod, payout_methods
from wallet.withdrawals.refundable_deposits import sources_of
from wallet.withdrawals.return_to_source import Plan
from wallet.withdrawals.verbs import PlanChanged

SOURCES_SHOWN = 6
NOT_TYPED = frozenset({"plan", "change", "csrfmiddlewaretoken"})


@client_required
def withdraw(request: HttpRequest, client: Client) -> HttpResponse:
    """Show the form; with a complete one the plan; with the plan's mark make the request, after a second proof of identity."""
    wallets = money.wallets_with_money(client)
    currencies = [wallet.currency for wallet in wallets] or [client.brand.base_currency]
    wished = request.POST.get("currency") or request.GET.get("currency", "")
    currency = wished if wished in currencies else currencies[0]
    methods = payout_methods(client, currency)
    key = request.POST.get("psp") or request.GET.get("psp", "")
    chosen = next((method for method in methods if method.key == key), methods[0] if methods else None)
    start = {"currency": currency, "psp": chosen.key if chosen else None, "request_key": new_key()}
    start["amount"] = request.GET.get("amount", "")[:AMOUNT_CHARS]
    form = WithdrawForm(request.POST or None, currencies=currencies, methods=methods, chosen=chosen, initial=start)
    page = _Page(request, client, form, wallets, methods, chosen, currency)
    if request.method != "POST" or request.POST.get("change"):
        return page.form_again() if request.method == "POST" else page.show()
    plan = page.plan()
    if plan is None:
        return page.show(status=422)
    if not form.cleaned_data["plan"]:
        return page.show_plan(plan)
    return _send(request, page)


class _Page:
    """The page in its two states, and what both need."""

    def __init__(
        self,
        request: HttpRequest,
        client: Client,
        form: WithdrawForm,
        wallets: list[Any],
        methods: list[PayoutMethod],
        chosen: PayoutMethod | None,
        currency: str,
    ) -> None:
        self.request, self.client, self.form, self.wallets = request, client, form, wallets
        self.methods, self.chosen, self.currency = methods, chosen, currency

    def show(self, status: int = 200) -> HttpResponse:
        sources = money.by_label(sources_of(self.client, self.currency), self.currency)
        context = {
            "client": self.client,
            "form": self.form,
            "wallets": self.wallets,
            "methods": self.methods,
            "chosen": self.chosen,
            "wait": money.expected_payout(self.client),
            "sources": sources[:SOURCES_SHOWN],
            "currency": self.currency,
        }
        return render(self.request, "portal/withdraw.html", context, status=status)

    def form_again(self) -> HttpResponse:
        """Show the form as it was typed, without complaints: the client wants to change something."""
        typed = {name: value for name, value in self.request.POST.items() if name != "plan"}
        self.form = WithdrawForm(
            initial=typed,
            currencies=[wallet.currency for wallet in self.wallets] or [self.currency],
            methods=self.methods,
            chosen=self.chosen,
        )
        return self.show()

    def plan(self) -> Plan | None:
        """Preview what would happen; None when the form has to say first what is wrong."""
        form = self.form
        if not form.is_valid() or self.chosen is None:
            return None
        preview = run_action(
            self.request, lambda: withdrawals.preview_withdrawal(**self.call), form=form, show_forbidden=True
        )
        if not preview:
            return None
        plan, typed = preview.result, form.destination
        goes_there = any(part.method is not None and part.destination == typed for part in plan.parts)
        return None if goes_there and form.lacks_destination() else plan

    @property
    def call(self) -> dict[str, Any]:
        """What preview and request are called with."""
        assert self.chosen is not None
        data = self.form.cleaned_data
        return {
            "client_id": self.client.pk,
            "request": withdrawals.WithdrawalRequest(
                psp_id=self.chosen.psp.pk,
                method=self.chosen.code,
                amount=data["amount"],
                currency=data["currency"],
                destination=self.form.destination,
            ),
            "request_key": data["request_key"],
            "actor": me(self.request),
        }

    def show_plan(self, plan: Plan, *, notice: str = "") -> HttpResponse:
        data = self.form.cleaned_data
        lost = [
            (grant, minor)
            for grant, minor in lost_by_withdrawal(self.client, data["amount"], data["currency"])
            if minor
        ]
        context = {
            "client": self.client,
            "plan": plan,
            "notice": notice,
            "wait": money.expected_payout(self.client),
            "typed": [(name, value) for name, value in self.request.POST.items() if name not in NOT_TYPED],
            "amount": data["amount"],
            "currency": data["currency"],
            "lost": money.bonus_lost(lost),
            "parts": [(part, money.within(part.minutes)) for part in plan.parts],
        }
        return render(self.request, "portal/withdraw_plan.html", context)


@confirmed
def _send(request: HttpRequest, page: _Page) -> HttpResponse:
    done = run_action(
        request,
        lambda: withdrawals.request_withdrawal(**page.call, shown_plan=page.form.cleaned_data["plan"]),
        form=page.form,
        show_forbidden=True,
        unshown=PlanChanged,
    )
    if done:
        return redirect("portal_movement", reference=done.result.reference)
    if isinstance(done.error, PlanChanged) and (plan := page.plan()):
        return page.show_plan(plan, notice=done.message)
    return page.show(status=422)


@client_required
@require_POST
def cancel_withdrawal(request: HttpRequest, client: Client, reference: str) -> HttpResponse:
    """Cancel all parts of the request, as long as nobody has released it."""
    withdrawal = queries.withdrawal_of(me(request), reference)
    run_action(
        request,
        lambda: withdrawals.cancel_withdrawal(withdrawal_id=withdrawal.pk, actor=me(request)),
        _("Withdrawal cancelled. The money is back in your wallet."),
        show_forbidden=True,
    )
    return redirect("portal_movement", reference=withdrawal.request_reference)
