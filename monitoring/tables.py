"""Lists of alerts and of people, with names only for those who need them."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from crm.errors import DomainError
from crm.models import User
from crm.ui.filters import WhenFilter
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    Column,
    DateColumn,
    Empty,
    PersonColumn,
    QuickFilter,
    StatusColumn,
    Table,
    YesNoColumn,
)
from monitoring.alerts import give_back, take
from monitoring.cards.previews import ALERT_PEEK
from monitoring.choices import AlertState, Severity
from monitoring.models import AgentDay, Alert, DayScore, Watch
from monitoring.queries import agent_name, agents_visible_to, alerts_visible_to
from monitoring.reasons import in_words


def first_reason(row: Alert, table: Table) -> str:
    """Return the alert's strongest reason in words, for the list."""
    return in_words(row.reasons[0]) if row.reasons else ""


class AlertFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=AlertState.choices, label=_("State"))
    severity = django_filters.ChoiceFilter(choices=Severity.choices, label=_("Severity"))
    reviewer = django_filters.ChoiceFilter(choices=[("me", _("Me"))], label=_("Reviewer"), method="reviewed_by_me")
    raised = WhenFilter(field_name="raised_at", label=_("Raised"))

    class Meta:
        model = Alert
        fields = ["state", "severity"]

    def reviewed_by_me(self, rows: QuerySet[Alert], _name: str, _value: str) -> QuerySet[Alert]:
        return rows.filter(reviewer=self.request.user)


def states_after(table: Table, state: str) -> list[AlertState]:
    """Offer to claim an alert and to release it; deciding it takes a verdict and a reason, on its page."""
    after = {AlertState.OPEN: [AlertState.IN_REVIEW], AlertState.IN_REVIEW: [AlertState.OPEN]}
    return after.get(AlertState(state), []) if table.user.has_perm("monitoring.decide_alert") else []


def change_state(row: Alert, to: str, user: User) -> Alert:
    """Claim or release an alert from its row."""
    verbs = {AlertState.IN_REVIEW.value: take, AlertState.OPEN.value: give_back}
    if to not in verbs:
        raise DomainError(str(_("Choose a status.")))
    return verbs[to](alert_id=row.pk, actor=user)


class AlertTable(Table):
    name, title, permission = "monitoring.alerts", _("Agent alerts"), "monitoring.view_alert"
    subtitle = _(
        "Days far from an agent's baseline, or breaking a rule. A person decides each alert; "
        "nothing happens automatically"
    )
    columns = [
        PersonColumn("agent", _("Agent"), render=lambda row, table: agent_name(table.user, row.agent), link=True),
        DateColumn("day", _("Day")),
        BadgeColumn("severity", _("Severity"), place="rest"),
        StatusColumn("state", _("State"), moves=states_after, verb=change_state),
        Column("why", _("Reason"), render=first_reason, css="clip"),
        Column("desk", _("Desk"), value="desk.name"),
        YesNoColumn("was_watched", _("Watched"), hidden=True),
        PersonColumn("reviewer", _("Reviewer")),
        AgoColumn("raised_at", _("Raised")),
        DateColumn("due_at", _("Review by"), sort=False),
    ]
    filterset = AlertFilter
    quick_filters = [
        QuickFilter(_("Mine"), {"reviewer": "me"}),
        QuickFilter(_("New today"), {"raised": "today"}),
        QuickFilter(_("Open"), {"state": AlertState.OPEN}),
        QuickFilter(_("In review"), {"state": AlertState.IN_REVIEW}),
        QuickFilter(_("Severe"), {"severity": Severity.SEVERE}),
    ]
    peek = ALERT_PEEK
    is_searchable = False
    empty = Empty(_("No alerts"), _("Every agent's day is close to their baseline."), "circle-check")

    def queryset(self) -> QuerySet[Alert]:
        return alerts_visible_to(self.user).select_related("agent", "desk", "reviewer")


class AgentTable(Table):
    """People and how their last scored day compares with their own usual; no ranking."""

    name, title, permission = "monitoring.agents", _("Baselines"), "monitoring.view_baselines"
    subtitle = _("What each agent usually does, and how far their last day was from it")
    columns = [
        PersonColumn("name", _("Agent"), render=lambda row, table: agent_name(table.user, row), link=True),
        Column("desk", _("Desk"), value="desk.name"),
        DateColumn("last_day", _("Last day")),
        Column("last_p", _("Likelihood"), render=lambda row, table: how_usual(row.last_p)),
        YesNoColumn("has_open_alert", _("Open alert")),
        YesNoColumn("is_watched", _("Watched")),
    ]
    default_order = "id"
    search_fields = ["first_name", "last_name"]
    row_url_name = "monitoring_agent"
    empty = Empty(_("No agents"), icon="users")

    def search(self, queryset: QuerySet[User], words: str) -> QuerySet[User]:
        """Search by name only for those who see names."""
        if not self.user.has_perm("monitoring.see_agent_names"):
            return queryset
        return super().search(queryset, words)

    def queryset(self) -> QuerySet[User]:
        counted = AgentDay.objects.filter(agent_id=OuterRef("pk"))
        last = DayScore.objects.filter(agent_id=OuterRef("pk")).order_by("-day")
        open_alert = Alert.objects.filter(agent_id=OuterRef("pk")).exclude(state=AlertState.DECIDED)
        watch = Watch.objects.on(self.now.date()).filter(agent_id=OuterRef("pk"), ended_at__isnull=True)
        return (
            agents_visible_to(self.user)
            .filter(Exists(counted), is_active=True)
            .select_related("desk")
            .annotate(
                last_day=Subquery(last.values("day")[:1]),
                last_p=Subquery(last.values("probability")[:1]),
                has_open_alert=Exists(open_alert),
                is_watched=Exists(watch),
            )
        )


def how_usual(probability: float | None) -> str:
    """Put a probability in words: of how many such days one is as far out."""
    if probability is None:
        return ""
    if probability > 0.05:
        return str(_("normal"))
    times = 1 / max(probability, 1e-7)
    rounded = int(round(times, 1 - len(str(int(times)))))
    return str(_("1 day in %(count)s") % {"count": f"{rounded:,}"})


class WatchTable(Table):
    name, title, permission = "monitoring.watchlist", _("Agent watchlist"), "monitoring.manage_watchlist"
    subtitle = _(
        "Agents to monitor more closely for a time: leaving, changing role or new. Alerts are "
        "raised at a lower threshold"
    )
    columns = [
        PersonColumn("agent", _("Agent"), render=lambda row, table: agent_name(table.user, row.agent)),
        BadgeColumn("kind", _("Type")),
        DateColumn("from_on", _("From")),
        DateColumn("to_on", _("Until")),
        Column("reason", _("Reason"), css="clip"),
        Column("made_by", _("Added by")),
        AgoColumn("ended_at", _("Ended")),
    ]
    is_searchable = False
    row_url_name = "monitoring_watch"
    empty = Empty(_("No agents on the watchlist"), icon="eye-off")

    def queryset(self) -> QuerySet[Watch]:
        return Watch.objects.filter(agent__in=agents_visible_to(self.user)).select_related("agent", "made_by")
