"""The page where a desk head sets a month's targets: the desk and its agents down, the figures across."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.models import Desk, User
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from reports import figures, targets
from reports.choices import WHOLE_NUMBERS, TargetFigure
from reports.targets import VALUE_MAX, Cell

MONTHS_AHEAD, MONTHS_BACK = 2, 6


class TargetsForm(forms.Form):
    """A field for each person and figure; an empty one has no target."""

    def __init__(self, *args: Any, desk: Desk, agents: list[User], there: dict[Cell, Decimal], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cells: dict[str, Cell] = {}
        self.lines: list[tuple[str, bool, list[str]]] = []
        people: list[tuple[int | None, str]] = [(None, desk.name), *((agent.pk, str(agent)) for agent in agents)]
        for agent_id, name in people:
            names = [self._field(agent_id, name, figure, there) for figure in TargetFigure]
            self.lines.append((name, agent_id is None, names))

    def _field(self, agent_id: int | None, name: str, figure: TargetFigure, there: dict[Cell, Decimal]) -> str:
        key = f"t-{agent_id or 'desk'}-{figure.value}"
        whole = figure in WHOLE_NUMBERS
        value = there.get((agent_id, figure.value))
        self.fields[key] = forms.DecimalField(
            required=False,
            min_value=0,
            max_value=VALUE_MAX,
            decimal_places=0 if whole else 2,
            label=f"{name}: {figure.label}",
            initial=value.quantize(Decimal(1)) if value is not None and value == int(value) else value,
            widget=forms.NumberInput(
                attrs={
                    "class": "form-control num",
                    "aria-label": f"{name}: {figure.label}",
                    "step": "1" if whole else "any",
                }
            ),
        )
        self.cells[key] = agent_id, figure.value
        return key

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the lines with their bound fields, for the grid."""
        return [
            {"name": name, "is_desk": is_desk, "fields": [self[key] for key in keys]}
            for name, is_desk, keys in self.lines
        ]

    def values(self) -> dict[Cell, Decimal | None]:
        """Return what was entered; zero counts as no target."""
        return {cell: self.cleaned_data.get(key) or None for key, cell in self.cells.items()}


def _chosen(request: UserRequest) -> tuple[list[Desk], Desk, dt.date]:
    """Return the desks in reach, the chosen one and the chosen month; the first desk and this month by default."""
    desks = list(targets.desks_with_targets(request.user))
    if not desks:
        raise Http404
    asked = request.POST.get("desk") or request.GET.get("desk") or ""
    desk = next((desk for desk in desks if str(desk.pk) == asked), None)
    if desk is None and asked:
        raise Http404
    desk = desk or next((desk for desk in desks if desk.pk == request.user.desk_id), desks[0])
    today = figures.today_of(frozenset({desk.brand_id}))
    return desks, desk, _month(request.POST.get("month") or request.GET.get("month") or "", today)


def _month(text: str, today: dt.date) -> dt.date:
    try:
        month = dt.date.fromisoformat(f"{text[:7]}-01")
    except ValueError:
        return today.replace(day=1)
    return month if month in _months(today) else today.replace(day=1)


def _months(today: dt.date) -> list[dt.date]:
    """List the months that may be chosen: half a year back, two ahead."""
    number = today.year * 12 + today.month - 1
    return [dt.date(month // 12, month % 12 + 1, 1) for month in range(number - MONTHS_BACK, number + MONTHS_AHEAD + 1)]


@require_http_methods(["GET", "POST"])
@staff_page("reports.set_target")
def targets_page(request: UserRequest) -> HttpResponse:
    """Show and save the targets of a desk for a month."""
    desks, desk, month = _chosen(request)
    form = TargetsForm(
        request.POST or None, desk=desk, agents=targets.agents_of(desk), there=targets.targets_of_desk(desk, month)
    )
    if request.method == "POST" and form.is_valid():
        work = lambda: targets.set_targets(  # noqa: E731
            desk_id=desk.pk, month=month, values=form.values(), actor=request.user
        )
        if run_action(request, work, _("Targets saved."), form=form):
            return redirect(_address(desk, month))
    today = figures.today_of(frozenset({desk.brand_id}))
    context = {
        "form": form,
        "desks": desks,
        "desk": desk,
        "month": month,
        "months": _months(today),
        "heads": [
            f"{figure.label} ({desk.brand.base_currency})" if figure == TargetFigure.NET_DEPOSITS else figure.label
            for figure in TargetFigure
        ],
    }
    return render(request, "reports/targets.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page("reports.set_target")
def copy(request: UserRequest) -> HttpResponse:
    """Copy the targets of the month before into the month on screen, where it has none."""
    _desks, desk, month = _chosen(request)
    run_action(
        request,
        lambda: targets.copy_last_month(desk_id=desk.pk, month=month, actor=request.user),
        _("Targets of the month before copied."),
    )
    return redirect(_address(desk, month))


def _address(desk: Desk, month: dt.date) -> str:
    return f"{reverse('reports_targets')}?desk={desk.pk}&month={month:%Y-%m}"
