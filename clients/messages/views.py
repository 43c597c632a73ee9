"""Pages of e-mail: threads, unknown senders, attachments, mailboxes and the suppression list."""

from __future__ import annotations

from typing import Any, Final

from csp.decorators import csp as csp_override
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from clients.mail import preview_of, undo_message
from clients.messages import drafts, files, incoming, policies, setup, suppression, unsubscribing
from clients.messages.choices import IncomingState
from clients.messages.forms import MailboxForm, ReasonForm, SuppressionForm
from clients.messages.forwarded import is_forward
from clients.messages.queries import (
    attachments_visible_to,
    mail_visible_to,
    sent_files_visible_to,
    suppressions_visible_to,
    threads_visible_to,
)
from clients.messages.threads import item_of, items_of
from clients.models import Client, IncomingMail, MailAttachment, MailThread, Message, SentAttachment, TextFile
from clients.policies import can
from clients.queries import clients_visible_to, get_client, is_in_own_book
from clients.record.access import log_access
from clients.views import dialogs
from clients.views.choose_client import found_clients
from crm.choices import AccessKind
from crm.connections import views as connections
from crm.errors import DomainError
from crm.models import User
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.security.crypto import KeyDestroyed
from crm.security.sealed_files import FileDamaged, FileMissing
from crm.staff.company import brands_to_set_up
from crm.ui import panels
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

# A mail program's frame: nothing that runs, nothing from elsewhere, no pictures at all.
FRAME_POLICY: Final = {"default-src": ["'none'"], "frame-ancestors": ["'self'"], "sandbox": ["allow-popups"]}
PAGES: Final = connections.ConnectionPages(
    kind=setup.MailboxApproval,
    form=MailboxForm,
    list_name="mailboxes",
    name="mailbox",
    key="mailbox_id",
    proposes=setup.propose_mailbox,
    tests=setup.test_mailbox,
    webhook="",
    messages_path="",
    reads=policies.SETS_UP,
    templates="clients/messages",
    icon="mail",
    title=gettext_lazy("E-mail accounts"),
    subtitle=gettext_lazy("E-mail accounts that clients write to, per brand"),
    propose=gettext_lazy("Propose e-mail account"),
    messages_title="",
    checks_path="/mail/unassigned/",
    checks_title=gettext_lazy("Unassigned e-mails"),
    steps=(
        gettext_lazy("New e-mails are read every minute; nothing is changed or deleted in the account."),
        gettext_lazy("Replies to our e-mails come to this address, with a mark that joins them to their thread."),
    ),
    unmatched="",
)


# ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _thread(request: UserRequest, thread_id: int) -> MailThread:
    rows = threads_visible_to(request.user).select_related("client__brand", "client__book", "client__owner")
    return get_object_or_404(rows, pk=thread_id)


@staff_page("clients.view_client")
def thread(request: UserRequest, thread_id: int) -> HttpResponse:
    """Show a thread; every view is logged."""
    row = _thread(request, thread_id)
    log_access(request.user, row.client, f"clients.mailthread:{row.pk}")
    context = {
        "thread": row,
        "client": row.client,
        "items": items_of(row),
        "may_write": bool(can(request.user, row.client, policies.WRITES)),
        "cards": panels.cards_html(request, "mail_thread", row),
    }
    return render(request, "clients/messages/thread.html", context)


@require_POST
@staff_page(policies.WRITES)
def thread_close(request: UserRequest, thread_id: int) -> HttpResponseBase:
    """Note that a thread needs no reply."""
    row = _thread(request, thread_id)
    run_action(
        request,
        lambda: incoming.close_thread(thread_id=row.pk, actor=request.user),
        _("Thread marked as done."),
        show_forbidden=True,
    )
    return redirect(row.get_absolute_url())


# ── one incoming e-mail ──────────────────────────────────────────────────────────────────────────────────────────────


def _mail(request: UserRequest, mail_id: int) -> IncomingMail:
    rows = mail_visible_to(request.user).select_related("brand", "client", "decided_by").prefetch_related("attachments")
    return get_object_or_404(rows, pk=mail_id)


@staff_page("clients.view_client")
def mail(request: UserRequest, mail_id: int) -> HttpResponseBase:
    """Show an e-mail without a client, with whom it may be from; one with a client is shown in its thread."""
    row = _mail(request, mail_id)
    if row.thread_id is not None:
        return redirect("mail_thread", row.thread_id)
    query, is_searched, clients = found_clients(request, target="unassigned_mail", brand_id=row.brand_id)
    access_log.note(
        user=request.user, kind=AccessKind.VIEW, target=f"clients.incomingmail:{row.pk}", brand_id=row.brand_id
    )
    context = {
        "mail": row,
        "item": item_of(row),
        "query": query,
        "is_searched": is_searched,
        "clients": clients,
        "suggested": incoming.client_of_address(row.brand_id, row.from_address),
        "is_open": row.state == IncomingState.UNASSIGNED,
        "form": ReasonForm(),
    }
    return render(request, "clients/messages/mail.html", context)


@require_POST
@staff_page(policies.ASSIGNS)
def mail_assign(request: UserRequest, mail_id: int, client_id: int) -> HttpResponseBase:
    """Assign an e-mail to a client."""
    row = _mail(request, mail_id)
    done = run_action(
        request,
        lambda: incoming.assign_mail(mail_id=row.pk, client_id=client_id, actor=request.user),
        _("E-mail assigned."),
        show_forbidden=True,
    )
    return redirect("mail_thread", done.result.thread_id) if done else redirect(row.get_absolute_url())


@require_POST
@staff_page(policies.ASSIGNS)
def mail_discard(request: UserRequest, mail_id: int) -> HttpResponseBase:
    """Take an e-mail off the queue, or put it back."""
    row = _mail(request, mail_id)
    if row.state == IncomingState.DISCARDED:
        run_action(
            request,
            lambda: incoming.restore_mail(mail_id=row.pk, actor=request.user),
            _("E-mail is in the queue again."),
        )
        return redirect(row.get_absolute_url())
    reason = request.POST.get("reason", "")[:300]
    done = run_action(
        request,
        lambda: incoming.discard_mail(mail_id=row.pk, actor=request.user, reason=reason),
        _("E-mail discarded."),
    )
    return redirect("unassigned_mail") if done else redirect(row.get_absolute_url())


@csp_override(FRAME_POLICY)
@xframe_options_sameorigin
@staff_page("clients.view_client")
def mail_frame(request: UserRequest, mail_id: int) -> HttpResponse:
    """Serve the cleaned HTML of an e-mail for a frame."""
    row = _mail(request, mail_id)
    try:
        page = row.body["html"]
    except KeyDestroyed:
        raise Http404 from None
    return render(request, "clients/messages/frame.html", {"page": page, "mail": row})


@staff_page("clients.view_client")
def attachment(request: UserRequest, attachment_id: int) -> HttpResponseBase:
    """Download a file that came with an e-mail; every download is logged."""
    rows = attachments_visible_to(request.user).select_related("mail__client")
    row = get_object_or_404(rows, pk=attachment_id)
    return download_file(request, row, "clients.mailattachment", row.mail.client, row.mail.brand_id)


@staff_page("clients.view_client")
def sent_file(request: UserRequest, file_id: int) -> HttpResponseBase:
    """Download a file that was sent with an e-mail; every download is logged."""
    rows = sent_files_visible_to(request.user).select_related("message__client")
    row = get_object_or_404(rows, pk=file_id)
    client = row.message.client
    return download_file(request, row, "clients.sentattachment", client, client.brand_id)


def download_file(
    request: HttpRequest,
    row: MailAttachment | SentAttachment | TextFile,
    target: str,
    client: Client | None,
    brand_id: int,
    *,
    reason: str = "",
    content_type: str = "application/octet-stream",
) -> HttpResponseBase:
    """Stream a file that is kept under a client's key, as a download that no browser opens; note it in the access log.

    reason: of a download without a sign-in, by a service that was given the address.
    """
    user = request.user if isinstance(request.user, User) else None
    pieces = files.stream(row)
    try:
        first = next(pieces, b"")
    except (FileDamaged, FileMissing, KeyDestroyed):
        raise Http404 from None
    access_log.note(
        user=user if not reason else None,
        kind=AccessKind.DOWNLOAD,
        target=f"{target}:{row.pk}",
        client_id=client.pk if client is not None else None,
        brand_id=brand_id,
        in_book=is_in_own_book(user, client) if client is not None and user is not None else None,
        reason=reason,
    )
    response = StreamingHttpResponse(_chained(first, pieces), content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, row.name) or "attachment"
    response["Content-Length"] = str(row.size_bytes)
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _chained(first: bytes, rest: Any) -> Any:
    yield first
    yield from rest


# ── ours ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_POST
@staff_page(policies.WRITES)
def mail_undo(request: UserRequest, message_id: int) -> HttpResponseBase:
    """Take one's own e-mail back before it is sent."""
    rows = Message.objects.filter(client__in=clients_visible_to(request.user), sender=request.user)
    row = get_object_or_404(rows.select_related("client", "thread"), pk=message_id)
    run_action(
        request,
        lambda: undo_message(message_id=row.pk, actor=request.user),
        _("E-mail not forwarded.") if is_forward(row) else _("E-mail not sent. Its text is kept as a draft."),
        show_forbidden=True,
    )
    return redirect(row.thread.get_absolute_url() if row.thread is not None else row.client.get_absolute_url())


@require_POST
@staff_page(policies.WRITES)
def mail_draft(request: UserRequest, client_id: int) -> HttpResponse:
    """Keep what is being typed; nothing is shown."""
    client = get_client(request.user, client_id)
    thread_id = request.GET.get("thread", "")
    thread = MailThread.objects.filter(client=client, pk=thread_id).first() if is_whole(thread_id) else None
    drafts.keep_draft(
        request.user,
        client.pk,
        subject=request.POST.get("subject", ""),
        message=request.POST.get("message", ""),
        thread_id=thread.pk if thread is not None else None,
    )
    return HttpResponse(status=204)


@require_POST
@staff_page(policies.WRITES)
def mail_preview(request: UserRequest, client_id: int) -> HttpResponse:
    """Show an e-mail as the client would get it."""
    client = get_client(request.user, client_id)
    given = {name: request.POST.get(name, "")[:10_000] for name in ("template", "subject", "message")}
    done = run_action(request, lambda: preview_of(client, **given), unshown=DomainError)
    context = {"preview": done.result, "refusal": done.message}
    return render(request, "clients/messages/_preview.html", context, status=200 if done else 422)


@csrf_exempt
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Unsubscribe from marketing: a mail program POSTs (RFC 8058); a person sees a page with a button first."""
    message = unsubscribing.message_of(token)
    if message is None:
        raise Http404
    request.brand = message.client.brand  # type: ignore[attr-defined]
    is_done = request.method == "POST"
    if is_done:
        unsubscribing.unsubscribe(message.pk)
    return render(request, "clients/messages/unsubscribe.html", {"is_done": is_done, "brand": message.client.brand})


# ── suppression list ─────────────────────────────────────────────────────────────────────────────────────────────────


@staff_page(policies.LIFTS)
def suppression_new(request: UserRequest) -> HttpResponseBase:
    """Have a brand no longer e-mail an address."""
    form = SuppressionForm(
        request.POST or None, brands=brands_to_set_up(request.user).filter(archived_at=None).order_by("name")
    )

    def do() -> None:
        entered = form.cleaned_data
        suppression.add_suppression(
            brand_id=entered["brand"].pk, address=entered["address"], actor=request.user, reason=entered["reason"]
        )

    return dialogs.run(
        request,
        form,
        do,
        url="/mail/suppressions/",
        success_message=_("Address added."),
        title=_("Suppress e-mail address"),
        submit=_("Suppress address"),
    )


@staff_page(policies.LIFTS)
def suppression_lift(request: UserRequest, suppression_id: int) -> HttpResponseBase:
    """Let a brand e-mail an address again."""
    row = get_object_or_404(suppressions_visible_to(request.user), pk=suppression_id)
    form = ReasonForm(request.POST or None)

    def do() -> None:
        suppression.lift_suppression(suppression_id=row.pk, actor=request.user, reason=form.cleaned_data["reason"])

    return dialogs.run(
        request,
        form,
        do,
        url="/mail/suppressions/",
        success_message=_("Address may be written to again."),
        title=_("Lift suppression of %(address)s") % {"address": row.address},
        submit=_("Lift suppression"),
    )
