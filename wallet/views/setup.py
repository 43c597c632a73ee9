"""PSPs and their connection, and the webhook inbox."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.errors import DomainError
from crm.ui.views import StaffView, staff_page
from wallet import queries
from wallet.choices import InboxState, Verdict
from wallet.forms import PspForm
from wallet.inbox import try_again
from wallet.models import Psp, WebhookMessage
from wallet.psps import check_psp, configure_psp

BODY_SHOWN_BYTES = 8_000


@staff_page("wallet.view_psp")
def psp_list(request: HttpRequest) -> HttpResponse:
    """Every PSP with how it has been doing: payments of the last thirty days, the last webhook, the last test."""
    psps = list(
        queries.psps_visible_to(request.user)
        .select_related("brand")
        .defer("sealed_credentials")
        .prefetch_related("methods")
    )
    health = queries.psp_health([psp.pk for psp in psps])
    shown = [{"psp": psp, "health": health[psp.pk]} for psp in psps]
    return render(
        request, "wallet/psps.html", {"rows": shown, "may_manage": request.user.has_perm("wallet.manage_psp")}
    )


class PspPage(StaffView):
    permission = "wallet.manage_psp"

    def find(self, request: HttpRequest, pk: int) -> Psp:
        rows = queries.psps_visible_to(request.user).select_related("brand")
        return queries.one_of(rows, pk, request.user, "wallet.manage_psp")

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        psp = self.find(request, pk)
        return self.show(request, psp, PspForm(instance=psp))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        psp = self.find(request, pk)
        form = PspForm(request.POST, instance=psp)
        if form.is_valid():
            try:
                configure_psp(psp_id=psp.pk, values=form.values(), keys=form.keys(), actor=request.user)
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("Saved. Test the connection to be sure."))
                return redirect("wallet:psp", pk=psp.pk)
        return self.show(request, psp, form, status=422)

    def show(self, request: HttpRequest, psp: Psp, form: PspForm, status: int = 200) -> HttpResponse:
        address = request.build_absolute_uri(reverse("wallet:psp_webhook", kwargs={"code": psp.code}))
        context = {
            "psp": psp, "form": form, "address": address, "has_keys": bool(psp.sealed_credentials),
            "health": queries.psp_health([psp.pk])[psp.pk],
        }  # fmt: skip
        return render(request, "wallet/psp.html", context, status=status)


@require_POST
@staff_page("wallet.manage_psp")
def psp_check(request: HttpRequest, pk: int) -> HttpResponseBase:
    psp = queries.one_of(queries.psps_visible_to(request.user), pk, request.user, "wallet.manage_psp")
    health = check_psp(psp_id=psp.pk, actor=request.user)
    if health.is_up:
        messages.success(request, _("%(psp)s answers, and knows our key.") % {"psp": psp})
    else:
        messages.error(request, _("%(psp)s: %(detail)s") % {"psp": psp, "detail": health.detail})
    return redirect("wallet:psp", pk=psp.pk)


@staff_page("wallet.view_webhookmessage")
def webhook_page(request: HttpRequest, pk: int) -> HttpResponse:
    rows = queries.webhooks_visible_to(request.user).select_related("psp__brand")
    message: WebhookMessage = queries.one_of(rows, pk, request.user, "wallet.view_webhookmessage")
    may_retry = (
        request.user.has_perm("wallet.manage_psp")
        and message.verdict == Verdict.ACCEPTED
        and message.state in (InboxState.FAILED, InboxState.UNMATCHED)
    )
    context = {
        "message": message, "body": bytes(message.body)[:BODY_SHOWN_BYTES].decode("utf-8", "replace"),
        "headers": sorted(message.headers.items()), "may_retry": may_retry,
        "movement": queries.movement_by_reference(request.user, message.reference),
    }  # fmt: skip
    return render(request, "wallet/webhook.html", context)


@require_POST
@staff_page("wallet.manage_psp")
def webhook_retry(request: HttpRequest, pk: int) -> HttpResponseBase:
    message = queries.one_of(queries.webhooks_visible_to(request.user), pk, request.user, "wallet.manage_psp")
    try_again(message_id=message.pk, actor=request.user)
    messages.success(request, _("The message is being worked on again."))
    return redirect("wallet:webhook", pk=message.pk)
