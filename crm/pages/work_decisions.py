"""The page on which a person decides many items of a queue in one way: a preview, then the result of each."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm import work
from crm.models import User
from crm.money.numbers import is_whole
from crm.ui.tables import Table
from crm.ui.views import StaffView
from crm.web.requests import UserRequest


class DecideSelected(StaffView):
    """Decide the selected rows of a queue. An app subclasses it with its kind, outcome, form and verb."""

    kind: ClassVar[work.WorkKind[Any]]
    table: ClassVar[type[Table]]
    outcome: ClassVar[str]
    form_class: ClassVar[type[forms.Form]]
    title: ClassVar[Any]
    # Where the person comes from and goes back to; "": the queue.
    back_url: ClassVar[str] = ""

    def decided(self, request: UserRequest, lines: list[work.DecisionLine]) -> None:
        """Follow what was decided, as by offering to undo it."""

    def check(self, subject: Any, data: dict[str, Any]) -> str:
        """Say what is wrong with deciding one subject so; "" where nothing is."""
        return ""

    def decide(self, subject: Any, user: User, data: dict[str, Any]) -> object:
        """Decide one subject with the app's verb."""
        raise NotImplementedError

    def post(self, request: UserRequest) -> HttpResponse:
        step, user, back = request.POST.get("step", ""), request.user, self.back_url or self.kind.queue_url
        if step:
            ids = [int(pk) for pk in request.POST.getlist("items")[: work.DECIDED_AT_ONCE_MAX] if is_whole(pk)]
        else:
            rows = self.table.selected(request).filter(work__isnull=False)
            ids = list(rows.values_list("work", flat=True)[: work.DECIDED_AT_ONCE_MAX])
        form = self.form_class(request.POST if step else None)
        data = form.cleaned_data if step and form.is_valid() else {}
        lines = work.preview_decisions(
            self.kind,
            item_ids=ids,
            user=user,
            outcome=self.outcome,
            check=(lambda subject: self.check(subject, data)) if data else None,
        )
        if not lines:
            messages.info(request, _("None of these items is open any more. Reload the page."))
            return redirect(back)
        if data and step == "confirm":
            lines = work.decide_each(lines, lambda subject: self.decide(subject, user, data))
            self.decided(request, lines)
            if _report(request, lines):
                return redirect(back)
        context = {
            "title": self.title,
            "form": form,
            "lines": lines,
            "ready": sum(not line.problem and not line.is_done for line in lines),
            "is_checked": bool(data),
            "most": work.DECIDED_AT_ONCE_MAX,
            "queue_url": back,
        }
        return render(request, "crm/work/decide.html", context, status=422 if step and not data else 200)


def _report(request: UserRequest, lines: list[work.DecisionLine]) -> bool:
    """Show how many were decided, proposed and refused; True where none was refused."""
    decided = sum(line.is_done and not line.takes_two for line in lines)
    proposed = sum(line.is_done and line.takes_two for line in lines)
    refused = sum(bool(line.problem) for line in lines)
    counts = {"decided": decided, "proposed": proposed, "left_out": refused}
    text = _("Decided: %(decided)s. Proposed for second approval: %(proposed)s. Left out: %(left_out)s.") % counts
    (messages.success if decided or proposed else messages.warning)(request, text)
    return not refused
