"""Pages of segments: one with who entered and left, the form, and the lists' "Add to list"."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db.models import Count, Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from clients.custom_fields.registry import SeenVocabulary
from clients.models import Client, Segment, SegmentMember
from clients.models.segments import SegmentKind
from clients.queries import clients_visible_to
from clients.segments import verbs
from clients.segments.forms import SegmentForm
from clients.segments.policies import RIGHT, can_manage, sees_size, segments_visible_to
from clients.views import dialogs
from crm.brand_policies import Policy
from crm.brand_policies.registry import all_policies, today
from crm.choices import AccessKind
from crm.db.prepared import ByKey
from crm.errors import DomainError
from crm.i18n import formats
from crm.models import User
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.security.policies import on_whole_brand
from crm.staff.policy_changes import address_of
from crm.ui.actions import run_action
from crm.ui.conditions import sentence_of
from crm.ui.panels import cards_html
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

SHOWN: Final = 15
MOVES_DAYS: Final = 30
CARD_SEGMENTS: Final = 10


def segment_of(request: UserRequest, segment_id: int) -> Segment:
    """Read a segment that the user may see. Raises: Http404."""
    return get_object_or_404(segments_visible_to(request.user).select_related("brand", "created_by"), pk=segment_id)


@staff_page("clients.view_client")
def segment(request: UserRequest, segment_id: int) -> HttpResponse:
    """Show a segment: its conditions in words, how many are in it, and who entered and left it last among those in reach."""
    row = segment_of(request, segment_id)
    visible = clients_visible_to(request.user)
    spells = SegmentMember.objects.filter(segment=row, client__in=visible).select_related("client")
    spells = spells.defer("client__search_text")
    entered = list(spells.filter(is_initial=False).order_by("-entered_at", "-id")[:SHOWN])
    left = list(spells.filter(left_at__isnull=False).order_by("-left_at", "-id")[:SHOWN])
    access_log.note(
        user=request.user,
        kind=AccessKind.SEARCH,
        target="segment",
        rows=len({spell.client_id for spell in (*entered, *left)}),
        reason=row.name,
    )
    context: dict[str, Any] = {
        "segment": row,
        "sentence": sentence_of(row.condition, SeenVocabulary(request.user)) if row.is_rule else "",
        "size": row.size if sees_size(request.user, row.brand_id) else None,
        "entered": entered,
        "left": left,
        "may_manage": bool(can_manage(request.user, row.brand_id)),
        "cards": cards_html(request, "segment", row),
        "policies": _policies_of(request.user, row),
    }
    if context["size"] is not None:
        since = timezone.now() - dt.timedelta(days=MOVES_DAYS)
        context["moves"] = SegmentMember.objects.filter(
            Q(entered_at__gte=since) | Q(left_at__gte=since), segment=row
        ).aggregate(
            entered=Count("id", filter=Q(entered_at__gte=since, is_initial=False)),
            left=Count("id", filter=Q(left_at__gte=since)),
        )
    return render(request, "clients/segments/segment.html", context)


def _policies_of(user: User, row: Segment) -> list[tuple[Policy[Any], str, str]]:
    """List the policies with a value of the segment's own today: each with that value and, for those who may see it, its page."""
    found = []
    for policy in (policy.for_segment(row.pk) for policy in all_policies() if policy.per_segment):
        if own := policy.own(row.brand, today(row.brand)):
            sees = user.has_perm("crm.propose_policies") and on_whole_brand(user, policy.right, row.brand_id)
            url = address_of(row.brand_id, policy.key, row.pk) if sees else ""
            found.append((policy, policy.kind.show(own[1], row.brand), url))
    return found


@staff_page(RIGHT)
def segment_new(request: UserRequest) -> HttpResponse:
    """Make a segment; `?conditions=` are those of the list that somebody came from."""
    given = {"condition": request.GET["conditions"]} if request.GET.get("conditions") else {}
    form = SegmentForm(request.POST or None, user=request.user, initial=given)

    def create() -> Segment:
        return verbs.create_segment(brand_id=form.cleaned_data["brand"].pk, actor=request.user, **form.details())

    if request.method == "POST" and (done := run_action(request, create, _("Segment created."), form=form)):
        return redirect("segment", segment_id=done.result.pk)
    context = {"form": form, "segment": None}
    return render(request, "clients/segments/edit.html", context, status=422 if form.errors else 200)


@staff_page(RIGHT)
def segment_edit(request: UserRequest, segment_id: int) -> HttpResponse:
    """Change a segment's name, description and conditions."""
    row = segment_of(request, segment_id)
    form = SegmentForm(request.POST or None, user=request.user, segment=row)

    def change() -> Segment:
        return verbs.change_segment(segment_id=row.pk, actor=request.user, **form.details())

    if request.method == "POST" and run_action(request, change, _("Segment changed."), form=form):
        return redirect("segment", segment_id=row.pk)
    context = {"form": form, "segment": row}
    return render(request, "clients/segments/edit.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page(RIGHT)
def segment_do(request: UserRequest, segment_id: int, action: str) -> HttpResponseBase:
    """Archive or restore a segment, or take a record off a fixed list."""
    row = segment_of(request, segment_id)
    if action == "remove":
        number = request.POST.get("client", "")
        ids = [int(number)] if is_whole(number) and len(number) < 18 else []
        run_action(
            request,
            lambda: verbs.remove_members(segment_id=row.pk, client_ids=ids, actor=request.user),
            _("Removed from the list."),
        )
    elif action in ("archive", "restore"):
        run_action(
            request,
            lambda: verbs.archive_segment(segment_id=row.pk, actor=request.user, is_archived=action == "archive"),
            _("Segment archived.") if action == "archive" else _("Segment restored."),
        )
    else:
        raise Http404
    return dialogs.back(request, row.get_absolute_url())


@require_POST
@staff_page(RIGHT)
def add_many(request: UserRequest) -> HttpResponseBase:
    """Put the selected clients on a fixed list: the list's bulk action."""
    from clients.tables import ClientTable

    number = request.POST.get("segment", "")

    def do() -> int:
        if not is_whole(number) or len(number) > 17:
            raise DomainError(_("Choose a list."))
        row = segment_of(request, int(number))
        ids = list(ClientTable.selected(request).values_list("pk", flat=True))
        return verbs.add_members(segment_id=row.pk, client_ids=ids, actor=request.user)

    run_action(
        request,
        do,
        lambda added: (
            ngettext("%(count)s record added to the list.", "%(count)s records added to the list.", added)
            % {"count": formats.number(added)}
        ),
        show_forbidden=True,
    )
    return dialogs.back(request, "/clients/")


_SPELLS: Final = ByKey(
    lambda: (
        SegmentMember.objects.filter(left_at=None, segment__archived_at=None)
        .select_related("segment")
        .order_by("-entered_at")
    ),
    "client_id",
    most=CARD_SEGMENTS,
)


def segments_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """List the segments that a record is in; None, so no card, where it is in none."""
    spells = _SPELLS.all(client_id=client.pk)
    if not spells:
        return None
    may_manage = bool(can_manage(request.user, client.brand_id))
    return {"client": client, "spells": spells, "may_manage": may_manage, "fixed": SegmentKind.LIST}
