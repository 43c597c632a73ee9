"""A partner's postbacks: their addresses, the log of what was sent, and what a network reports."""

from __future__ import annotations

from itertools import chain

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.security import access_log
from crm.security.compression import sent_plain
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from ib.choices import PartnerRight
from ib.models import Partner, Postback, PostbackDelivery, PostbackReport
from ib.partner_pages.downloads import ROWS_MAX, csv_file
from ib.tracking import postbacks
from ib.tracking.choices import PARTNER_STEPS, DeliveryState, PostbackEvent
from ib.tracking.forms import PostbackForm
from ib.tracking.macros import MACROS
from ib.tracking.sending import SIGNATURE
from ib.tracking.tables import result_of
from ib.views.guards import partner_page

LOG_SHOWN = 50


@partner_page(PartnerRight.MANAGE_LINKS)
def overview(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """List a partner's postbacks with the newest calls, and what their network reported."""
    state = request.GET.get("state", "")
    if request.GET.get("export") == "csv":
        return _log_csv(request, partner, state)
    context = {
        "partner": partner,
        "postbacks": [
            {"row": row, "steps": ", ".join(str(PostbackEvent(event).label) for event in row.events)}
            for row in partner.postbacks.all()[: postbacks.POSTBACKS_MAX]
        ],
        "log": [{"row": row, "result": result_of(row)} for row in _log(partner, state)[:LOG_SHOWN]],
        "state": state,
        "reports": PostbackReport.objects.filter(key__partner=partner).select_related("link")[:LOG_SHOWN],
        "key": getattr(partner, "postback_key", None),
    }
    return render(request, "partners/postbacks.html", context)


def _log(partner: Partner, state: str) -> QuerySet[PostbackDelivery]:
    rows = PostbackDelivery.objects.filter(postback__partner=partner)
    return rows.filter(state=state) if state in DeliveryState.values else rows


def _log_csv(request: UserRequest, partner: Partner, state: str) -> StreamingHttpResponse:
    access_log.note(user=request.user, kind=AccessKind.EXPORT, target="partners.postbacks.csv", reason=state)
    head = [_("Date"), _("Step"), _("Address"), _("State"), _("Result"), _("Attempts")]
    rows = _log(partner, state)[:ROWS_MAX].iterator(chunk_size=2000)
    lines = (
        [row.created_at, row.get_event_display(), row.url, row.get_state_display(), result_of(row), row.attempts]
        for row in rows
    )
    return csv_file(chain([head], lines), f"postbacks-{timezone.localdate()}")


@partner_page(PartnerRight.MANAGE_LINKS)
@sent_plain
def edit(request: UserRequest, partner: Partner, postback_id: int = 0) -> HttpResponseBase:
    """Set up a postback, or change one; its signing key is shown to its partner."""
    postback = _own(partner, postback_id) if postback_id else None
    initial = {"url": postback.url, "events": postback.events} if postback else {"events": list(PARTNER_STEPS)}
    form = PostbackForm(request.POST or None, initial=initial)
    if run_action(
        request,
        lambda: postbacks.save_postback(
            partner_id=partner.pk,
            postback_id=postback.pk if postback else None,
            url=form.cleaned_data["url"],
            events=form.cleaned_data["events"],
            actor=request.user,
        ),
        _("Postback saved."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("partner_postbacks")
    macros = [{"name": f"{{{name}}}", "label": label} for name, (label, _example) in MACROS.items()]
    context = {"partner": partner, "postback": postback, "form": form, "macros": macros, "signature": SIGNATURE}
    return render(request, "partners/postback.html", context, status=422 if form.errors else 200)


@partner_page(PartnerRight.MANAGE_LINKS)
@require_POST
def act(request: UserRequest, partner: Partner, postback_id: int, verb: str) -> HttpResponse:
    """Test, pause or activate a postback, or replace its signing key."""
    postback = _own(partner, postback_id)
    if verb == "test":
        done = _("Test queued. Its result appears in the log.")
        run_action(request, lambda: postbacks.send_test(postback_id=postback.pk, actor=request.user), done)
    elif verb == "switch":
        is_active = not postback.is_active
        done = _("Postback activated.") if is_active else _("Postback paused.")
        run_action(
            request,
            lambda: postbacks.switch_postback(postback_id=postback.pk, is_active=is_active, actor=request.user),
            done,
        )
    else:
        done = _("Signing key replaced.")
        run_action(request, lambda: postbacks.renew_secret(postback_id=postback.pk, actor=request.user), done)
        return redirect("partner_postback", postback.pk)
    return redirect("partner_postbacks")


@partner_page(PartnerRight.MANAGE_LINKS)
@require_POST
def resend(request: UserRequest, partner: Partner, delivery_id: int) -> HttpResponse:
    """Send a failed postback again."""
    delivery = PostbackDelivery.objects.filter(pk=delivery_id, postback__partner=partner).first()
    if delivery is None:
        raise Http404
    run_action(
        request,
        lambda: postbacks.send_again(delivery_id=delivery.pk, actor=request.user),
        _("Queued. Its result appears in the log."),
    )
    return redirect("partner_postbacks")


@partner_page(PartnerRight.MANAGE_LINKS)
@sent_plain
def reporting(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show the address and key with which a network reports for the partner; a POST makes the key, or a new one."""
    if request.method == "POST":
        run_action(
            request,
            lambda: postbacks.key_for_reports(partner_id=partner.pk, actor=request.user, renews=True),
            _("Signing key replaced."),
        )
        return redirect("partner_postback_reporting")
    key = getattr(partner, "postback_key", None)
    context = {"partner": partner, "key": key, "address": _address(request, key.code) if key else ""}
    return render(request, "partners/postback_reporting.html", context)


def _address(request: HttpRequest, code: str) -> str:
    return request.build_absolute_uri(reverse("postback_report", kwargs={"code": code}))


def _own(partner: Partner, postback_id: int) -> Postback:
    postback = partner.postbacks.filter(pk=postback_id).first()
    if postback is None:
        raise Http404
    return postback
