"""The webhooks' address, calling a client from their page, and the staff pages of exchanges."""

from __future__ import annotations

from functools import partial
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from clients.brand_policies import CALLS_ARE_RECORDED, CALLS_THROUGH_EXCHANGE
from clients.choices import CallOutcome
from clients.models import AgentPhone, Client, PhoneCall, PhoneEvent
from clients.policies import sees_contacts
from clients.queries import get_client
from clients.record.local_time import local_time
from clients.telephony import calls, dialing, do_not_call, hearing, incoming, playing, policies, receiving, setup
from clients.telephony.choices import ENDS, DoNotCallReason
from clients.telephony.forms import DoNotCallForm, ExchangeForm, LiftForm, OutcomeForm, OwnPhoneForm
from clients.telephony.queries import events_visible_to, phone_calls_visible_to
from clients.views import dialogs
from clients.views.actions import quick_times
from crm.connections import views as connections
from crm.errors import DomainError, outcome_of
from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest

PAGES: Final = connections.ConnectionPages(
    kind=setup.PhoneExchangeApproval,
    form=ExchangeForm,
    list_name="phone_exchanges",
    name="phone_exchange",
    key="exchange_id",
    proposes=setup.propose_exchange,
    tests=setup.test_connection,
    webhook="phone_webhook",
    messages_path="/phone/events/",
    reads=policies.READS,
    templates="clients/telephony",
    icon="phone",
    title=gettext_lazy("Phone exchanges"),
    subtitle=gettext_lazy("Outside services that calls go through, per brand"),
    propose=gettext_lazy("Propose phone exchange"),
    messages_title=gettext_lazy("Phone webhooks"),
    checks_path="/phone/calls/",
    checks_title=gettext_lazy("Calls"),
    steps=(
        gettext_lazy(
            "At the exchange, enter the webhook address as the number's address for calls and for status changes."
        ),
        gettext_lazy("Whether clients are called through it is a policy of the brand: “Calls through the exchange”."),
        gettext_lazy("Each agent enters the phone that they want to be called on."),
    ),
    unmatched=gettext_lazy("None of our calls is meant by this message."),
    brand_facts=lambda brand: {"is_on": CALLS_THROUGH_EXCHANGE.of(brand), "is_recorded": CALLS_ARE_RECORDED.of(brand)},
)


# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@csrf_exempt
@require_POST
def phone_webhook(request: HttpRequest, code: str, reference: str = "") -> HttpResponse:
    """Store and judge what an exchange sends; an incoming call is answered with where it goes."""
    return receiving.receive_webhook(request, code)


# ── calling ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@staff_page(policies.CALLS)
def client_phone(request: UserRequest, client_id: int) -> HttpResponseBase:
    """Show who would be called, and call them. While a call lasts, it is shown instead."""
    client = get_client(request.user, client_id)
    live = calls.live_call_of(request.user)
    if live is not None:
        return show_call(request, live)
    if request.method == "POST":
        place = partial(calls.start_call, client_id=client.pk, actor=request.user)
        done = run_action(request, place, unshown=DomainError)  # the dialog says it
        if not done:
            return _show_client(request, client, done.message, status=422)
        return show_call(request, done.result) if wants_fragment(request) else redirect("phone_call", done.result.pk)
    return _show_client(request, client, "")


def _show_client(request: UserRequest, client: Client, refusal: str, *, status: int = 200) -> HttpResponse:
    decision = policies.can_call(request.user, client)
    if decision and not refusal:
        refusal = outcome_of(lambda: calls.require_callable(client)).message
    template = "clients/telephony/_start.html" if wants_fragment(request) else "clients/telephony/start_page.html"
    context = {
        "client": client,
        "refusal": refusal or ("" if decision else decision.reason),
        "may_call": bool(decision) and not refusal,
        "own_phone": AgentPhone.objects.filter(user=request.user).first(),
        "sees_contacts": sees_contacts(request.user),
        "local_time": local_time(client),
        "is_recorded": CALLS_ARE_RECORDED.of(client.brand),
    }
    return render(request, template, context, status=status)


@staff_page(policies.CALLS)
def own_phone(request: UserRequest) -> HttpResponseBase:
    """Enter the phone that one is called on."""
    phone = AgentPhone.objects.filter(user=request.user).first()
    initial = {"address": phone.address, "takes_unknown": phone.takes_unknown} if phone else {}
    form = OwnPhoneForm(request.POST or None, initial=initial)
    return dialogs.run(
        request,
        form,
        lambda: setup.set_own_phone(actor=request.user, **form.cleaned_data),
        url="/phone/calls/",
        success_message=_("Your phone was saved."),
        submit=_("Save phone"),
        title=_("Your phone"),
    )


@staff_page(policies.CALLS)
def phone_call(request: UserRequest, call_id: int) -> HttpResponseBase:
    """Show a call as far as it is; its agent enters the outcome."""
    call = _call(request.user, call_id)
    if request.method != "POST":
        return show_call(request, call)
    form = OutcomeForm(request.POST, call=call)

    def log() -> object:
        return calls.log_outcome(
            call_id=call.pk,
            actor=request.user,
            outcome=CallOutcome(form.cleaned_data["outcome"]),
            notes=form.cleaned_data["notes"],
            follow_up=form.follow_up(),
        )

    if run_action(request, log, _("Call logged."), form=form):
        return dialogs.back(request, _after(request, call))
    return show_call(request, call, form, status=422)


def _after(request: UserRequest, call: PhoneCall) -> str:
    """Choose where an agent goes on after a call: to the next client of their call list, else to the client's page."""
    row = dialing.list_of(request.user)
    if row is not None and row.entries.filter(client=call.client_id).exists():
        return row.get_absolute_url()
    return call.client.get_absolute_url() if call.client else "/phone/calls/"


def show_call(
    request: UserRequest, call: PhoneCall, form: OutcomeForm | None = None, status: int = 200
) -> HttpResponse:
    """Render a call: in the dialog, as the part of it that is live, or as a page."""
    is_mine = call.agent_id == request.user.pk
    context = {
        "call": call,
        "form": form or OutcomeForm(call=call),
        "is_mine": is_mine,
        "is_over": call.state in ENDS,
        "may_log": is_mine and call.client_id is not None and call.call_id is None,
        "number": call.number,
        "sees_contacts": sees_contacts(request.user),
        "legs": calls.legs_of(call),
        "recordings": list(call.recordings.all()),
        "may_listen": request.user.has_perm(policies.LISTENS),
        "quick": quick_times(),
    }
    if request.GET.get("part") == "live":
        template = "clients/telephony/_live.html"
    else:
        template = "clients/telephony/_call.html" if wants_fragment(request) else "clients/telephony/call.html"
    return render(request, template, context, status=status)


@staff_page(policies.CALLS)
def client_do_not_call(request: UserRequest, client_id: int) -> HttpResponseBase:
    """Mark a client as not to be called, or let them be called again."""
    client = get_client(request.user, client_id)
    shared = {"url": client.get_absolute_url()}
    if do_not_call.mark_of(client) is None:
        marking = DoNotCallForm(request.POST or None)
        return dialogs.run(
            request,
            marking,
            lambda: do_not_call.mark(
                client_id=client.pk,
                actor=request.user,
                reason=DoNotCallReason(marking.cleaned_data["reason"]),
                note=marking.cleaned_data["note"],
            ),
            success_message=_("Client marked as not to be called."),
            submit=_("Mark client"),
            title=_("Do not call %(client)s") % {"client": client},
            **shared,
        )
    lifting = LiftForm(request.POST or None)
    return dialogs.run(
        request,
        lifting,
        lambda: do_not_call.lift(client_id=client.pk, actor=request.user, reason=lifting.cleaned_data["reason"]),
        success_message=_("Client may be called again."),
        submit=_("Lift do-not-call mark"),
        title=_("Let %(client)s be called again") % {"client": client},
        **shared,
    )


@require_POST
@staff_page(policies.CALLS)
def phone_call_link(request: UserRequest, call_id: int) -> HttpResponseBase:
    """Link a caller to the client who has their number now."""
    call = _call(request.user, call_id)
    run_action(request, lambda: incoming.link_caller(call_id=call.pk, actor=request.user), _("Caller linked."))
    return redirect("phone_call", call.pk)


@require_POST
@staff_page(policies.CALLS)
def phone_call_hang_up(request: UserRequest, call_id: int) -> HttpResponseBase:
    """End one's own call."""
    call = _call(request.user, call_id)
    run_action(request, lambda: calls.hang_up(call_id=call.pk, actor=request.user), show_forbidden=True)
    if wants_fragment(request):
        return show_call(request, _call(request.user, call_id))
    return redirect("phone_call", call.pk)


def _call(user: User, call_id: int) -> PhoneCall:
    rows = phone_calls_visible_to(user).select_related("client__brand", "client__book", "exchange", "agent", "call")
    call = rows.filter(pk=call_id).first()
    if call is None:
        raise Http404
    return call


@staff_page(policies.LISTENS)
def recording_audio(request: UserRequest, recording_id: int) -> HttpResponseBase:
    """Play a recording, or a part of it; each play is logged."""
    return playing.play(request, recording_id)


# ── exchanges ────────────────────────────────────────────────────────────────────────────────────────────────────────


@staff_page(policies.READS)
def phone_event(request: UserRequest, event_id: int) -> HttpResponse:
    """Show a webhook as it was received; every view is logged."""
    return connections.message_page(request, PAGES, _event(request.user, event_id))


@require_POST
@staff_page(policies.READS)
def phone_event_retry(request: UserRequest, event_id: int) -> HttpResponseBase:
    """Process a message about an unknown call again."""
    return connections.retry_page(
        request, _event(request.user, event_id), lambda pk: hearing.retry_event(event_id=pk, actor=request.user)
    )


def _event(user: User, event_id: int) -> PhoneEvent | None:
    return events_visible_to(user).select_related("connection", "phone_call__client").filter(pk=event_id).first()
