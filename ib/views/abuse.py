"""Reviews of referrals: the reasons with the clients behind them, and the decision."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.models import Client
from clients.queries import clients_visible_to
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from ib import settlement
from ib.abuse import reviews
from ib.abuse.choices import AbuseSignal, AbuseState
from ib.abuse.holds import is_held
from ib.forms import ReasonForm
from ib.models import ReferralReview
from ib.policies import can_settle
from ib.queries import partners_visible_to

CLIENTS_SHOWN = 12


@staff_page("ib.view_partner")
def review_page(request: UserRequest, review_id: int) -> HttpResponse:
    """Show a review with its evidence, and clear it with a reason."""
    review = _visible(request, review_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and run_action(
        request,
        lambda: reviews.clear_review(review_id=review.pk, reason=form.cleaned_data["reason"], actor=request.user),
        _("Review closed: no abuse."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(review)
    return _page(request, review, form, ReasonForm(prefix="abuse"))


@staff_page("ib.manage_partners")
@require_POST
def confirm(request: UserRequest, review_id: int) -> HttpResponse:
    """Propose that it is abuse; a second person confirms it."""
    review = _visible(request, review_id)
    form = ReasonForm(request.POST, prefix="abuse")
    if run_action(
        request,
        lambda: reviews.propose_abuse(review_id=review.pk, reason=form.cleaned_data["reason"], actor=request.user),
        _("Proposed. A second person approves it."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(review)
    return _page(request, review, ReasonForm(), form)


@staff_page("ib.settle_commissions")
@require_POST
def release(request: UserRequest, review_id: int) -> HttpResponse:
    """Release the payouts that a confirmed review holds."""
    review = _visible(request, review_id)
    run_action(
        request,
        lambda: reviews.release_payouts(review_id=review.pk, reason=request.POST.get("reason", ""), actor=request.user),
        _("Payouts released."),
        show_forbidden=True,
    )
    return redirect(review)


def _visible(request: UserRequest, review_id: int) -> ReferralReview:
    rows = reviews.REVIEW.rows().filter(partner__in=partners_visible_to(request.user))
    review = rows.filter(pk=review_id).first()
    if review is None:
        raise Http404
    return review


def _page(request: UserRequest, review: ReferralReview, form: ReasonForm, abuse: ReasonForm) -> HttpResponse:
    item = work_of(request.user, review.work_id)
    may_decide = review.state == AbuseState.OPEN and bool(reviews.REVIEW.may_work(request.user, review))
    may_decide = may_decide and not (item and item.item.awaits_second)
    is_confirmed = review.state == AbuseState.ABUSE and review.released_at is None
    context = {
        "review": review,
        "work": item,
        "reasons": _reasons(request, review),
        "balances": settlement.balances_of(review.partner),
        "is_held": is_held(review.partner),
        "others": ReferralReview.objects.filter(partner=review.partner).exclude(pk=review.pk)[:10],
        "form": form if may_decide else None,
        "abuse": abuse if may_decide else None,
        "may_release": is_confirmed and bool(can_settle(request.user, review.partner.brand_id)),
    }
    return render(request, "ib/abuse.html", context, status=422 if form.errors or abuse.errors else 200)


def _reasons(request: UserRequest, review: ReferralReview) -> list[dict[str, Any]]:
    """List the reasons with the clients that the reader may see, and how reviews with the same main reason ended."""
    ids = {pk for reason in review.reasons for pk in reason["ids"][:CLIENTS_SHOWN]}
    people: dict[int, Client] = clients_visible_to(request.user).filter(pk__in=ids).in_bulk() if ids else {}
    ended = reviews.feedback(review.partner.brand_id)
    return [
        {
            "label": AbuseSignal(reason["code"]).label,
            **reason,
            "people": [people[pk] for pk in reason["ids"][:CLIENTS_SHOWN] if pk in people],
            "confirmed": ended.get(reason["code"], {}).get(AbuseState.ABUSE, 0),
            "decided": sum(ended.get(reason["code"], {}).values()),
        }
        for reason in review.reasons
    ]
