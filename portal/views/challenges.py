"""Prop challenges in the client portal: compare and buy, and each bought one with its rules and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from crm.db.prepared import ByKey, read_once
from crm.ui.actions import run_action
from portal.guards import client_required
from portal.views.money import me, new_key
from prop.appeals.filing import REASON_MAX, appealable, appealable_on, file_appeal
from prop.challenges.buying import buy_challenge
from prop.challenges.day_calendar import days_in, month_of
from prop.challenges.equity_chart import chart_of
from prop.challenges.objectives import days_of, objectives_of
from prop.challenges.pending import pending_of
from prop.challenges.phases import is_stuck
from prop.challenges.resets import reset_phase, reset_price
from prop.challenges.shop import compare, own_price, rates_to
from prop.choices import AppealState, ChallengeState
from prop.forms import MergeRequestForm
from prop.judge.sampling import sampling_note
from prop.merging.requests import offers_of, request_merge
from prop.models import Appeal, Breach, Challenge, PhaseAccount, ProgrammeSize
from prop.news.releases import coming_releases
from prop.payouts.requests import funded_row, offer_for, request_payout
from prop.payouts.rows import PAYOUTS, merges_of
from prop.policies import can_buy
from prop.programmes.styles import STYLES
from prop.queries import accounts_of, breaches_visible_to, challenges_visible_to, endings_visible_to, on_sale
from prop.queries import own_challenge as find_own
from prop.scaling.terms import progress_of
from prop.sentences import about_payouts, limit_of, limit_text, name_of, rules_of
from prop.views.appeals import send_bundle
from wallet.movements import queries as wallets

SHOWN_MAX = 50
APPEALS = ByKey(lambda: Appeal.objects.order_by("-pk"), "phase_account__challenge_id")


class PayoutRequestForm(forms.Form):
    """The key that makes two clicks one payout."""

    request_key = forms.CharField(widget=forms.HiddenInput, max_length=40)


class AppealForm(forms.Form):
    """Why a trader appeals; `payout` is the refused one that the page showed, if it was one."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Describe what is wrong. Where you can, name trades and times."),
        max_length=REASON_MAX,
        widget=forms.Textarea({"rows": 6}),
    )
    payout_id = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)


class BuyForm(forms.Form):
    """What a purchase takes: a coupon, and the key that makes two clicks one purchase."""

    coupon = forms.CharField(label=_("Coupon"), max_length=24, required=False)
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=40)


@client_required
@require_safe
def shop(request: HttpRequest, client: Client) -> HttpResponse:
    """Compare what is on sale, below the client's own challenges."""
    versions, own = list(on_sale(client)[:SHOWN_MAX]), own_currency(client)
    rates = rates_to(own, {version.currency for version in versions})
    offers = [
        {
            "version": version,
            "sizes": [(size, own_price(size.fee, version.currency, rates, own)) for size in version.sizes.all()],
            "phases": [(name_of(phase), rules_of(phase)) for phase in version.phases.all()],
            "payouts": about_payouts(version),
        }
        for version in versions
    ]
    owned = challenges_visible_to(me(request)).filter(client=client).select_related("version__programme")[:SHOWN_MAX]
    compared = compare(versions, rates, own) if len(versions) > 1 else []
    context = {"client": client, "offers": offers, "owned": owned, "compared": compared}
    return render(request, "portal/challenges.html", context)


def own_currency(client: Client) -> str:
    """Choose a client's own currency: of the first wallet that has money, else the brand's."""
    funded = (wallet.currency for wallet in wallets.wallets_of(client) if wallet.balance > 0)
    return next(funded, client.brand.base_currency)


@client_required
def buy(request: HttpRequest, client: Client, size_id: int) -> HttpResponse:
    """Show what a challenge asks and costs, and buy it out of the wallet."""
    size = ProgrammeSize.objects.filter(pk=size_id, version__in=on_sale(client)).select_related("version__programme")
    chosen = size.first()
    if chosen is None:
        raise Http404
    form = BuyForm(request.POST or None, initial={"request_key": new_key()})
    done = run_action(
        request,
        lambda: buy_challenge(client_id=client.pk, size_id=chosen.pk, actor=me(request), **form.cleaned_data),
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect("portal_challenge", challenge_id=done.result.pk)
    currency, own = chosen.version.currency, own_currency(client)
    context = {
        "client": client,
        "size": chosen,
        "version": chosen.version,
        "phases": [(name_of(phase), rules_of(phase)) for phase in chosen.version.phases.all()],
        "payouts": about_payouts(chosen.version),
        "own_price": own_price(chosen.fee, currency, rates_to(own, {currency}), own),
        "wallet": next((row for row in wallets.wallets_of(client) if row.currency == currency), None),
        "form": form,
        "allowed": can_buy(me(request), client),
    }
    return render(request, "portal/challenge_buy.html", context, status=422 if form.errors else 200)


def own_challenge(request: HttpRequest, client: Client, challenge_id: int) -> Challenge:
    """Find one of the client's challenges. Raises: Http404."""
    shown = find_own(me(request), challenge_id)
    if shown is None or shown.client_id != client.pk:
        raise Http404
    shown.client = client
    return shown


@client_required
@require_POST
def payout(request: HttpRequest, client: Client, challenge_id: int) -> HttpResponse:
    """Ask for the profit of a funded account."""
    owned = own_challenge(request, client, challenge_id)
    form = PayoutRequestForm(request.POST)
    if form.is_valid():
        run_action(
            request,
            lambda: request_payout(challenge_id=owned.pk, actor=me(request), **form.cleaned_data),
            _now("Payout requested. We review it now."),
        )
    return redirect("portal_challenge", challenge_id=owned.pk)


@client_required
def appeal(request: HttpRequest, client: Client, challenge_id: int) -> HttpResponse:
    """Appeal the breach of a challenge, its ending for a forbidden style, or its refused payout."""
    owned = own_challenge(request, client, challenge_id)
    subject = appealable(owned)
    if subject is None:
        return redirect("portal_challenge", challenge_id=owned.pk)
    shown = subject.payout.pk if subject.payout else None
    form = AppealForm(request.POST or None, initial={"payout_id": shown})
    done = run_action(
        request,
        lambda: file_appeal(phase_account_id=subject.row.pk, actor=me(request), **form.cleaned_data),
        _now("Appeal filed. We review it and notify you."),
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect("portal_challenge", challenge_id=owned.pk)
    breach = None if subject.payout or subject.ending else Breach.objects.get(phase_account=subject.row)
    limit = limit_text(breach.rule, breach.threshold, owned.currency) if breach else ""
    context = {
        "client": client,
        "challenge": owned,
        "subject": subject,
        "breach": breach,
        "breach_limit": limit,
        "styles": [STYLES[each["style"]] for each in subject.ending.findings] if subject.ending else [],
        "form": form,
    }
    return render(request, "portal/challenge_appeal.html", context, status=422 if form.errors else 200)


@client_required
@require_safe
def evidence(request: HttpRequest, client: Client, challenge_id: int) -> HttpResponse:
    """Send the evidence of the last breach of a challenge, or of its ending for a forbidden style, as an archive."""
    owned = own_challenge(request, client, challenge_id)
    breach = (
        breaches_visible_to(me(request)).filter(judged_account__challenge=owned, phase_account__isnull=False).first()
    )
    ending = endings_visible_to(me(request)).filter(phase_account__challenge=owned).first()
    subject = ending if ending and owned.state == ChallengeState.ENDED else breach or ending
    if subject is None:
        raise Http404
    return send_bundle(subject)


def appeals_of(owned: Challenge, accounts: Sequence[PhaseAccount]) -> list[Appeal]:
    """List a challenge's appeals, the newest first: one per lost account and refused payout."""
    by_key = {row.pk: row for row in accounts}
    shown = APPEALS.all(phase_account__challenge_id=owned.pk)
    for row in shown:
        row.phase_account = by_key[row.phase_account_id]
    return shown


@client_required
@require_POST
def merge(request: HttpRequest, client: Client, challenge_id: int) -> HttpResponse:
    """Ask to close another funded account into the one of this challenge."""
    owned = own_challenge(request, client, challenge_id)
    kept, form = funded_row(owned), MergeRequestForm(request.POST)
    if kept is not None and form.is_valid():
        run_action(
            request,
            lambda: request_merge(kept_id=kept.pk, actor=me(request), **form.cleaned_data),
            _now("Merge requested. We review it and notify you."),
        )
    return redirect("portal_challenge", challenge_id=owned.pk)


@client_required
@require_POST
def reset(request: HttpRequest, client: Client, phase_account_id: int) -> HttpResponse:
    """Buy a second try at a lost phase."""
    owned = challenges_visible_to(me(request)).filter(client=client, accounts=phase_account_id).first()
    if owned is None:
        raise Http404
    run_action(
        request,
        lambda: reset_phase(phase_account_id=phase_account_id, actor=me(request)),
        _now("Challenge reset. Your new account is being opened."),
        show_forbidden=True,
    )
    return redirect("portal_challenge", challenge_id=owned.pk)


@client_required
@require_safe
def challenge(request: HttpRequest, client: Client, challenge_id: int) -> HttpResponse:
    """Show one of the client's challenges: its account, how far it is, its days and its rules."""
    with read_once():
        context = _shown(request, client, own_challenge(request, client, challenge_id))
    return render(request, "portal/challenge.html", context)


def _shown(request: HttpRequest, client: Client, shown: Challenge) -> dict[str, Any]:
    accounts = accounts_of(shown)
    current, is_funded = accounts[0], accounts[0].phase.is_funded
    appeals, pending = appeals_of(shown, accounts), pending_of([current.pk])[current.pk]
    is_appealed = any(row.state == AppealState.OPEN for row in appeals)
    days, releases = days_of(current), coming_releases(current, timezone.now())
    month = month_of(current, days, releases, request.GET.get("month", ""))
    merges = merges_of(current) if is_funded else []
    return {
        "client": client,
        "challenge": shown,
        "is_ended_for_style": hasattr(current, "style_ending") and shown.paused_at is None,
        "is_stuck": is_stuck(current),
        "offer": offer_for(current, pending, days),
        "is_judged_again": pending.has_correction,
        "reset_price": None if is_appealed or pending.has_correction else reset_price(current),
        "appeals": appeals,
        "appealable": appealable_on(current),
        "progress": progress_of(current),
        "merges": merges,
        "merge_offers": offers_of(current, pending=pending),
        "merge_key": new_key(),
        "breach_limit": limit_of(current),
        "growth_open": pending.has_growth,
        "certificates": [(row.certificate, name_of(row.phase)) for row in accounts if hasattr(row, "certificate")],
        "payouts_made": PAYOUTS.all(challenge_id=shown.pk)[:SHOWN_MAX],
        "payout_form": PayoutRequestForm(initial={"request_key": new_key()}),
        "current": current,
        "accounts": [(row, name_of(row.phase)) for row in accounts],
        "objectives": objectives_of(current, days),
        "sampling": sampling_note(current, timezone.now()),
        "days": days_in(days, month),
        "chart": chart_of(current, days),
        "releases": releases,
        "month": month,
        "rules": rules_of(current.phase),
        "payouts": about_payouts(shown.version),
    }
