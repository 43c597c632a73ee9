"""What people do with work on any queue: claim, take over, return, undo, comment, assign; and who did how much."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from crm import work
from crm.choices import AccessKind, WorkPriority
from crm.models import User, WorkItem
from crm.money.numbers import is_whole
from crm.security import access_log, crypto
from crm.security.sealed_files import FileDamaged, FileMissing
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import StaffView, reload_page, staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from crm.work.assigning import AT_ONCE_MAX, RIGHT, assignees
from crm.work.entries import content_of, text_of
from crm.work.queries import Work, figures, get_file, get_work, work_of

LAST_DECISION, LAST_DECISIONS = "work_last_decision", "work_last_decisions"


def remember(request: HttpRequest, item_id: int | None) -> None:
    """Keep in the session what was decided last, so that the next page offers to undo it."""
    request.session[LAST_DECISION] = item_id


def remember_all(request: HttpRequest, item_ids: list[int]) -> None:
    """Keep what was decided in one step, so that the next page offers to undo each."""
    request.session[LAST_DECISIONS] = item_ids


def all_undoable(request: UserRequest) -> list[Work]:
    """List what this session decided in one step and this person can still undo."""
    found = [work_of(request.user, item_id) for item_id in request.session.get(LAST_DECISIONS, ())]
    left = [row for row in found if row is not None and row.undo_seconds > 0]
    if not left:
        request.session.pop(LAST_DECISIONS, None)
    return left


def undoable(request: UserRequest) -> Work | None:
    """Find this session's last decision while this person can undo it."""
    decided = work_of(request.user, request.session.get(LAST_DECISION))
    if decided is not None and decided.undo_seconds > 0:
        return decided
    request.session.pop(LAST_DECISION, None)
    return None


@require_POST
@staff_page()
def act(request: UserRequest, item_id: int, act: str) -> HttpResponseBase:
    """Claim an item, return it, take it over from a colleague, or undo one's decision."""
    shown, user = get_work(request.user, item_id), request.user
    verbs: dict[str, Any] = {
        "claim": lambda: work.claim(item_id=item_id, actor=user),
        "release": lambda: work.release(item_id=item_id, actor=user),
        "take-over": lambda: work.take_over(item_id=item_id, actor=user, reason=request.POST.get("reason", "")[:300]),
        "undo": lambda: work.undo(item_id=item_id, actor=user),
    }
    if act not in verbs:
        raise Http404
    done = run_action(request, verbs[act], show_forbidden=True)
    if done and act == "undo":
        messages.info(request, _("Decision undone. Nothing was sent."))
    return redirect(shown.kind.queue_url if done and act == "release" else shown.url)


@require_POST
@staff_page()
def extend(request: UserRequest, item_id: int) -> HttpResponse:
    """Keep the claim while the page is open: 204, with a reload when it was lost."""
    get_work(request.user, item_id)
    is_held = work.extend(item_id=item_id, actor=request.user)
    return HttpResponse(status=204) if is_held else reload_page()


class ClaimNext(StaffView):
    """Claim what is next in a queue and open it. An app subclasses it with its kind, right and text."""

    kind: ClassVar[work.WorkKind[Any]]
    empty: ClassVar[Any] = gettext_lazy("There is nothing unclaimed in this queue.")

    def post(self, request: UserRequest) -> HttpResponse:
        done = run_action(request, lambda: work.claim_next(self.kind, actor=request.user))
        if done.result is not None:
            return redirect(self.kind.url(self.kind.subject(done.result)))
        if done:
            messages.info(request, str(self.empty))
        return redirect(self.kind.queue_url)


@takes_files
@require_POST
@staff_page()
def comment(request: UserRequest, item_id: int) -> HttpResponse:
    """Add a comment or a file. What was typed comes back with the refusal."""
    shown, file = get_work(request.user, item_id), request.FILES.get("file")
    text = request.POST.get("text", "")
    done = run_action(
        request,
        lambda: work.comment(
            item_id=item_id, actor=request.user, text=text, file=file, name=(file.name or "") if file else ""
        ),
        _("Comment added."),
        show_forbidden=True,
    )
    if not done:
        return render(request, "crm/work/comment.html", {"work": shown, "typed": text}, status=422)
    return redirect(shown.url)


@staff_page()
def attachment(request: UserRequest, entry_id: int) -> HttpResponseBase:
    """Download an attached file; the access is logged before the first byte."""
    shown, entry = get_file(request.user, entry_id)
    item = shown.item
    access_log.note(
        user=request.user,
        kind=AccessKind.DOWNLOAD,
        client_id=item.client_id,
        brand_id=item.brand_id,
        target=f"crm.work_file:{entry.pk}",
    )
    content = content_of(entry)
    try:
        first = next(content)  # what can't be opened is found out before the answer begins
    except (FileMissing, FileDamaged, crypto.KeyDestroyed):
        raise Http404 from None
    response = StreamingHttpResponse(itertools.chain([first], content), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, text_of(entry) or "file")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


class AssignForm(forms.Form):
    """To whom, or how urgent."""

    to = forms.ModelChoiceField(
        label=gettext_lazy("Assign to"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Unassigned"),
    )
    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        choices=[("", gettext_lazy("Unchanged")), *WorkPriority.choices],
        coerce=int,
        required=False,
        empty_value=None,
    )


@require_POST
@staff_page(RIGHT)
def assign(request: UserRequest) -> HttpResponse:
    """Preview an assignment of one or many items, then do it."""
    ids = [int(pk) for pk in request.POST.getlist("items")[:AT_ONCE_MAX] if is_whole(pk)]
    return assign_page(request, ids)


def assign_page(request: UserRequest, item_ids: list[int]) -> HttpResponse:
    """Show what is about to be assigned; with `preview`, who can't get what; with `confirm`, assign it."""
    step = request.POST.get("step", "")
    lines = work.plan(item_ids=item_ids, user=request.user)
    if not lines:
        messages.info(request, _("None of these items is open any more. Reload the page."))
        return redirect("work_statistics")
    form = AssignForm(request.POST if step else None)
    form.fields["to"].queryset = assignees([line.item for line in lines])  # type: ignore[attr-defined]
    if step and form.is_valid():
        to, priority = form.cleaned_data["to"], form.cleaned_data["priority"]
        lines = work.plan(item_ids=item_ids, user=request.user, to=to)
        if step == "confirm" and _assign(request, [line.item for line in lines], to, priority):
            return redirect(work.kind_of(lines[0].item).queue_url)
    ready = [line for line in lines if not line.problem]
    context = {"form": form, "lines": lines, "ready": len(ready), "is_checked": bool(step) and form.is_valid()}
    return render(request, "crm/work/assign.html", context)


def _assign(request: UserRequest, items: list[WorkItem], to: User | None, priority: int | None) -> bool:
    ids = [item.pk for item in items]
    if priority is not None and not run_action(
        request, lambda: work.set_priority(item_ids=ids, priority=priority, actor=request.user)
    ):
        return False
    return bool(
        run_action(
            request,
            lambda: work.assign(item_ids=ids, to_id=to.pk if to else None, actor=request.user),
            lambda done: (
                ngettext("%(count)s item assigned.", "%(count)s items assigned.", len(done)) % {"count": len(done)}
            ),
        )
    )


class AssignSelected(StaffView):
    """Take the selected rows of a queue's table to the preview. An app subclasses it with its table."""

    table: ClassVar[type[Table]]
    permission = RIGHT

    def post(self, request: UserRequest) -> HttpResponse:
        ids = self.table.selected(request).filter(work__isnull=False).values_list("work", flat=True)
        return assign_page(request, list(ids[:AT_ONCE_MAX]))


@staff_page(RIGHT)
def statistics(request: UserRequest) -> HttpResponse:
    """Show what each officer decided, how long it took, how much was late, and what was taken over."""
    code = request.GET.get("kind", "")
    kinds = [kind for kind in work.all_kinds() if kind.visible_to(request.user).exists()]
    code = code if code in {kind.code for kind in kinds} else ""
    chosen = next((kind for kind in kinds if kind.code == code), None)
    context = {
        "rows": figures(request.user, code=code),
        "kinds": kinds,
        "current": code,
        "further": chosen.further_labels() if chosen else [],
    }
    return render(request, "crm/work/statistics.html", context)
