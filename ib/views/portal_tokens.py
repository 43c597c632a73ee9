"""A partner's API tokens: what they read, when they were used, and the one page that shows a new secret."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.accounts.guards import confirmed
from crm.api import tokens
from crm.api.scopes import label_of
from crm.models import ApiToken
from crm.security.compression import sent_plain
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from ib.choices import PartnerRight
from ib.forms import TokenForm
from ib.models import Partner
from ib.team.api_tokens import scopes_for
from ib.views.guards import partner_page

TOKENS_SHOWN = 100


@partner_page(PartnerRight.USE_API)
def tokens_page(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """List the tokens of this login; for those who manage the team, of all of it."""
    return _page(request)


@partner_page(PartnerRight.USE_API)
@sent_plain
def new_token(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Create a token for oneself, after the password was asked for again; the answer shows its secret once."""
    form = TokenForm(request.POST or None, scopes=scopes_for(request.user))
    if request.method == "POST" and form.is_valid():
        answer = confirmed(_create)(request, form)
        if answer is not None:
            return answer
    context = {"partner": partner, "form": form}
    return render(request, "partners/token_new.html", context, status=422 if form.errors else 200)


def _create(request: UserRequest, form: TokenForm) -> Any:
    done = run_action(
        request,
        lambda: tokens.create_token(user_id=request.user.pk, actor=request.user, details=form.details()),
        _("Token created."),
        form=form,
        show_forbidden=True,
    )
    answer: HttpResponse | None = _page(request, *done.result) if done else None
    return answer


@partner_page(PartnerRight.USE_API)
@require_POST
@sent_plain
def rotate(request: UserRequest, partner: Partner, token_id: int) -> HttpResponseBase:
    """Replace a token of one's own; the answer shows the new secret once."""
    _visible(request, token_id)
    answer: HttpResponse = confirmed(_rotate)(request, token_id)
    return answer


def _rotate(request: UserRequest, token_id: int) -> HttpResponse:
    done = run_action(
        request,
        lambda: tokens.rotate_token(token_id=token_id, actor=request.user),
        _("Token rotated. The old one works for another 24 hours at most."),
        show_forbidden=True,
    )
    return _page(request, *done.result) if done else redirect("partner_tokens")


@partner_page(PartnerRight.USE_API)
@require_POST
def revoke(request: UserRequest, partner: Partner, token_id: int) -> HttpResponse:
    """End a token immediately."""
    _visible(request, token_id)
    run_action(
        request,
        lambda: tokens.revoke_token(token_id=token_id, actor=request.user),
        _("Token revoked."),
        show_forbidden=True,
    )
    return redirect("partner_tokens")


def _visible(request: UserRequest, token_id: int) -> ApiToken:
    row = tokens.tokens_visible_to(request.user).filter(pk=token_id).first()
    if row is None:
        raise Http404
    return row


def _page(request: UserRequest, made: ApiToken | None = None, secret: str = "") -> HttpResponse:
    rows = tokens.tokens_visible_to(request.user).select_related("replaced_by").order_by("-id")[:TOKENS_SHOWN]
    context = {
        "made": made,
        "secret": secret,
        "address": request.build_absolute_uri("/api/v1/partner-earnings"),
        "tokens": [
            {
                "row": row,
                "scopes": [label_of(code) for code in row.scopes],
                "is_own": row.user_id == request.user.pk,
                "is_replaced": hasattr(row, "replaced_by"),
            }
            for row in rows
        ],
    }
    return render(request, "partners/tokens.html", context)
