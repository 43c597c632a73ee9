"""Pages of SMS and WhatsApp: the webhooks' address, the composer, conversations, unknown numbers and services."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from clients.messages import policies as messages_policies
from clients.messages.forms import ReasonForm
from clients.messages.uploaded_files import FILES_MAX
from clients.messages.views import download_file
from clients.models import Client, TextEvent, TextThread
from clients.policies import can, sees_contacts
from clients.queries import get_client, is_in_own_book
from clients.texting import hearing, incoming, numbers, policies, sent_files, setup, writing
from clients.texting.choices import TextChannel
from clients.texting.forms import TextForm, TextServiceForm
from clients.texting.queries import (
    text_events_visible_to,
    text_files_visible_to,
    text_messages_visible_to,
    text_threads_visible_to,
)
from clients.views import dialogs
from clients.views.choose_client import found_clients
from crm.choices import AccessKind
from crm.connections import views as connections
from crm.errors import DomainError, outcome_of
from crm.models import User
from crm.security import access_log
from crm.security.crypto import KeyDestroyed
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files

SHOWN_MAX: Final = 200
PAGES: Final = connections.ConnectionPages(
    kind=setup.TextServiceApproval,
    form=TextServiceForm,
    list_name="text_services",
    name="text_service",
    key="service_id",
    proposes=setup.propose_text_service,
    tests=setup.test_text_service,
    webhook="text_webhook",
    messages_path="/sms/events/",
    reads=policies.READS,
    templates="clients/texting",
    icon="send",
    title=gettext_lazy("SMS services"),
    subtitle=gettext_lazy("Outside services for SMS and WhatsApp, per brand"),
    propose=gettext_lazy("Propose SMS service"),
    messages_title=gettext_lazy("SMS webhooks"),
    checks_path="/sms/threads/",
    checks_title=gettext_lazy("SMS and WhatsApp"),
    steps=(
        gettext_lazy("At the service, enter the webhook address as the numbers' address for incoming messages."),
        gettext_lazy("Reports on delivery find their way without further setup."),
        gettext_lazy(
            "WhatsApp: enter the approved templates in the policy “Templates that WhatsApp approved” of the brand."
        ),
    ),
    unmatched=gettext_lazy("None of our messages is meant by this report."),
)


@csrf_exempt
@require_POST
def text_webhook(request: HttpRequest, code: str, reference: str = "") -> HttpResponse:
    """Store and judge what a service sends."""
    return hearing.receive_webhook(request, code)


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@takes_files(files=FILES_MAX, file_bytes_max=sent_files.BYTES_MAX)
@staff_page(messages_policies.WRITES)
def client_text(request: UserRequest, client_id: int) -> HttpResponseBase:
    """Write an SMS or WhatsApp message to a client."""
    client = get_client(request.user, client_id)
    channels = writing.channels_of(client.brand)
    asked = request.GET.get("channel", "")
    form = TextForm(request.POST or None, request.FILES or None, client=client, channels=channels, channel=asked)

    def do() -> None:
        entered = form.cleaned_data
        writing.send_text(
            client_id=client.pk,
            actor=request.user,
            channel=TextChannel(entered["channel"]),
            template=entered["template"],
            message=entered["message"],
            files=entered.get("attachments", ()),
        )

    return dialogs.run(
        request,
        form,
        do,
        url=f"{client.get_absolute_url()}tab/sms/",
        success_message=_("Message queued. You can undo it for 10 seconds."),
        submit=_("Send message"),
        title=_("Message to %(client)s") % {"client": client},
        body="clients/texting/_compose.html",
        client=client,
        refusal=_refusal(client, channels),
    )


def _refusal(client: Client, channels: list[TextChannel]) -> str:
    """Return what keeps any message from this client, before one is written."""
    if not channels:
        return _("No SMS service is in use at this brand.")
    number = outcome_of(lambda: writing.number_of(client))
    return number.message or outcome_of(lambda: writing.require_textable(client)).message


@require_POST
@staff_page(messages_policies.WRITES)
def text_preview(request: UserRequest, client_id: int) -> HttpResponse:
    """Show a message as the client would get it, what it costs, and when it goes out."""
    client = get_client(request.user, client_id)
    template, message = request.POST.get("template", "")[:60], request.POST.get("message", "")[:5_000]
    channel = request.POST.get("channel", "")
    channel = channel if channel in TextChannel.values else TextChannel.SMS
    # Whether a file was chosen isn't sent along: a message without a text may have one.
    is_file_alone = (
        "attachments" in request.POST and channel == TextChannel.WHATSAPP and not template and not message.strip()
    )
    file = sent_files.NAMED if is_file_alone else None
    done = run_action(
        request, lambda: writing.write(client, template=template, message=message, file=file), unshown=DomainError
    )
    context: dict[str, Any] = {
        "written": done.result,
        "refusal": done.message,
        "is_sms": channel == TextChannel.SMS,
        "messages_count": max(len(request.POST.getlist("attachments")), 1),
    }
    if done:
        number = outcome_of(lambda: writing.number_of(client))
        thread = writing.thread_of(client, channel, number.result) if number else None
        context["refusal"] = (
            writing.reason_against(client, TextChannel(channel), done.result, number.result)
            if number
            else number.message
        )
        context["quiet_until"] = writing.quiet_until(client, thread)
    return render(request, "clients/texting/_preview.html", context, status=200 if done else 422)


@require_POST
@staff_page(messages_policies.WRITES)
def text_undo(request: UserRequest, message_id: int) -> HttpResponseBase:
    """Take one's own message back before it is sent."""
    rows = text_messages_visible_to(request.user).filter(sender=request.user).select_related("thread")
    row = get_object_or_404(rows, pk=message_id)
    run_action(
        request,
        lambda: writing.undo_text(message_id=row.pk, actor=request.user),
        _("Message not sent."),
        show_forbidden=True,
    )
    return redirect(row.thread.get_absolute_url())


# ── conversations ────────────────────────────────────────────────────────────────────────────────────────────────────


def _thread(request: UserRequest, thread_id: int) -> TextThread:
    rows = text_threads_visible_to(request.user)
    rows = rows.select_related("client__brand", "client__book", "client__owner", "brand", "discarded_by")
    return get_object_or_404(rows, pk=thread_id)


@staff_page("clients.view_client")
def thread(request: UserRequest, thread_id: int) -> HttpResponse:
    """Show a conversation, every view of which is logged; one of an unknown number with whom it may be from."""
    row = _thread(request, thread_id)
    access_log.note(
        user=request.user,
        kind=AccessKind.VIEW,
        target=f"clients.textthread:{row.pk}",
        client_id=row.client_id,
        brand_id=row.brand_id,
        in_book=is_in_own_book(request.user, row.client) if row.client is not None else None,
    )
    context: dict[str, Any] = {
        "thread": row,
        "client": row.client,
        "number": _opened(row),
        "sees_contacts": sees_contacts(request.user) or row.client is None,
        "items": _items(row),
        "opt_out": numbers.opt_out_of(row.brand_id, row.channel, bytes(row.number_mark)) if row.number_mark else None,
        "may_write": row.client is not None and bool(can(request.user, row.client, messages_policies.WRITES)),
        "may_lift": bool(messages_policies.can_lift(request.user, row.brand_id)),
        "form": ReasonForm(),
    }
    if row.client is None:
        query, is_searched, clients = found_clients(request, target="unassigned_texts", brand_id=row.brand_id)
        context |= {"query": query, "is_searched": is_searched, "clients": clients}
    return render(request, "clients/texting/thread.html", context)


def _items(row: TextThread) -> list[tuple[object, str]]:
    """List the newest messages of a conversation with their texts, the oldest first."""
    rows = list(
        row.messages.select_related("sender").prefetch_related("attachments").order_by("-created_at", "-pk")[:SHOWN_MAX]
    )
    return [(message, _opened(message)) for message in reversed(rows)]


def _opened(row: object) -> str:
    try:
        return str(row.opened)  # type: ignore[attr-defined]
    except KeyDestroyed:
        return _("Erased at the client's request.")


@staff_page("clients.view_client")
def text_file(request: UserRequest, file_id: int) -> HttpResponseBase:
    """Download a file that came with a message; every download is logged."""
    rows = text_files_visible_to(request.user).select_related("message__thread__client")
    row = get_object_or_404(rows, pk=file_id)
    thread = row.message.thread
    return download_file(request, row, "clients.textfile", thread.client, thread.brand_id)


@require_safe
def text_file_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Hand a message's file to the service that sends it: while it does, for some minutes; each time is logged."""
    row = sent_files.file_behind(token)
    if row is None:
        raise Http404
    thread = row.message.thread
    return download_file(
        request,
        row,
        "clients.textfile",
        thread.client,
        thread.brand_id,
        reason=f"fetched by {row.message.service}",
        content_type=row.content_type,
    )


@require_POST
@staff_page(messages_policies.WRITES)
def thread_close(request: UserRequest, thread_id: int) -> HttpResponseBase:
    """Note that a conversation needs no reply."""
    row = _thread(request, thread_id)
    run_action(
        request,
        lambda: incoming.close_thread(thread_id=row.pk, actor=request.user),
        _("Conversation marked as done."),
        show_forbidden=True,
    )
    return redirect(row.get_absolute_url())


@staff_page(messages_policies.LIFTS)
def thread_opt_out(request: UserRequest, thread_id: int) -> HttpResponseBase:
    """Send a number no more messages, or let it get them again."""
    row = _thread(request, thread_id)
    mark = bytes(row.number_mark) if row.number_mark else b""
    is_out = numbers.opt_out_of(row.brand_id, row.channel, mark) is not None
    form = ReasonForm(request.POST or None)
    return dialogs.run(
        request,
        form,
        lambda: numbers.change_opt_out(thread_id=row.pk, actor=request.user, reason=form.cleaned_data["reason"]),
        url=row.get_absolute_url(),
        success_message=_("The number gets messages again.") if is_out else _("The number gets no more messages."),
        title=_("Let this number get messages again") if is_out else _("Send this number no more messages"),
        submit=_("Lift opt-out") if is_out else _("Stop messages"),
    )


@require_POST
@staff_page(messages_policies.ASSIGNS)
def thread_assign(request: UserRequest, thread_id: int, client_id: int) -> HttpResponseBase:
    """Assign an unknown number's messages to a client."""
    row = _thread(request, thread_id)
    run_action(
        request,
        lambda: incoming.assign_thread(thread_id=row.pk, client_id=client_id, actor=request.user),
        _("Messages assigned."),
        show_forbidden=True,
    )
    return redirect(row.get_absolute_url())


@require_POST
@staff_page(messages_policies.ASSIGNS)
def thread_discard(request: UserRequest, thread_id: int) -> HttpResponseBase:
    """Take an unknown number's messages off the queue, or put them back."""
    row = _thread(request, thread_id)
    if row.discarded_at is not None:
        run_action(
            request,
            lambda: incoming.restore_thread(thread_id=row.pk, actor=request.user),
            _("Messages are in the queue again."),
        )
        return redirect(row.get_absolute_url())
    reason = request.POST.get("reason", "")[:300]
    done = run_action(
        request,
        lambda: incoming.discard_thread(thread_id=row.pk, actor=request.user, reason=reason),
        _("Messages discarded."),
    )
    return redirect("unassigned_texts") if done else redirect(row.get_absolute_url())


# ── services ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@staff_page(policies.READS)
def text_event(request: UserRequest, event_id: int) -> HttpResponse:
    """Show a webhook as it was received; every view is logged."""
    return connections.message_page(request, PAGES, _event(request.user, event_id))


@require_POST
@staff_page(policies.READS)
def text_event_retry(request: UserRequest, event_id: int) -> HttpResponseBase:
    """Process an unmatched report again."""
    return connections.retry_page(
        request, _event(request.user, event_id), lambda pk: hearing.retry_event(event_id=pk, actor=request.user)
    )


def _event(user: User, event_id: int) -> TextEvent | None:
    return (
        text_events_visible_to(user)
        .select_related("connection", "text_message__thread__client")
        .filter(pk=event_id)
        .first()
    )
