"""Tasks about partners: the list, setting one for a partner or several, and one task with what came out of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from ib.manager_tasks.forms import DueForm, ResultForm, TaskForm
from ib.manager_tasks.partner_tasks import (
    PARTNERS_MAX,
    add_tasks,
    can_work,
    change_task,
    complete_task,
    tasks_visible_to,
)
from ib.models import Partner, PartnerTask
from ib.queries import partners_visible_to
from ib.tables import PartnerTable


@staff_page("ib.manage_partners")
def new_task(request: UserRequest) -> HttpResponse:
    """Set a task for one partner, or the same for each of those chosen in the list of partners."""
    is_first = "ids" in request.POST or "all" in request.POST
    partners = _partners(request, is_first=is_first)
    if not partners or len({partner.brand_id for partner in partners}) > 1:
        messages.info(request, _("Choose at least one partner, all of one brand."))
        return redirect("ib_partners")
    form = TaskForm(
        None if is_first else request.POST or None, brand_id=partners[0].brand_id, initial={"assignee": request.user.pk}
    )

    def add() -> list[PartnerTask]:
        data = form.cleaned_data
        return add_tasks(
            partner_ids=[partner.pk for partner in partners],
            title=data["title"],
            due_on=data["due_on"],
            assignee_id=data["assignee"].pk,
            actor=request.user,
        )

    if not is_first and run_action(request, add, _("Task added."), form=form, show_forbidden=True):
        return redirect(partners[0] if len(partners) == 1 else "ib_tasks")
    context = {
        "form": form,
        "partners": partners,
        "partner": partners[0] if len(partners) == 1 else None,
        "chosen": ",".join(str(partner.pk) for partner in partners),
    }
    return render(request, "ib/task_form.html", context, status=422 if form.errors else 200)


def _partners(request: UserRequest, *, is_first: bool) -> list[Partner]:
    """Read whom the task is for: those of the list's selection, or the numbers that the form carries."""
    if is_first:
        return list(PartnerTable.selected(request).select_related("brand")[:PARTNERS_MAX])
    given = request.POST.get("partners") or request.GET.get("partner", "")
    ids = [int(pk) for pk in given.split(",")[:PARTNERS_MAX] if is_whole(pk)]
    return list(partners_visible_to(request.user).select_related("brand").filter(pk__in=ids).order_by("pk"))


@staff_page("ib.view_partner")
def task_page(request: UserRequest, task_id: int) -> HttpResponse:
    """Show a task; move it to another day or colleague."""
    task = _visible(request, task_id)
    form = DueForm(
        request.POST or None,
        brand_id=task.partner.brand_id,
        initial={"due_on": task.due_on, "assignee": task.assignee_id},
    )
    if run_action(
        request,
        lambda: change_task(
            task_id=task.pk,
            due_on=form.cleaned_data["due_on"],
            assignee_id=form.cleaned_data["assignee"].pk,
            actor=request.user,
        ),
        _("Saved."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("ib_task", task.pk)
    may_work = task.done_at is None and bool(can_work(request.user, task))
    context = {"task": task, "form": form, "result_form": ResultForm(), "may_work": may_work}
    return render(request, "ib/task.html", context, status=422 if form.errors else 200)


@staff_page("ib.view_partner")
@require_POST
def complete(request: UserRequest, task_id: int) -> HttpResponse:
    """Complete a task with its result; from a partner's page, without one."""
    task = _visible(request, task_id)
    form = ResultForm(request.POST)
    run_action(
        request,
        lambda: complete_task(task_id=task.pk, result=form.cleaned_data["result"], actor=request.user),
        _("Task completed."),
        form=form,
        show_forbidden=True,
    )
    return redirect(task.partner if request.POST.get("from") == "partner" else task)


def _visible(request: UserRequest, task_id: int) -> PartnerTask:
    tasks = tasks_visible_to(request.user).select_related("partner__brand", "assignee", "created_by", "done_by")
    task = tasks.filter(pk=task_id).first()
    if task is None:
        raise Http404
    return task
