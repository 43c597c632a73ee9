"""The pages of monitoring. Each view of somebody's days is itself access-logged."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.queries import clients_visible_to
from crm.choices import AccessKind, ApprovalState
from crm.models import StaffEmployment, User
from crm.security import access_log, audit
from crm.security.policies import require_permission
from crm.security.staff_limits import limits_of
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from monitoring import alerts, watchlist
from monitoring.audit_codes import MonitoringAction
from monitoring.brand_policies import ALERT_BUDGET, ALERT_FIGURES_YEARS, MONITORING_KEPT_DAYS
from monitoring.cards import charts
from monitoring.choices import AlertState, Family, Feature, Verdict, WatchKind
from monitoring.engine.scoring import HISTORY_DAYS, WINDOWS
from monitoring.engine.signals import DRIFTING, FAMILIES, REGISTRY
from monitoring.forms import DecisionForm, ReasonForm, WatchForm
from monitoring.leaving.offboarding import RIGHT as OFFBOARDS
from monitoring.leaving.phases import phases_of
from monitoring.models import AgentDay, Alert, Escalation, Watch
from monitoring.policies import can_decide, can_review, can_watch
from monitoring.queries import (
    UNMASKED,
    agents_visible_to,
    clients_seen,
    evidence,
    get_alert,
    outcomes_of_similar,
    refused_of,
    shown_name,
)
from monitoring.reasons import figures_of, in_words
from monitoring.responses.limits import RIGHT, can_limit
from monitoring.reviewing.explanations import my_questions
from monitoring.reviewing.forms import AnswerForm
from monitoring.tables import AgentTable, AlertTable, WatchTable

EVIDENCE_KINDS = (
    AccessKind.VIEW,
    AccessKind.SEARCH,
    AccessKind.REVEAL,
    AccessKind.EXPORT,
    AccessKind.CALL,
    AccessKind.DOWNLOAD,
    AccessKind.REFUSED,
)


class AlertList(TableView):
    table = AlertTable


class AgentList(TableView):
    table = AgentTable

    def get_context(self, table: Table) -> dict[str, Any]:
        access_log.note(
            user=self.request.user, kind=AccessKind.VIEW, target="monitoring.agents", rows=len(table.page.rows)
        )
        return {}


class WatchList(TableView):
    table = WatchTable
    template_name = "monitoring/watchlist.html"


def _note(request: UserRequest, target: str, *, rows: int = 1) -> None:
    access_log.note(user=request.user, kind=AccessKind.VIEW, target=target, rows=rows)


@staff_page("monitoring.view_alert")
def alert_page(request: UserRequest, alert_id: int) -> HttpResponse:
    """Show one alert: why, the person's own baseline, what the access log holds of the day, and the decision."""
    alert = get_alert(request.user, alert_id)
    _note(request, f"monitoring.alert:{alert.pk}")
    return render(request, "monitoring/alert.html", _alert_context(request, alert, DecisionForm()))


def _alert_context(request: UserRequest, alert: Alert, form: DecisionForm) -> dict[str, Any]:
    features = tuple(dict.fromkeys(Feature(reason["feature"]) for reason in alert.reasons if "feature" in reason)) or (
        Feature.CLIENTS,
    )
    clients, days = clients_seen(alert, reader=request.user)
    return {
        "alert": alert,
        "figures": figures_of(alert.reasons),
        "clients": clients,
        "clients_days": days,
        "phases": phases_of(alert.agent, alert.last_day or alert.day),
        "similar": outcomes_of_similar(alert, reader=request.user),
        "name": shown_name(request, alert.agent),
        "is_masked": shown_name(request, alert.agent) != str(alert.agent),
        "reasons": [in_words(reason) for reason in alert.reasons],
        "charts": charts.charts_of(alert.agent, until=alert.last_day or alert.day, features=features[:2]),
        "counted": AgentDay.objects.filter(agent=alert.agent, day=alert.day).first(),
        "decisions": alert.decisions.select_related("reviewer", "second"),
        "explanations": alert.explanations.select_related("asked_by"),
        "confirmation": alert.confirmations.select_related("requested_by").filter(state=ApprovalState.PENDING).first(),
        "rejected": alert.confirmations.select_related("decided_by").filter(state=ApprovalState.REJECTED).first(),
        "earlier": Alert.objects.filter(agent=alert.agent).exclude(pk=alert.pk).order_by("-day")[:8],
        "form": form,
        "may_review": can_review(request.user, alert),
        "may_decide": can_decide(request.user, alert),
        "is_decided": alert.state == AlertState.DECIDED,
        "kinds": EVIDENCE_KINDS,
        "limits": limits_of(alert.agent).select_related("made_by"),
        "may_limit": request.user.has_perm(RIGHT) and can_limit(request.user, alert.agent),
        "escalation": Escalation.objects.filter(alert=alert).first(),
    }


@staff_page("monitoring.view_alert")
def alert_evidence(request: UserRequest, alert_id: int) -> HttpResponse:
    """Show the day's access log a page at a time; clients' names only where the reviewer sees the client."""
    alert = get_alert(request.user, alert_id)
    kind = request.GET.get("kind", "")
    outside = request.GET.get("outside") == "1"
    page = evidence(
        alert.agent,
        alert.day,
        reader=request.user,
        kind=kind if kind in AccessKind.values else "",
        outside=outside,
        after=request.GET.get("after", ""),
    )
    _note(request, f"monitoring.evidence:{alert.pk}", rows=len(page.rows))
    ids = {row.client_id for row in page.rows if row.client_id}
    names: dict[int | None, str] = {
        client.pk: str(client) for client in clients_visible_to(request.user).filter(pk__in=ids)
    }
    return render(
        request,
        "monitoring/_evidence.html",
        {
            "alert": alert,
            "page": page,
            "kind": kind,
            "outside": outside,
            "is_first": not request.GET.get("after"),
            "rows": [{"event": row, "client": names.get(row.client_id, "")} for row in page.rows],
        },
    )


@staff_page("monitoring.decide_alert")
def take_alert(request: UserRequest, alert_id: int) -> HttpResponse:
    """Take an alert on, or give it back."""
    alert = get_alert(request.user, alert_id)
    verb = alerts.give_back if "back" in request.POST else alerts.take
    if request.method == "POST":
        run_action(request, lambda: verb(alert_id=alert.pk, actor=request.user), show_forbidden=True)
    return redirect(alert)


@staff_page("monitoring.decide_alert")
def decide_alert(request: UserRequest, alert_id: int) -> HttpResponse:
    alert = get_alert(request.user, alert_id)
    if request.method != "POST":
        return redirect(alert)
    form = DecisionForm(request.POST)
    if run_action(
        request,
        lambda: alerts.decide(
            alert_id=alert.pk,
            actor=request.user,
            verdict=Verdict(form.cleaned_data["verdict"]),
            text=form.cleaned_data["text"],
        ),
        lambda decision: _("Decision recorded.") if decision else _("Sent for second approval."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(alert)
    return render(request, "monitoring/alert.html", _alert_context(request, alert, form))


@staff_page("monitoring.view_alert")
def unmask(request: UserRequest, alert_id: int) -> HttpResponse:
    """Reveal the agent's name to those who see pseudonyms, with a reason that is kept."""
    alert = get_alert(request.user, alert_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        access_log.note(
            user=request.user, kind=AccessKind.REVEAL, target=f"monitoring.agent:{alert.agent_id}", reason=reason
        )
        audit.record(
            actor=request.user,
            action=MonitoringAction.AGENT_UNMASKED,
            target=alert,
            brand_id=alert.brand_id,
            reason=reason,
        )
        request.session[UNMASKED] = [*request.session.get(UNMASKED, []), alert.agent_id]
        return redirect(alert)
    return render(
        request,
        "monitoring/form.html",
        {
            "form": form,
            "title": _("Show name"),
            "back": alert.get_absolute_url(),
            "action": _("Show name"),
            "text": _("Your name and reason are recorded."),
        },
    )


@staff_page("monitoring.view_baselines")
def agent_page(request: UserRequest, agent_id: int) -> HttpResponse:
    """Show one person's own usual, feature by feature."""
    agent = agents_visible_to(request.user).select_related("desk").filter(pk=agent_id).first()
    if agent is None:
        raise Http404
    _note(request, f"monitoring.agent:{agent.pk}")
    return render(
        request,
        "monitoring/agent.html",
        {
            "agent": agent,
            "name": shown_name(request, agent),
            "is_me": False,
            "charts": charts.charts_of(agent),
            "refused": refused_of(agent),
            "employment": _employment_of(request, agent),
            "limits": limits_of(agent).select_related("made_by"),
            "may_limit": request.user.has_perm(RIGHT) and can_limit(request.user, agent),
            "alerts": Alert.objects.filter(agent=agent).order_by("-day")[:20]
            if request.user.has_perm("monitoring.view_alert")
            else [],
            "watches": Watch.objects.filter(agent=agent).order_by("-id")[:10]
            if request.user.has_perm("monitoring.manage_watchlist")
            else [],
        },
    )


def _employment_of(request: UserRequest, agent: User) -> StaffEmployment | None:
    """Return the leaver's row where the reader may offboard them, for the link."""
    if not request.user.has_perm(OFFBOARDS):
        return None
    return StaffEmployment.objects.filter(user=agent, leaves_on__isnull=False).first()


@staff_page()
def my_days(request: UserRequest) -> HttpResponse:
    """Show a person their own baseline: what is counted about them, and what is usual for them."""
    _note(request, "monitoring.me")
    return render(
        request,
        "monitoring/agent.html",
        {
            "agent": request.user,
            "name": str(request.user),
            "is_me": True,
            "charts": charts.charts_of(request.user),
            "refused": refused_of(request.user),
            "limits": limits_of(request.user).select_related("made_by"),
            "questions": [(row, AnswerForm(auto_id=f"answer{row.pk}-%s")) for row in my_questions(request.user)],
        },
    )


@staff_page()
def signals_page(request: UserRequest) -> HttpResponse:
    """List every signal with what it counts and out of what: for agents and their representatives."""
    families = [
        (Family(family).label, [signal for signal in REGISTRY.values() if signal.family == family])
        for family in FAMILIES
        if family != Family.DRIFT
    ]
    return render(
        request,
        "monitoring/signals.html",
        {
            "families": families,
            "rising": [feature.label for feature in DRIFTING],
            "windows": WINDOWS,
            "history_days": HISTORY_DAYS,
            "budget": ALERT_BUDGET.of(request.user.brand) if request.user.brand else None,
            "kept_days": MONITORING_KEPT_DAYS.of(request.user.brand)
            if request.user.brand
            else MONITORING_KEPT_DAYS.default,
            "alert_years": ALERT_FIGURES_YEARS.of(request.user.brand)
            if request.user.brand
            else ALERT_FIGURES_YEARS.default,
        },
    )


@staff_page("monitoring.manage_watchlist")
def new_watch(request: UserRequest) -> HttpResponse:
    form = WatchForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if run_action(
            request,
            lambda: watchlist.watch(
                agent_id=data["agent"].pk,
                kind=WatchKind(data["kind"]),
                from_on=data["from_on"],
                to_on=data["to_on"],
                reason=data["reason"],
                actor=request.user,
            ),
            form=form,
            show_forbidden=True,
        ):
            return redirect("monitoring_watchlist")
    return render(
        request,
        "monitoring/form.html",
        {
            "form": form,
            "title": _("Added to the watchlist"),
            "back": reverse("monitoring_watchlist"),
            "action": _("Add to watchlist"),
        },
    )


@staff_page("monitoring.manage_watchlist")
def end_watch(request: UserRequest, pk: int) -> HttpResponse:
    """Show one entry of the watchlist, and take it off before its time."""
    row = (
        Watch.objects.select_related("agent", "made_by")
        .filter(pk=pk, agent__in=agents_visible_to(request.user))
        .first()
    )
    if row is None:
        raise Http404
    require_permission(request.user, "monitoring.manage_watchlist")
    form = ReasonForm(request.POST or None)
    if run_action(
        request,
        lambda: watchlist.end_watch(watch_id=row.pk, actor=request.user, reason=form.cleaned_data["reason"]),
        form=form,
        show_forbidden=True,
    ):
        return redirect("monitoring_watchlist")
    return render(
        request,
        "monitoring/form.html",
        {
            "form": form if row.ended_at is None and can_watch(request.user, row.agent) else None,
            "title": _("%(agent)s: %(kind)s") % {"agent": row.agent, "kind": row.get_kind_display()},
            "text": row.reason,
            "back": reverse("monitoring_watchlist"),
            "action": _("Remove from watchlist"),
        },
    )
