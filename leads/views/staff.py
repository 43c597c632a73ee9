"""What sales does with leads: the board, a step along the pipeline, assigning, inviting, entering one by hand."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from clients.choices import SalesStatus
from clients.filters import owners_in_reach
from clients.models import Client
from clients.queries import get_client
from clients.telephony.dial_views import start_from
from clients.telephony.queries import phone_calls_visible_to
from clients.views import dialogs
from clients.views.page import note_part
from crm.errors import DomainError
from crm.models import Book
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest, list_of_origin
from leads import invitations, queries
from leads.assignment import assign_leads
from leads.capture import Capture, Captured, capture_lead
from leads.choices import Channel
from leads.forms import LeadForm, StatusForm
from leads.panels import lead_card
from leads.pipeline import change_sales_status
from leads.tables import LeadTable


@staff_page("leads.view_lead")
def board(request: UserRequest) -> HttpResponse:
    """Show the pipeline as columns; `?owner=` shows one agent's."""
    owner = request.GET.get("owner", "")
    context = {
        "columns": queries.board(request.user, owner_id=int(owner) if is_whole(owner) else None),
        "owners": owners_in_reach(request)[:500],
        "owner": owner,
        "can_move": request.user.has_perm("leads.change_sales_status"),
    }
    return render(request, "leads/_board.html" if wants_fragment(request) else "leads/board.html", context)


@staff_page("leads.change_sales_status")
@require_POST
def board_move(request: UserRequest) -> HttpResponseBase:
    """Move a card that was dropped on another column, and show the board as it is then, with the refusal if there is one."""
    client_id = request.POST.get("client", "")
    client = get_client(request.user, int(client_id) if is_whole(client_id) else 0)
    to = request.POST.get("to", "")

    def move() -> Client:
        if to not in SalesStatus.values:
            raise DomainError(_("Choose a status."))
        return change_sales_status(client_id=client.pk, to=SalesStatus(to), actor=request.user)

    done = run_action(request, move)
    if not wants_fragment(request):
        return redirect("leads_board")
    request.GET = request.POST  # the filter of the board comes along
    response = board(request)
    response.status_code = 200 if done else 422
    return response


@staff_page("leads.change_sales_status")
@require_POST
def status(request: UserRequest, client_id: int) -> HttpResponseBase:
    """Move a lead along the pipeline from the client's page. A refusal is shown on the card, beside what was typed."""
    client = get_client(request.user, client_id)
    form = StatusForm(request.POST)

    def change() -> Client:
        to, reason = SalesStatus(form.cleaned_data["to"]), form.cleaned_data["reason"]
        return change_sales_status(client_id=client.pk, to=to, actor=request.user, reason=reason)

    done = run_action(
        request,
        change,
        lambda changed: _("Status: %(status)s") % {"status": changed.get_sales_status_display()},
        form=form,
    )
    context = None if done else lead_card(request, get_client(request.user, client_id))
    if context is not None and wants_fragment(request):
        return render(request, "leads/_card.html", {**context, "client": client, "status_form": form}, status=422)
    for errors in form.errors.values():
        messages.error(request, " ".join(str(error) for error in errors))
    return dialogs.back(request, client.get_absolute_url())


@staff_page("leads.view_lead")
@require_safe
def card(request: UserRequest, client_id: int) -> HttpResponse:
    """Refresh the lead's card on the client's page and the status beside the name, after something moved while it was open."""
    client = get_client(request.user, client_id)
    context = lead_card(request, client)
    if context is None:
        raise Http404
    note_part(request, client, "lead")
    return render(request, "leads/_card_again.html", {**context, "client": client})


@staff_page("leads.send_invitation")
@require_POST
def invite(request: UserRequest, client_id: int) -> HttpResponseBase:
    client = get_client(request.user, client_id)
    run_action(
        request, lambda: invitations.invite(client_id=client.pk, actor=request.user), _("Registration link sent.")
    )
    return dialogs.back(request, client.get_absolute_url())


@staff_page("leads.assign_lead")
@require_POST
def assign(request: UserRequest) -> HttpResponseBase:
    """Assign the leads selected in the list to one agent. A refusal is shown on the list, with its filters."""
    agent_id = request.POST.get("agent", "")

    def assign_selected() -> int:
        if not is_whole(agent_id):
            raise DomainError(_("Choose who gets these leads."))
        ids = list(LeadTable.selected(request).values_list("pk", flat=True))
        return assign_leads(client_ids=ids, agent_id=int(agent_id), actor=request.user)

    done = run_action(
        request,
        assign_selected,
        lambda count: ngettext("%(count)s lead assigned.", "%(count)s leads assigned.", count) % {"count": count},
    )
    return dialogs.back(request, "/leads/" if done else list_of_origin(request) or "/leads/")


def caller_of(request: UserRequest) -> dict[str, object]:
    """Read the number of the unknown caller whom a new lead is entered for."""
    call_id = request.GET.get("caller", "")
    calls = phone_calls_visible_to(request.user).filter(client=None).select_related("exchange")
    call = calls.filter(pk=int(call_id)).first() if is_whole(call_id) else None
    return {"phone": call.number, "brand": call.exchange.brand_id} if call is not None else {}


@staff_page("clients.log_call")
@require_POST
def dial(request: UserRequest) -> HttpResponseBase:
    """Call the selected leads one after the other: the list's bulk action."""
    return start_from(request, LeadTable.selected(request), back="leads")


@staff_page("leads.add_lead")
def new(request: UserRequest) -> HttpResponseBase:
    """Enter a lead by hand. Someone known is shown instead of made again; an agent keeps whom they enter."""
    if request.POST.get("refill"):  # another brand was chosen: the same entries, with that brand's custom fields
        return _show_new(request, LeadForm(initial=request.POST.dict(), actor=request.user), 200)
    form = LeadForm(request.POST or None, initial=caller_of(request), actor=request.user)

    def capture() -> Captured:
        custom, data = form.values_by_key(), dict(form.cleaned_data)
        brand, keep, campaign = data.pop("brand"), data.pop("keep"), data.pop("campaign")
        own = (
            Book.objects.filter(owner=request.user, brand=brand, is_pool=False, archived_at=None).order_by("pk").first()
        )
        return capture_lead(
            brand=brand,
            actor=request.user,
            keep_with=own if keep else None,
            capture=Capture(channel=Channel.MANUAL, campaign=campaign.code if campaign else "", custom=custom, **data),
        )

    done = run_action(request, capture, form=form, show_forbidden=True)
    if done:
        client = get_client_or_none(request, done.result.client.pk)
        message = (
            _("We already know this person. The enquiry was added to their record.")
            if done.result.is_duplicate
            else _("Lead added.")
        )
        if client is None:
            message = _("Lead added and assigned to a colleague.")
        return dialogs.done(request, client.get_absolute_url() if client else "/leads/", message)
    return _show_new(request, form, 422 if request.method == "POST" else 200)


def _show_new(request: UserRequest, form: LeadForm, status: int) -> HttpResponse:
    return dialogs.show(
        request, form, url="/leads/", title=_("Add lead"), submit=_("Add lead"), status=status, wide=True
    )


def get_client_or_none(request: UserRequest, client_id: int) -> Client | None:
    from clients.queries import clients_visible_to

    return clients_visible_to(request.user).filter(pk=client_id).first()
