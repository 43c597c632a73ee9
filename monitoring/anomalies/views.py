"""The queue of anomalies and the page of one."""

from __future__ import annotations

import datetime as dt

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.choices import AccessKind
from crm.pages.work import AssignSelected
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.charts import Chart, Series
from crm.ui.views import StaffView, TableView, may_open
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from monitoring.anomalies.forms import AnomalyForm
from monitoring.anomalies.queue import SEES, can_decide_anomaly, decide_anomaly, earlier_of, get_anomaly
from monitoring.anomalies.sentences import facts_of, figure, how_rare, in_words, over, subject_of, subject_url
from monitoring.anomalies.signals import SIGNALS, Form, Signal
from monitoring.anomalies.tables import AnomalyTable
from monitoring.choices import Watched
from monitoring.models import Anomaly


class AnomalyList(TableView):
    table = AnomalyTable


class AssignAnomalies(AssignSelected):
    table = AnomalyTable


class AnomalyPage(StaffView):
    """One anomaly: what was seen, what was expected, how rare, its course, how earlier ones ended, and the decision."""

    permission = SEES

    def get(self, request: UserRequest, anomaly_id: int) -> HttpResponse:
        row = get_anomaly(request.user, anomaly_id)
        if row.client_id is not None:
            access_log.note(
                user=request.user,
                kind=AccessKind.VIEW,
                brand_id=row.brand_id,
                client_id=row.client_id,
                target=f"monitoring.anomaly:{row.pk}",
            )
        return self._page(request, row, AnomalyForm())

    def post(self, request: UserRequest, anomaly_id: int) -> HttpResponse:
        row = get_anomaly(request.user, anomaly_id)
        form = AnomalyForm(request.POST)
        done = run_action(
            request,
            lambda: decide_anomaly(anomaly_id=row.pk, actor=request.user, **form.cleaned_data),
            _("Decision recorded."),
            form=form,
            show_forbidden=True,
        )
        return redirect(row) if done else self._page(request, row, form)

    @staticmethod
    def _page(request: UserRequest, row: Anomaly, form: AnomalyForm) -> HttpResponse:
        signal = SIGNALS[Watched(row.signal)]
        url = subject_url(row)
        context = {
            "anomaly": row,
            "signal": signal,
            "subject": subject_of(row),
            "subject_url": url if may_open(request.user, url) else "",
            "sentence": in_words(facts_of(row)),
            "rare": how_rare(row.probability, is_service=signal.is_service),
            **_figures(row, signal),
            "chart": course_of(row, signal),
            "earlier": earlier_of(row, reader=request.user),
            "work": work_of(request.user, row.work_id),
            "may_decide": can_decide_anomaly(request.user, row),
            "form": form,
        }
        return render(request, "monitoring/anomaly.html", context)


def _figures(row: Anomaly, signal: Signal) -> dict[str, str]:
    whole = row.trials if signal.is_ratio and row.trials else 1
    names = ("observed", "expected", "low", "high")
    texts = {name: figure(signal.form, getattr(row, name) / whole, row.brand.base_currency) for name in names}
    return {**texts, "over": over(signal.is_service, row.slots)}


def course_of(row: Anomaly, signal: Signal) -> Chart:
    """Draw the figures up to the anomaly; shares in per cent, averages in seconds."""
    step = dt.timedelta(minutes=10) if signal.is_service else dt.timedelta(days=1)
    factor = {Form.SHARE: 100.0, Form.AVERAGE: 0.1}.get(signal.form, 1.0)
    unit = {
        Form.SHARE: "%",
        Form.AVERAGE: "s",
        Form.AGE: "s",
        Form.MONEY: row.brand.base_currency,
        Form.LOTS: _("lots"),
    }.get(signal.form, "")
    last = row.first_at if signal.is_service else row.first_at - step
    moments = [last - step * (len(row.course) - 1 - n) for n in range(len(row.course))]
    values = [None if value is None else round(value * factor, 2) for value in row.course]
    return Chart(
        id="course",
        x=moments if signal.is_service else [moment.date() for moment in moments],
        series=[Series(row.get_signal_display(), values, kind="bars", unit=unit, decimals=1)],
    )
