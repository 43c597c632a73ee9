"""Claims on clients: the staff's queue with evidence, and the partner's form and list."""

from __future__ import annotations

from itertools import chain

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from ib.choices import PartnerRight
from ib.models import ClientClaim, Partner
from ib.partner_pages.downloads import ROWS_MAX, csv_file
from ib.queries import partners_visible_to
from ib.tracking import claims
from ib.tracking.choices import ClaimState
from ib.tracking.claim_evidence import evidence_of
from ib.tracking.forms import ClaimAnswerForm, ClaimForm
from ib.views.guards import partner_page

SHOWN = 50


@staff_page("ib.view_partner")
def claim_page(request: UserRequest, claim_id: int) -> HttpResponse:
    """Show a claim with its evidence, and reject it with an answer that the partner reads."""
    claim = _visible(request, claim_id)
    form = ClaimAnswerForm(request.POST or None)
    if request.method == "POST" and run_action(
        request,
        lambda: claims.reject_claim(claim_id=claim.pk, answer=form.cleaned_data["answer"], actor=request.user),
        _("Claim rejected."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("ib_claim", claim.pk)
    return _page(request, claim, form, ClaimAnswerForm(prefix="accept"))


@staff_page("ib.manage_partners")
@require_POST
def accept(request: UserRequest, claim_id: int) -> HttpResponse:
    """Propose to accept a claim; a second person approves it."""
    claim = _visible(request, claim_id)
    form = ClaimAnswerForm(request.POST, prefix="accept")
    if run_action(
        request,
        lambda: claims.propose_acceptance(claim_id=claim.pk, reason=form.cleaned_data["answer"], actor=request.user),
        _("Proposed. A second person approves it."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("ib_claim", claim.pk)
    return _page(request, claim, ClaimAnswerForm(), form)


def _visible(request: UserRequest, claim_id: int) -> ClientClaim:
    claim = claims.CLAIM.rows().filter(pk=claim_id, partner__in=partners_visible_to(request.user)).first()
    if claim is None:
        raise Http404
    return claim


def _page(request: UserRequest, claim: ClientClaim, form: ClaimAnswerForm, accepting: ClaimAnswerForm) -> HttpResponse:
    item = work_of(request.user, claim.work_id)
    may_decide = claim.state == ClaimState.OPEN and bool(claims.CLAIM.may_work(request.user, claim))
    awaits = bool(item and item.item.awaits_second)
    if claim.client_id is not None:
        access_log.note(
            user=request.user,
            kind=AccessKind.VIEW,
            client_id=claim.client_id,
            brand_id=claim.partner.brand_id,
            target=f"ib.claim:{claim.pk}",
        )
    others = ClientClaim.objects.filter(client=claim.client, partner__in=partners_visible_to(request.user))
    others = others.exclude(pk=claim.pk).select_related("partner")
    context = {
        "claim": claim,
        "work": item,
        "facts": evidence_of(claim),
        "others": others[:SHOWN] if claim.client_id else [],
        "form": form if may_decide and not awaits else None,
        "accepting": accepting if may_decide and not awaits and claim.client_id else None,
    }
    return render(request, "ib/claim.html", context, status=422 if form.errors or accepting.errors else 200)


@partner_page(PartnerRight.MANAGE_LINKS)
def own_claims(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """List a partner's claims, as a page or CSV, and take a new one."""
    if request.GET.get("export") == "csv":
        return _own_csv(request, partner)
    form = ClaimForm(request.POST or None)
    if run_action(
        request,
        lambda: claims.claim_client(
            partner_id=partner.pk,
            email=form.cleaned_data["email"],
            came_on=form.cleaned_data["came_on"],
            reason=form.cleaned_data["reason"],
            actor=request.user,
        ),
        _("Claim received. You'll find our answer here."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("partner_claims")
    context = {"partner": partner, "form": form, "claims": partner.claims.all()[:SHOWN]}
    return render(request, "partners/claims.html", context, status=422 if form.errors else 200)


def _own_csv(request: UserRequest, partner: Partner) -> StreamingHttpResponse:
    access_log.note(user=request.user, kind=AccessKind.EXPORT, target="partners.claims.csv")
    head = [_("Client"), _("Reason"), _("Opened"), _("State"), _("Answer")]
    rows = partner.claims.all()[:ROWS_MAX].iterator(chunk_size=2000)
    lines = ([row.named, row.reason, row.opened_at, row.get_state_display(), row.answer] for row in rows)
    return csv_file(chain([head], lines), f"claims-{timezone.localdate()}")
