"""What is done to a client from their page: thin, form → verb → back."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from clients import contacts, policies
from clients.books import move_client, move_clients
from clients.calls import log_call
from clients.followups import add_task, complete_task, reopen_task, snooze_task
from clients.forms import CallForm, CloseForm, MailForm, MoveForm, NoteForm, ProfileForm, RevealForm, TaskForm
from clients.mail import write_to_client
from clients.messages import drafts
from clients.messages.sent_files import TOTAL_BYTES_MAX
from clients.messages.uploaded_files import FILES_MAX
from clients.models import Client, MailThread, Note, Task
from clients.notes import add_note, edit_note, pin_note
from clients.profile import change_profile
from clients.queries import clients_visible_to, get_client
from clients.stages import close_client
from clients.views import dialogs
from crm.errors import DomainError
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest, list_of_origin
from crm.web.uploads import takes_files

SNOOZES = {"hour": dt.timedelta(hours=1), "day": dt.timedelta(days=1), "week": dt.timedelta(days=7)}


def _reachable(request: UserRequest, client_id: int) -> Client:
    """Return the client if the user reaches it, else 404. Whether the role may act is the verb's decision."""
    return get_client(request.user, client_id)


@staff_page("clients.log_call")
def call(request: UserRequest, client_id: int) -> HttpResponseBase:
    client = _reachable(request, client_id)
    form = CallForm(request.POST or None)

    def do() -> None:
        log_call(client_id=client.pk, actor=request.user, details=form.details(), follow_up=form.follow_up())

    return dialogs.run(
        request,
        form,
        do,
        url=client.get_absolute_url(),
        success_message=_("Call logged."),
        submit=_("Log call"),
        title=_("Call with %(client)s") % {"client": client},
        body="clients/_call_form.html",
        quick=quick_times(),
    )


def quick_times() -> list[tuple[str, str]]:
    """List (label, local time for the input) of the follow-ups people set most."""
    now = timezone.localtime()
    morning = now.replace(hour=9, minute=30, second=0, microsecond=0)
    times = [(_("In an hour"), now + dt.timedelta(hours=1)), (_("Tomorrow"), morning + dt.timedelta(days=1))]
    times += [(_("In two days"), morning + dt.timedelta(days=2)), (_("In a week"), morning + dt.timedelta(days=7))]
    return [(label, at.strftime("%Y-%m-%dT%H:%M")) for label, at in times]


@staff_page("clients.log_call")
def task_add(request: UserRequest, client_id: int) -> HttpResponseBase:
    client = _reachable(request, client_id)
    form = TaskForm(request.POST or None, client=client, actor=request.user)

    def do() -> None:
        data = form.cleaned_data
        add_task(
            client_id=client.pk,
            actor=request.user,
            title=data["title"],
            due_at=data["due_at"],
            assignee_id=data["assignee"].pk if data["assignee"] else None,
            remind_before_minutes=data["remind_before"],
        )

    return dialogs.run(
        request,
        form,
        do,
        url=client.get_absolute_url(),
        success_message=_("Follow-up scheduled."),
        submit=_("Schedule follow-up"),
        title=_("Follow up with %(client)s") % {"client": client},
        body="clients/_task_form.html",
        quick=quick_times(),
    )


@staff_page("clients.log_call")
@require_POST
def task_change(request: UserRequest, task_id: int) -> HttpResponseBase:
    """Complete, reopen or snooze (`action`), from the day's list or the client's page (`back`)."""
    task = get_object_or_404(
        Task.objects.select_related("client"), pk=task_id, client__in=clients_visible_to(request.user)
    )
    action = request.POST.get("action", "")
    if action == "complete":
        verb, message = partial(complete_task, task_id=task.pk, actor=request.user), _("Done: %(task)s")
    elif action == "reopen":
        verb, message = partial(reopen_task, task_id=task.pk, actor=request.user), _("Reopened: %(task)s")
    elif action in SNOOZES:
        until = timezone.now() + SNOOZES[action]
        verb, message = partial(snooze_task, task_id=task.pk, actor=request.user, until=until), _("Postponed: %(task)s")
    else:
        raise Http404
    if wants_fragment(request):
        done = run_action(request, verb, unshown=DomainError)  # the row says it
        task.refresh_from_db()
        context = {"task": task, "with_client": request.POST.get("with_client") == "1", "refusal": done.message}
        return render(request, "clients/_task.html", context, status=200 if done else 422)
    run_action(request, verb, message % {"task": task.title}, show_forbidden=True)
    back = request.POST.get("back", "")
    return dialogs.back(request, back if back.startswith("/") and not back.startswith("//") else "/my-day/")


@takes_files(files=FILES_MAX, file_bytes_max=TOTAL_BYTES_MAX)
@staff_page("clients.log_call")
def mail_write(request: UserRequest, client_id: int) -> HttpResponseBase:
    client = _reachable(request, client_id)
    thread = _thread(request, client)
    initial = {"template": request.GET.get("template")}
    if thread is not None:
        subject = thread.subject if thread.subject.lower().startswith("re:") else f"Re: {thread.subject}"
        initial = {"template": "clients.free_text", "subject": subject[:160]}
    draft = drafts.draft_of(request.user, client.pk)
    if draft is not None:
        initial = {"template": "clients.free_text", "subject": draft.subject, "message": draft.message}
    form = MailForm(request.POST or None, request.FILES or None, client=client, initial=initial)

    def do() -> None:
        entered = form.cleaned_data
        write_to_client(
            client_id=client.pk,
            actor=request.user,
            thread_id=thread.pk if thread is not None else None,
            template=entered["template"],
            subject=entered["subject"],
            message=entered["message"],
            files=entered["attachments"],
        )

    return dialogs.run(
        request,
        form,
        do,
        url=thread.get_absolute_url() if thread is not None else client.get_absolute_url(),
        success_message=_("E-mail queued. You can undo it for 10 seconds."),
        submit=_("Send e-mail"),
        title=_("E-mail to %(client)s") % {"client": client},
        body="clients/messages/_compose.html",
        query=f"?thread={thread.pk}" if thread is not None else "",
        client=client,
        is_draft=draft is not None,
    )


def _thread(request: UserRequest, client: Client) -> MailThread | None:
    """Read the thread that an e-mail replies in, from the address. Raises: Http404 for one of another client."""
    asked = request.GET.get("thread", "")
    return get_object_or_404(MailThread, pk=asked, client=client) if is_whole(asked) else None


@staff_page("clients.log_call")
def note_add(request: UserRequest, client_id: int) -> HttpResponseBase:
    client = _reachable(request, client_id)
    form = NoteForm(request.POST or None)

    def do() -> None:
        add_note(client_id=client.pk, actor=request.user, **form.cleaned_data)

    return dialogs.run(
        request,
        form,
        do,
        url=client.get_absolute_url(),
        success_message=_("Note saved."),
        title=_("Note"),
        submit=_("Save note"),
    )


def _note(request: UserRequest, note_id: int) -> Note:
    return get_object_or_404(
        Note.objects.select_related("client", "author"), pk=note_id, client__in=clients_visible_to(request.user)
    )


@staff_page("clients.log_call")
def note_edit(request: UserRequest, note_id: int) -> HttpResponseBase:
    note = _note(request, note_id)
    form = NoteForm(request.POST or None, initial={"body": note.body})
    del form.fields["is_pinned"]

    def do() -> None:
        edit_note(note_id=note.pk, actor=request.user, body=form.cleaned_data["body"])

    return dialogs.run(
        request,
        form,
        do,
        url=note.client.get_absolute_url(),
        success_message=_("Note updated."),
        title=_("Edit note"),
        submit=_("Save note"),
    )


@staff_page("clients.view_client")
def note_history(request: UserRequest, note_id: int) -> HttpResponse:
    """Show every version of a note, newest first."""
    note = _note(request, note_id)
    versions = note.versions.select_related("author")[:50]
    template = "clients/_note_history.html" if wants_fragment(request) else "clients/note_history.html"
    return render(request, template, {"note": note, "versions": versions})


@staff_page("clients.log_call")
@require_POST
def note_pin(request: UserRequest, note_id: int) -> HttpResponseBase:
    note = _note(request, note_id)
    is_pinned = request.POST.get("pin") == "1"
    message = _("Note pinned.") if is_pinned else _("Note unpinned.")
    run_action(request, lambda: pin_note(note_id=note.pk, actor=request.user, is_pinned=is_pinned), message)
    return dialogs.back(request, note.client.get_absolute_url())


@staff_page("clients.view_client")
def contact(request: UserRequest, client_id: int) -> HttpResponse:
    """Show phone and e-mail, masked (GET) or revealed for a minute (POST)."""
    client = _reachable(request, client_id)
    shown, form, status = None, None, 200
    asks_why = contacts.needs_reason(request.user, client)
    if request.method == "POST":
        policies.require(policies.can_reveal(request.user, client))
        form = RevealForm(request.POST) if asks_why else None

        def do() -> contacts.Revealed:
            reason = form.cleaned_data["reason"] if form else ""
            return contacts.reveal(client=client, actor=request.user, reason=reason)

        done = run_action(request, do, form=form)
        shown, status = done.result, 200 if done else 422
    context = {
        "client": client,
        "shown": shown,
        "form": form or RevealForm(),
        "asks_why": asks_why,
        "wrong": status == 422,
        "sees_contacts": policies.sees_contacts(request.user),
        "can_reveal": bool(policies.can_reveal(request.user, client)),
    }
    template = "clients/_contact.html" if wants_fragment(request) else "clients/contact_page.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response


@staff_page("clients.change_client")
def profile_edit(request: UserRequest, client_id: int) -> HttpResponseBase:
    client = _reachable(request, client_id)
    form = ProfileForm(request.POST or None, instance=client)
    if not (policies.sees_contacts(request.user) or policies.can_reveal(request.user, client)):
        del form.fields["new_email"], form.fields["new_phone"]

    def do() -> None:
        change_profile(
            client_id=client.pk, actor=request.user, changes=form.changes(), reason=form.cleaned_data["reason"]
        )

    return dialogs.run(
        request,
        form,
        do,
        url=f"/clients/{client_id}/",
        success_message=_("Personal details saved."),
        submit=_("Save"),
        title=_("Personal details"),
        wide=True,
    )


@staff_page("clients.move_client")
def move(request: UserRequest, client_id: int) -> HttpResponseBase:
    client = _reachable(request, client_id)
    form = MoveForm(request.POST or None, client=client, actor=request.user)

    def do() -> None:
        move_client(
            client_id=client.pk,
            to_book_id=form.cleaned_data["book"].pk,
            actor=request.user,
            reason=form.cleaned_data["reason"],
        )

    return dialogs.run(
        request,
        form,
        do,
        url=client.get_absolute_url(),
        success_message=_("Client moved."),
        submit=_("Move client"),
        title=_("Move %(client)s to another book") % {"client": client},
    )


@staff_page("clients.close_client")
def close(request: UserRequest, client_id: int) -> HttpResponseBase:
    client = _reachable(request, client_id)
    form = CloseForm(request.POST or None)

    def do() -> None:
        close_client(client_id=client.pk, actor=request.user, reason=form.cleaned_data["reason"])

    return dialogs.run(
        request,
        form,
        do,
        url=client.get_absolute_url(),
        success_message=_("Record closed."),
        submit=_("Close record"),
        title=_("Close the record of %(client)s") % {"client": client},
        tone="danger",
    )


@staff_page("clients.move_client")
@require_POST
def move_many(request: UserRequest) -> HttpResponseBase:
    """Move the selected clients into one book: the list's bulk action. Refused, it goes back to the same list."""
    from clients.tables import ClientTable

    book_id = request.POST.get("book", "")

    def do() -> list[Client]:
        if not is_whole(book_id):
            raise DomainError(_("Choose a book."))
        ids = list(ClientTable.selected(request).values_list("pk", flat=True))
        return move_clients(client_ids=ids, to_book_id=int(book_id), actor=request.user)

    done = run_action(
        request,
        do,
        lambda moved: (
            ngettext("%(count)s client moved.", "%(count)s clients moved.", len(moved)) % {"count": len(moved)}
        ),
        show_forbidden=True,
    )
    return dialogs.back(request, "/clients/" if done else list_of_origin(request) or "/clients/")
