"""Merging two records side by side, undoing it, and the card that leads to what was merged."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from clients import policies
from clients.merging.attachments import counted
from clients.merging.forms import MergeForm, UndoForm
from clients.merging.merge import RIGHT, merge_clients, obstacle, undo_merge
from clients.models import Client, ClientMerge
from clients.queries import clients_visible_to, get_client
from clients.views import dialogs
from clients.views.choose_client import found_clients
from clients.views.page import note_view
from crm.db.prepared import ByKey
from crm.ui.actions import run_action
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest

MOST_SHOWN = 10


@staff_page(RIGHT)
def merge_choose(request: UserRequest, client_id: int) -> HttpResponse:
    """Search the other record of the same person."""
    client = get_client(request.user, client_id)
    query, is_searched, clients = found_clients(request, target="merge", brand_id=client.brand_id)
    context = {
        "entry": SimpleNamespace(label=_("Merge #%(number)s") % {"number": client.pk}, is_dialog=False),
        "query": query,
        "is_searched": is_searched,
        "rows": [(row, merge_url(client, row)) for row in clients if row.pk != client.pk],
        "action": reverse("client_merge_choose", args=[client.pk]),
    }
    template = "clients/_choose_client.html" if wants_fragment(request) else "clients/choose_client.html"
    return render(request, template, context)


def merge_url(client: Client, other: Client) -> str:
    """Lead to the two side by side; who has registered is the one that is kept."""
    kept, merged = (other, client) if client.stage == "lead" != other.stage else (client, other)
    return reverse("client_merge", args=[kept.pk, merged.pk])


@staff_page(RIGHT)
def merge(request: UserRequest, client_id: int, other_id: int) -> HttpResponseBase:
    """Show two records side by side with a choice per field and what follows, and merge them. Both are logged as viewed."""
    kept, merged = get_client(request.user, client_id), get_client(request.user, other_id)
    if kept.pk == merged.pk:
        raise Http404
    for client in (kept, merged):
        policies.require(policies.can_merge(request.user, client))
    refusal = obstacle(kept, merged)
    form = MergeForm(request.POST or None, kept=kept, merged=merged, actor=request.user)

    def do() -> ClientMerge:
        data = form.cleaned_data
        return merge_clients(
            kept_id=kept.pk,
            merged_id=merged.pk,
            actor=request.user,
            taken=form.taken(),
            seen=data["seen"],
            reason=data["reason"],
        )

    wrong = request.method == "POST"
    if wrong and run_action(request, do, _("Records merged."), form=form):
        return redirect(kept.get_absolute_url())
    for client in (kept, merged):
        note_view(request, client, "merge")
    context = {
        "kept": kept,
        "merged": merged,
        "form": form,
        "refusal": refusal,
        "follows": counted(merged.pk, is_moved=True),
        "stays": counted(merged.pk, is_moved=False),
        "closes": merged.stage == "lead",
    }
    return render(request, "clients/merging/merge.html", context, status=422 if wrong else 200)


@staff_page(RIGHT)
def merge_undo(request: UserRequest, merge_id: int) -> HttpResponseBase:
    """Undo a merge, with a reason."""
    found = ClientMerge.objects.select_related("kept", "merged").filter(pk=merge_id).first()
    if found is None:
        raise Http404
    kept = get_client(request.user, found.kept_id)
    form = UndoForm(request.POST or None)
    return dialogs.run(
        request,
        form,
        lambda: undo_merge(merge_id=found.pk, actor=request.user, reason=form.cleaned_data["reason"]),
        url=kept.get_absolute_url(),
        success_message=_("Merge undone."),
        submit=_("Undo merge"),
        title=_("Undo merge with #%(number)s") % {"number": found.merged_id},
        tone="danger",
    )


_MERGES: Final = ByKey(
    lambda: ClientMerge.objects.filter(undone_at=None).select_related("merged", "merged_by").order_by("-pk"),
    "kept_id",
    most=MOST_SHOWN,
)


def merged_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """List the records that were merged into this one, with what stays on each; None, so no card, without any."""
    merges = _MERGES.all(kept_id=client.pk)
    if not merges:
        return None
    can_undo = bool(policies.can_merge(request.user, client))
    seen = set(
        clients_visible_to(request.user).filter(pk__in=[row.merged_id for row in merges]).values_list("pk", flat=True)
    )
    return {
        "merges": [(row, counted(row.merged_id, is_moved=False), row.merged_id in seen) for row in merges],
        "undoable": merges[0].pk if can_undo and client.merged_into_id is None else None,
    }
