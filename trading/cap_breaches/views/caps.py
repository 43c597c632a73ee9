"""Leverage caps: the lines, ending one, and the accounts above them."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.choices import AccessKind
from crm.files.jobs import start_job
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.security.policies import require_permission
from crm.ui.actions import run_action
from crm.ui.forms import DayInput
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from trading.cap_breaches import breaches, reduction, remedies
from trading.cap_breaches.forms import CapForm
from trading.leverage import account_groups, caps
from trading.models import LeverageCap

LINES_MAX = 500


class EndForm(forms.Form):
    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        widget=DayInput(),
        help_text=gettext_lazy("Yesterday or later. Past days can't be changed."),
    )


class CapsPage(StaffView):
    """Every line with its day and source; what held and what holds."""

    permission = "trading.view_leveragecap"

    def get(self, request: UserRequest) -> HttpResponse:
        return self._page(request, CapForm(initial={"valid_from": timezone.now().date()}))

    def post(self, request: UserRequest) -> HttpResponse:
        require_permission(request.user, caps.CHANGES)
        form = CapForm(request.POST)
        done = run_action(
            request,
            lambda: caps.add_line(actor=request.user, **form.cleaned_data),
            _("Cap added. The previous cap ends the day before."),
            form=form,
            show_forbidden=True,
        )
        if done:
            account_groups.keep_fresh()
            day = max(done.result.valid_from, timezone.now().date())
            count = reduction.count_above(request.user, on=day) or breaches.count_above(request.user, on=day)
            return redirect(f"{reverse('trading_caps_above')}?on={day.isoformat()}" if count else "trading_caps")
        return self._page(request, form)

    @staticmethod
    def _page(request: UserRequest, form: CapForm) -> HttpResponse:
        user = request.user
        today = timezone.now().date()
        lines = list(
            LeverageCap.objects.order_by("authority", "category", "instrument_class", "-valid_from")[:LINES_MAX]
        )
        context = {
            "rows": [
                (line, line.valid_from <= today and (not line.valid_until or line.valid_until >= today))
                for line in lines
            ],
            "form": form if user.has_perm(caps.CHANGES) else None,
            "today": today,
            "above": reduction.count_above(user),
            "classes_above": breaches.count_above(user),
        }
        return render(request, "trading/cap_breaches/caps.html", context, status=422 if form.errors else 200)


class EndLine(StaffView):
    """One line, and its last day."""

    permission = caps.CHANGES

    def get(self, request: HttpRequest, line_id: int) -> HttpResponse:
        line = get_object_or_404(LeverageCap, pk=line_id)
        return self._page(request, line, EndForm(initial={"last_day": line.valid_until or timezone.now().date()}))

    def post(self, request: UserRequest, line_id: int) -> HttpResponse:
        line, form = get_object_or_404(LeverageCap, pk=line_id), EndForm(request.POST)
        if run_action(
            request,
            lambda: caps.end_line(line_id=line.pk, last_day=form.cleaned_data["last_day"], actor=request.user),
            _("Last day of the cap saved."),
            form=form,
            show_forbidden=True,
        ):
            return redirect("trading_caps")
        return self._page(request, line, form)

    @staticmethod
    def _page(request: HttpRequest, line: LeverageCap, form: EndForm) -> HttpResponse:
        context = {"line": line, "form": form}
        return render(request, "trading/cap_breaches/end_cap.html", context, status=422 if form.errors else 200)


class AccountsAbove(StaffView):
    """Accounts above their cap or that of a class, today or on a day to come, with what each would get; lowering them by a job."""

    permission = "trading.view_leveragecap"

    def get(self, request: UserRequest) -> HttpResponse:
        user = request.user
        today = timezone.now().date()
        try:
            day = dt.date.fromisoformat(request.GET["on"]) if request.GET.get("on") else today
        except ValueError:
            raise Http404 from None
        after = request.GET.get("after", "0")
        if not is_whole(after) or len(after) > 18:
            raise Http404
        counted_at = account_groups.keep_fresh()
        rows, page = reduction.accounts_above(user, on=day), breaches.page_above(user, on=day, after=int(after))
        classes = page.rows
        accounts = [*(row.account for row in rows), *(row.account for row in classes)]
        for client_id, brand_id in {one.client_id: one.client.brand_id for one in accounts}.items():
            access_log.note(
                user=user,
                kind=AccessKind.VIEW,
                client_id=client_id,
                brand_id=brand_id,
                target="trading.leveragecap:above",
            )
        context = {
            "classes": classes,
            "class_count": breaches.count_above(user, on=day),
            "following": page.following,
            "is_first": after == "0",
            "preview": remedies.preview(user, on=day),
            "counted_at": counted_at,
            "not_comparable": breaches.not_comparable(user, on=day),
            "rows": rows,
            "day": day,
            "is_today": day == today,
            "count": reduction.count_above(user, on=day),
            "ready": sum(row.is_for_the_job for row in rows),
            "may_lower": user.has_perm(caps.CHANGES),
        }
        return render(request, "trading/cap_breaches/caps_above.html", context)

    def post(self, request: UserRequest) -> HttpResponse:
        user = request.user
        require_permission(user, caps.CHANGES)
        job = start_job("trading.lower_leverage", owner=user)
        return redirect("job", job.pk)


class PutRight(StaffView):
    """What was chosen for sorts of accounts that get more on a class than they may, done by a job."""

    permission = caps.CHANGES

    def post(self, request: UserRequest) -> HttpResponse:
        user = request.user
        offered = {key for sort in remedies.preview(user).sorts for key, _words in sort.options}
        chosen = sorted(offered & set(request.POST.getlist("choice")))
        if not chosen:
            messages.error(request, _("Select a remedy for at least one set of accounts."))
            return redirect(f"{reverse('trading_caps_above')}#classes")
        job = start_job("trading.put_classes_right", owner=user, parameters={"chosen": chosen})
        return redirect("job", job.pk)
