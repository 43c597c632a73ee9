"""Pages of webhooks: the list, one with its log, its form, and what was sent."""

from __future__ import annotations

import json
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from crm.approvals.queries import proposal_of
from crm.choices import AccessKind, ApprovalState, WebhookDeliveryState, WebhookState
from crm.errors import DomainError
from crm.events.conditions import vocabulary_of
from crm.events.schemas import catalogue
from crm.models import WebhookDataProposal, WebhookDelivery, WebhookEndpoint
from crm.outbound import endpoints, personal_data, replaying
from crm.outbound.endpoints import endpoints_visible_to
from crm.outbound.forms import EndpointForm
from crm.outbound.replaying import deliveries_visible_to
from crm.outbound.tables import DeliveryTable, EndpointTable, event_label, result_of
from crm.security import access_log, crypto
from crm.security.compression import keep_plain
from crm.security.crypto import KeyDestroyed
from crm.staff.event_subscriptions import MANAGES
from crm.ui.actions import run_action
from crm.ui.conditions import sentence_of
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest

DELIVERIES_SHOWN: Final = 20
ANSWER_CHARS_SHOWN: Final = 2_000


class EndpointList(TableView):
    template_name = "crm/webhooks/list.html"
    table = EndpointTable


class DeliveryList(TableView):
    template_name = "crm/webhooks/list.html"
    table = DeliveryTable


def _endpoint(request: UserRequest, pk: int) -> WebhookEndpoint:
    rows = endpoints_visible_to(request.user).select_related("brand", "subscription", "created_by")
    return get_object_or_404(rows, pk=pk)


@staff_page(MANAGES)
@require_GET
def endpoint(request: UserRequest, pk: int) -> HttpResponse:
    """Show a webhook with its newest messages."""
    return _page(request, _endpoint(request, pk))


def _page(request: UserRequest, row: WebhookEndpoint, **more: Any) -> HttpResponse:
    sent = WebhookDelivery.objects.filter(endpoint=row).defer("body").order_by("-id")[:DELIVERIES_SHOWN]
    deliveries = [{"row": item, "label": event_label(item.event_name), "result": result_of(item)} for item in sent]
    counted = WebhookDelivery.objects.filter(endpoint=row)
    proposal = (
        WebhookDataProposal.objects.filter(endpoint=row, state=ApprovalState.PENDING)
        .select_related("requested_by", "endpoint")
        .first()
    )
    heard = row.subscription
    context = {
        "endpoint": row,
        "states": WebhookState,
        "named": [(event_label(name), name, row.versions.get(name, 1)) for name in heard.events],
        "only_where": sentence_of(heard.condition, vocabulary_of(catalogue())) if heard.condition else "",
        "deliveries": deliveries,
        "waiting": _up_to(counted.filter(state=WebhookDeliveryState.WAITING)),
        "failed": _up_to(counted.filter(state=WebhookDeliveryState.FAILED)),
        "is_rotating": row.has_old_secret(timezone.now()),
        "proposal": proposal_of(proposal, request.user) if proposal else None,
        **more,
    }
    response = render(request, "crm/webhooks/endpoint.html", context)
    if "secret" in more:
        response["Cache-Control"] = "no-store"
        keep_plain(response)
    return response


def _up_to(rows: Any, most: int = 1000) -> str:
    count = len(rows.order_by().values_list("pk", flat=True)[:most])
    return f"{count}+" if count == most else str(count)


@staff_page(MANAGES)
def endpoint_new(request: UserRequest) -> HttpResponse:
    """Add a webhook."""
    form = EndpointForm(request.POST or None, actor=request.user)

    def create() -> WebhookEndpoint:
        return endpoints.create_endpoint(
            brand_id=form.cleaned_data["brand"].pk, actor=request.user, details=form.details()
        )

    if request.method == "POST":
        done = run_action(request, create, _("Webhook added."), form=form, show_forbidden=True)
        if done:
            return redirect("webhook_endpoint", pk=done.result.pk)
    return render(request, "crm/webhooks/form.html", {"form": form}, status=422 if form.errors else 200)


@staff_page(MANAGES)
def endpoint_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change a webhook."""
    row = _endpoint(request, pk)
    form = EndpointForm(request.POST or None, actor=request.user, row=row)

    def change() -> WebhookEndpoint:
        return endpoints.change_endpoint(endpoint_id=pk, actor=request.user, details=form.details())

    if request.method == "POST" and run_action(request, change, _("Saved."), form=form, show_forbidden=True):
        return redirect("webhook_endpoint", pk=pk)
    return render(
        request, "crm/webhooks/form.html", {"form": form, "endpoint": row}, status=422 if form.errors else 200
    )


DOES: Final = {
    "pause": (endpoints.pause_endpoint, gettext_lazy("Webhook paused.")),
    "resume": (endpoints.resume_endpoint, gettext_lazy("Webhook resumed.")),
    "rotate": (
        endpoints.rotate_secret,
        gettext_lazy("Secret rotated. For 24 hours messages are signed under both secrets."),
    ),
    "test": (endpoints.send_test, gettext_lazy("Test sent. Its result appears in the delivery log.")),
    "end-personal-data": (personal_data.end_personal_data, gettext_lazy("Personal data is no longer sent.")),
}


@staff_page(MANAGES)
@require_POST
def endpoint_do(request: UserRequest, pk: int, what: str) -> HttpResponse:
    """Pause or resume a webhook, rotate its secret, send a test, or end personal data."""
    row = _endpoint(request, pk)
    if what == "secret":
        done = run_action(
            request, lambda: endpoints.show_secret(endpoint_id=pk, actor=request.user), show_forbidden=True
        )
        return _page(request, row, secret=done.result) if done else redirect("webhook_endpoint", pk=pk)
    if what == "archive":
        return _with_reason(request, pk, endpoints.archive_endpoint, _("Webhook archived."))
    if what == "personal-data":
        return _with_reason(request, pk, personal_data.propose_personal_data, _("Proposed for second approval."))
    if what not in DOES:
        raise Http404
    verb, message = DOES[what]
    run_action(request, lambda: verb(endpoint_id=pk, actor=request.user), str(message), show_forbidden=True)
    return redirect("webhook_endpoint", pk=pk)


def _with_reason(request: UserRequest, pk: int, verb: Any, message: str) -> HttpResponse:
    reason = request.POST.get("reason", "")[:300]
    run_action(request, lambda: verb(endpoint_id=pk, actor=request.user, reason=reason), message, show_forbidden=True)
    return redirect("webhook_endpoint", pk=pk)


class ReplayForm(forms.Form):
    """Failed messages of a time."""

    since = forms.DateTimeField(required=False)
    until = forms.DateTimeField(required=False)


@staff_page(MANAGES)
@require_POST
def endpoint_replay(request: UserRequest, pk: int) -> HttpResponse:
    """Send a webhook's failed messages again: all, or those of a time."""
    _endpoint(request, pk)
    form = ReplayForm(request.POST)
    given = form.cleaned_data if form.is_valid() else {}

    def replay() -> int:
        if not form.is_valid():
            raise DomainError(_("Enter valid times."))
        return replaying.replay_failed(
            endpoint_id=pk, actor=request.user, since=given.get("since"), until=given.get("until")
        )

    run_action(request, replay, _sent_again, show_forbidden=True)
    return redirect("webhook_endpoint", pk=pk)


def _sent_again(count: int) -> str:
    return ngettext("%(n)s message is sent again.", "%(n)s messages are sent again.", count) % {"n": count}


@staff_page(MANAGES)
@require_POST
def replay_many(request: UserRequest) -> HttpResponse:
    """Send chosen failed messages again, of each webhook in a transaction of its own."""
    chosen: dict[int, list[int]] = {}
    failed = DeliveryTable.selected(request).filter(state=WebhookDeliveryState.FAILED)
    for pk, endpoint_id in failed.values_list("pk", "endpoint_id"):
        chosen.setdefault(endpoint_id, []).append(pk)

    def replay() -> int:
        if not chosen:
            raise DomainError(_("Nothing failed that matches."))
        return sum(
            replaying.replay_failed(endpoint_id=endpoint_id, actor=request.user, delivery_ids=ids)
            for endpoint_id, ids in sorted(chosen.items())
        )

    run_action(request, replay, _sent_again, show_forbidden=True)
    return redirect("webhook_deliveries")


@staff_page(MANAGES)
@require_GET
def delivery(request: UserRequest, pk: int) -> HttpResponse:
    """Show a message as sent, with each attempt and the beginning of its answer."""
    row = get_object_or_404(deliveries_visible_to(request.user).select_related("endpoint__brand"), pk=pk)
    log = list(row.attempt_log.order_by("id"))
    if row.client_id is not None:
        access_log.note(
            user=request.user, kind=AccessKind.VIEW, target="webhook", client_id=row.client_id, reason=row.event_name
        )
    body = _opened(row, bytes(row.body)) if row.is_sealed else bytes(row.body)
    context = {
        "delivery": row,
        "label": event_label(row.event_name),
        "result": result_of(row),
        "payload": _pretty(body) if body is not None else None,
        "attempts": [
            {"row": attempt, "result": result_of(attempt), "answer": _answer(row, bytes(attempt.answer))}
            for attempt in log
        ],
        "message_id": f"msg_{row.message_id.hex}",
        "can_replay": row.state == WebhookDeliveryState.FAILED and row.event_id is not None,
    }
    return render(request, "crm/webhooks/delivery.html", context)


def _opened(row: WebhookDelivery, sealed: bytes) -> bytes | None:
    if row.client_id is None:
        return sealed
    try:
        return crypto.decrypt_for_client(row.client_id, sealed)
    except (KeyDestroyed, InvalidTag):
        return None


def _answer(row: WebhookDelivery, kept: bytes) -> str:
    if not kept:
        return ""
    opened = _opened(row, kept)
    return _("Erased with the client's data") if opened is None else opened.decode("utf-8", "replace")


def _pretty(body: bytes) -> str:
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)


@staff_page(MANAGES)
@require_POST
def delivery_replay(request: UserRequest, pk: int) -> HttpResponse:
    """Send one failed message again."""
    row = get_object_or_404(deliveries_visible_to(request.user), pk=pk)
    run_action(
        request,
        lambda: replaying.replay_failed(endpoint_id=row.endpoint_id, actor=request.user, delivery_ids=[pk]),
        _sent_again,
        show_forbidden=True,
    )
    return redirect("webhook_delivery", pk=pk)


URLS: Final = [
    path("webhooks/", EndpointList.as_view(), name="webhook_endpoints"),
    path("webhooks/new/", endpoint_new, name="webhook_endpoint_new"),
    path("webhooks/deliveries/", DeliveryList.as_view(), name="webhook_deliveries"),
    path("webhooks/deliveries/replay/", replay_many, name="webhook_replay_many"),
    path("webhooks/deliveries/<int:pk>/", delivery, name="webhook_delivery"),
    path("webhooks/deliveries/<int:pk>/replay/", delivery_replay, name="webhook_delivery_replay"),
    path("webhooks/<int:pk>/", endpoint, name="webhook_endpoint"),
    path("webhooks/<int:pk>/edit/", endpoint_edit, name="webhook_endpoint_edit"),
    path("webhooks/<int:pk>/replay/", endpoint_replay, name="webhook_endpoint_replay"),
    path("webhooks/<int:pk>/<slug:what>/", endpoint_do, name="webhook_endpoint_do"),
]
