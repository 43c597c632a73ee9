"""Execution books: the list, proposing one for a client or for many after a preview, and the card on the client's page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from crm.approvals.queries import proposal_of
from crm.choices import AccessKind, ApprovalState
from crm.i18n import formats
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import StaffView, TableView, staff_page
from crm.web.requests import UserRequest
from risk.dealing import day_result
from risk.dealing.forms import RoutingForm, ShockForm
from risk.dealing.routing import (
    AT_ONCE_MAX,
    HISTORY_SHOWN,
    RIGHT,
    cases_of,
    page_of,
    plan,
    propose_routing,
    propose_routing_for,
    routings_visible_to,
    share_text,
)
from risk.dealing.shock import choices_of, sees_shock, what_if
from risk.dealing.tables import DayResultTable, RoutingTable
from trading.risk.dealing import brands_of


class RoutingList(TableView):
    table, template_name = RoutingTable, "risk/dealing/routing.html"


class ProposeRouting(StaffView):
    """A form for one client, or for many with a preview first. Clients out of reach are left out."""

    permission = RIGHT

    def get(self, request: UserRequest) -> HttpResponse:
        return self._page(request, self._asked(request.GET.getlist("client")))

    def post(self, request: UserRequest) -> HttpResponse:
        step = request.POST.get("step", "")
        if not step:  # from a list of rows that are selected
            rows = RoutingTable.selected(request).values_list("client_id", flat=True)
            return self._page(request, list(dict.fromkeys(rows))[:AT_ONCE_MAX])
        asked = self._asked(request.POST.getlist("client"))
        form = RoutingForm(request.POST, cases=self._cases(request, asked))
        if step == "choose" or (step == "preview" and len(asked) > 1):
            return self._page(request, asked, form if step == "preview" else None, is_preview=form.is_valid())
        done = run_action(request, lambda: self._propose(request, asked, form), form=form, show_forbidden=True)
        if not done:
            return self._page(request, asked, form)
        return redirect(page_of(done.result[0].client) if len(asked) == 1 else "risk_routing")

    @staticmethod
    def _propose(request: UserRequest, asked: list[int], form: RoutingForm) -> list[Any]:
        given: dict[str, Any] = {**form.cleaned_data, "actor": request.user}
        if len(asked) == 1:
            return [propose_routing(client_id=asked[0], **given)]
        return propose_routing_for(client_ids=asked, **given)

    @staticmethod
    def _asked(given: list[str]) -> list[int]:
        return list(dict.fromkeys(int(pk) for pk in given if is_whole(pk)))[:AT_ONCE_MAX]

    @staticmethod
    def _cases(request: UserRequest, asked: list[int]) -> list[Any] | None:
        return list(cases_of(request.user, asked[0])[:20]) if len(asked) == 1 else None

    def _page(
        self, request: UserRequest, asked: list[int], form: RoutingForm | None = None, *, is_preview: bool = False
    ) -> HttpResponse:
        is_preview = is_preview and form is not None and len(asked) > 1
        given = form.cleaned_data if form is not None and is_preview else {}
        lines = plan(
            client_ids=asked, user=request.user, book=given.get("book", ""), passed_percent=given.get("passed_percent")
        )
        if not lines:
            raise Http404
        asked = [line.client.pk for line in lines]
        count = sum(not line.problem for line in lines)
        context = {
            "lines": [(line, share_text(line.now) if line.now else "") for line in lines],
            "form": form or RoutingForm(cases=self._cases(request, asked)),
            "client": lines[0].client if len(lines) == 1 else None,
            "count": count,
            "is_preview": is_preview,
            "sentence": ngettext(
                "The book is proposed for %(count)s of %(all)s selected client.",
                "The book is proposed for %(count)s of %(all)s selected clients.",
                len(lines),
            )
            % {"count": formats.number(count), "all": formats.number(len(lines))},
        }
        failed = form is not None and not is_preview
        return render(request, "risk/dealing/propose.html", context, status=422 if failed else 200)


@staff_page(sees_shock)
def shock_page(request: UserRequest) -> HttpResponse:
    """Show what a price move would do to a brand's open positions. The view is logged with how many accounts it showed."""
    brands = brands_of(request.user)
    brand = next((row for row in brands if row.code == request.GET.get("brand")), brands[0] if brands else None)
    context: dict[str, Any] = {"brands": brands, "brand": brand}
    if brand is not None:
        symbols, currencies = choices_of(request.user, brand)
        asked = request.GET if "percent" in request.GET else None
        form = ShockForm(asked, symbols=symbols, currencies=currencies)
        result = what_if(request.user, brand, form.shock) if asked is not None and form.is_valid() else None
        access_log.note(
            user=request.user,
            kind=AccessKind.SEARCH,
            target="risk.price_shock",
            brand_id=brand.pk,
            rows=len(result.hits) if result else 0,
        )
        context |= {"form": form, "result": result}
    return render(request, "risk/dealing/shock.html", context)


class DayResultList(TableView):
    table, template_name = DayResultTable, "risk/dealing/day_results.html"


@staff_page(day_result.SEES)
def day_result_page(request: UserRequest, alert_id: int) -> HttpResponse:
    """Show one alert with the positions that made it. The view is logged."""
    alert = day_result.alerts_visible_to(request.user).select_related("brand").filter(pk=alert_id).first()
    if alert is None:
        raise Http404
    access_log.note(
        user=request.user,
        kind=AccessKind.SEARCH,
        target="risk.day_result",
        brand_id=alert.brand_id,
        rows=len(alert.positions),
    )
    positions = [{**row, "lots": Decimal(row["lots"]), "floating": Decimal(row["floating"])} for row in alert.positions]
    return render(request, "risk/dealing/day_result.html", {"alert": alert, "positions": positions})


def routing_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """Show the book in force, what awaits approval, and the dated history; None where there is nothing to see or propose."""
    rows = routings_visible_to(request.user).filter(client=client)
    rows = rows.select_related("client__brand", "episode", "requested_by", "decided_by")
    found = list(rows.order_by("-pk")[:HISTORY_SHOWN])
    may_propose = request.user.has_perm(RIGHT)
    if not found and not may_propose:
        return None
    decided = sorted(
        (row for row in found if row.state == ApprovalState.APPROVED and row.decided_at),
        key=lambda row: (row.decided_at, row.pk),
        reverse=True,
    )
    waiting = next((row for row in found if row.state == ApprovalState.PENDING), None)
    return {
        "client": client,
        "page": page_of(client),
        "now": decided[0] if decided else None,
        "share": share_text(decided[0]) if decided else _("None recorded"),
        "history": [(row, share_text(row)) for row in decided[1:]],
        "proposal": proposal_of(waiting, request.user) if waiting else None,
        "may_propose": may_propose and waiting is None,
    }
