"""The queue of possible duplicates: merge side by side, or note that two records aren't the same person."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.loader import get_template
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.merging.forms import UndoForm
from clients.merging.merge import RIGHT
from clients.merging.views import merge_url
from clients.views import dialogs
from crm.models import Brand
from crm.security.scope import reach_of
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, NumberColumn, QuickFilter, Table
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from leads import dedupe
from leads.choices import DuplicateState
from leads.duplicates.deciding import dismiss_duplicate, pairs_visible_to, reopen_duplicate
from leads.models import PossibleDuplicate

URL = "/leads/duplicates/"


class DuplicateFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=DuplicateState.choices)
    household = django_filters.BooleanFilter(field_name="is_household", label=gettext_lazy("Household"))
    brand = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Brand"), queryset=lambda request: Brand.objects.filter(pk__in=reach_of(request.user).brands)
    )

    class Meta:
        model = PossibleDuplicate
        fields: tuple[str, ...] = ()


class DuplicateTable(Table):
    """Pairs of which the reader sees both records; the open ones unless a state is asked for."""

    name, title, permission = "possible-duplicates", gettext_lazy("Possible duplicates"), RIGHT
    filterset, default_order = DuplicateFilter, "-points"
    columns = [
        Column("pair", gettext_lazy("Records"), value="id", render=lambda row, _table: _records(row), place="name"),
        NumberColumn("points", gettext_lazy("Points"), sort=True, digits=0),
        Column("reasons", gettext_lazy("What they share"), render=lambda row, _table: _reasons(row), css="wrap"),
        Column("kind", gettext_lazy("Kind"), value="is_household", render=lambda row, _table: _kind(row)),
        BadgeColumn("state", gettext_lazy("State")),
        AgoColumn("found_at", gettext_lazy("Found")),
        Column("decided_by", gettext_lazy("By"), hidden=True),
        Column("reason", gettext_lazy("Reason"), hidden=True),
        Column("act", "", value="id", render=lambda row, _table: _actions(row), css="nowrap end"),
    ]
    quick_filters = [
        QuickFilter(gettext_lazy("One person?"), {"state": DuplicateState.OPEN, "household": "false"}),
        QuickFilter(gettext_lazy("Households"), {"state": DuplicateState.OPEN, "household": "true"}),
        QuickFilter(gettext_lazy("Not the same person"), {"state": DuplicateState.DISMISSED}),
    ]
    empty = Empty(
        gettext_lazy("No possible duplicates"),
        gettext_lazy("Records that share an e-mail address, phone, device or name and date of birth appear here."),
        icon="merge",
    )

    def queryset(self) -> QuerySet[PossibleDuplicate]:
        rows = pairs_visible_to(self.user).select_related("first", "second", "brand", "decided_by")
        if self.params.get("state") == DuplicateState.MERGED:
            return rows
        rows = rows.filter(first__merged_into=None, second__merged_into=None)
        return rows if self.params.get("state") else rows.filter(state=DuplicateState.OPEN)

    def row_url(self, row: PossibleDuplicate) -> str:
        is_mergeable = row.state == DuplicateState.OPEN and not row.is_household
        return merge_url(row.first, row.second) if is_mergeable else row.first.get_absolute_url()


def _records(row: PossibleDuplicate) -> str:
    return get_template("leads/duplicates/_records.html").render({"clients": [row.first, row.second]})


def _reasons(row: PossibleDuplicate) -> str:
    return " · ".join(dedupe.explain(row.reasons))


def _kind(row: PossibleDuplicate) -> str:
    return _("Household") if row.is_household else _("One person?")


def _actions(row: PossibleDuplicate) -> str:
    if row.state == DuplicateState.MERGED:
        return ""
    is_open = row.state == DuplicateState.OPEN
    name, label = (
        ("possible_duplicate_dismiss", _("Not the same person"))
        if is_open
        else ("possible_duplicate_reopen", _("Reopen"))
    )
    context = {
        "merge_url": merge_url(row.first, row.second) if is_open and not row.is_household else "",
        "dialog": reverse(name, args=[row.pk]),
        "label": label,
    }
    return get_template("leads/duplicates/_actions.html").render(context)


def _visible(request: UserRequest, pair_id: int) -> PossibleDuplicate:
    pair: PossibleDuplicate = get_object_or_404(pairs_visible_to(request.user), pk=pair_id)
    return pair


@staff_page(RIGHT)
def dismiss(request: UserRequest, pair_id: int) -> HttpResponseBase:
    """Note, with a reason, that two records aren't the same person."""
    pair = _visible(request, pair_id)
    form = UndoForm(request.POST or None)
    return dialogs.run(
        request,
        form,
        lambda: dismiss_duplicate(pair_id=pair.pk, actor=request.user, reason=form.cleaned_data["reason"]),
        url=URL,
        success_message=_("Noted as not the same person."),
        submit=_("Save"),
        title=_("#%(first)s and #%(second)s aren't the same person") % _numbers(pair),
    )


@staff_page(RIGHT)
def reopen(request: UserRequest, pair_id: int) -> HttpResponseBase:
    """Put a pair back into the queue."""
    pair = _visible(request, pair_id)
    return dialogs.run(
        request,
        forms.Form(request.POST or None),
        lambda: reopen_duplicate(pair_id=pair.pk, actor=request.user),
        url=URL,
        success_message=_("Reopened."),
        submit=_("Reopen"),
        title=_("Reopen #%(first)s and #%(second)s") % _numbers(pair),
    )


def _numbers(pair: PossibleDuplicate) -> dict[str, Any]:
    return {"first": pair.first_id, "second": pair.second_id}
