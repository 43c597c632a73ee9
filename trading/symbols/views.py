"""Symbols of all servers, and which of ours they are."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.security.policies import require_permission
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from trading.models import PlatformChange, SymbolInfo
from trading.symbols import mapping, past_mappings
from trading.symbols.forms import CorrectMappingForm, LeaveOutForm, MapSymbolForm
from trading.symbols.tables import SymbolTable

CHANGES_SHOWN, EARLIER_SHOWN = 50, 20


class ConfirmSymbols(StaffView):
    """Confirm the proposals of the chosen symbols."""

    permission = mapping.MAPS

    def post(self, request: UserRequest) -> HttpResponse:
        ids = list(SymbolTable.selected(request).values_list("pk", flat=True))
        done = run_action(
            request, lambda: mapping.confirm(info_ids=ids, actor=request.user), self._mapped, show_forbidden=True
        )
        if done and done.result.left:
            messages.warning(
                request,
                ngettext(
                    "%(n)s symbol wasn't mapped: it has no proposal or a different contract size. Open it.",
                    "%(n)s symbols weren't mapped: they have no proposal or a different contract size. Open "
                    "them one by one.",
                    done.result.left,
                )
                % {"n": done.result.left},
            )
        # Back to the same list: the filters are in the query that the list sent along.
        filters = QueryDict(request.POST.get("query", "")).urlencode()
        return redirect(f"{reverse('trading_symbols')}?{filters}" if filters else "trading_symbols")

    @staticmethod
    def _mapped(confirmed: mapping.Confirmed) -> str:
        """Report how many were mapped; empty where none was."""
        if not confirmed.mapped:
            return ""
        return ngettext("%(n)s symbol mapped.", "%(n)s symbols mapped.", confirmed.mapped) % {"n": confirmed.mapped}


class SymbolPage(StaffView):
    """One symbol of one server: its figures, its mapping, and how both changed."""

    permission = "trading.view_symbolalias"

    def get(self, request: HttpRequest, info_id: int) -> HttpResponse:
        info = self._info(info_id)
        return self._page(request, info, MapSymbolForm(info=info))

    def post(self, request: UserRequest, info_id: int) -> HttpResponse:
        require_permission(request.user, mapping.MAPS)
        info = self._info(info_id)
        form = MapSymbolForm(request.POST, info=info)
        done = run_action(
            request,
            lambda: mapping.map_symbol(info_id=info.pk, actor=request.user, **form.cleaned_data),
            _("Symbol mapped. Waiting deals are counted now."),
            form=form,
            show_forbidden=True,
        )
        if done:
            _alias, job = done.result
            return redirect("job", pk=job.pk) if job else redirect("trading_symbols")
        return self._page(request, info, form)

    @staticmethod
    def _info(info_id: int) -> SymbolInfo:
        return get_object_or_404(
            SymbolInfo.objects.select_related("server", "alias__symbol", "alias__decided_by"), pk=info_id
        )

    @staticmethod
    def _page(request: HttpRequest, info: SymbolInfo, form: MapSymbolForm) -> HttpResponse:
        asked = request.GET.get("past", "")
        shown = past_mappings.preview(info, int(asked)) if asked.isdecimal() and len(asked) < 19 else None
        waiting = SymbolInfo.objects.filter(symbol_group="", name__gt=info.name).order_by("name", "pk").first()
        context = {
            "info": info,
            "alias": getattr(info, "alias", None),
            "form": form,
            "following": waiting,
            "earlier": past_mappings.earlier(info)[:EARLIER_SHOWN],
            "preview": shown,
            "correct_form": CorrectMappingForm(initial={"past": shown.past.pk}) if shown else None,
            "changes": PlatformChange.objects.filter(server=info.server, kind="symbol", name=info.name)[:CHANGES_SHOWN],
        }
        return render(request, "trading/symbols/symbol.html", context, status=422 if form.errors else 200)


class CorrectMapping(StaffView):
    """Let trades under an earlier mapping count by today's, as the page has previewed."""

    permission = mapping.MAPS

    def post(self, request: UserRequest, info_id: int) -> HttpResponse:
        info = get_object_or_404(SymbolInfo, pk=info_id)
        form = CorrectMappingForm(request.POST)
        given = form.cleaned_data if form.is_valid() else {}
        run_action(
            request,
            lambda: past_mappings.correct(
                info_id=info.pk, past_id=given.get("past", 0), actor=request.user, note=given.get("note", "")
            ),
            _("Mapping corrected. Commissions of the last days follow tonight. Run a replay for older days."),
            show_forbidden=True,
        )
        return redirect("trading_symbol", info.pk)


class LeaveOutSymbol(StaffView):
    """Reject a proposal, with a note."""

    permission = mapping.MAPS

    def post(self, request: UserRequest, info_id: int) -> HttpResponse:
        info = get_object_or_404(SymbolInfo, pk=info_id)
        form = LeaveOutForm(request.POST)
        run_action(
            request,
            lambda: mapping.leave_out(
                info_id=info.pk, actor=request.user, note=form.cleaned_data["note"] if form.is_valid() else ""
            ),
            _("Proposal rejected. The symbol stays unmapped."),
            show_forbidden=True,
        )
        return redirect("trading_symbol", info.pk)
