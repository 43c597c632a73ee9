"""Whom monitoring notifies of an alert."""

from crm.events import AlertRaised, StaffDatesChanged, subscribe
from crm.i18n.localized_text import joined, phrase
from crm.models import StaffEmployment, User
from crm.notices.notify import notify, people_with
from monitoring import baselines
from monitoring.choices import MonitoringNotice
from monitoring.leaving import offboarding
from monitoring.models import Alert
from monitoring.policies import can_review
from monitoring.queries import alerts_visible_to
from monitoring.reasons import reason_phrase


@subscribe(AlertRaised)
def tell_the_desk_head(event: AlertRaised) -> None:
    """Notify the heads of the agent's desk of an alert; where none of them may review it, everybody who may."""
    alert = Alert.objects.select_related("agent", "desk").get(pk=event.alert_id)
    may = [
        user
        for user in User.objects.filter(pk__in=people_with("monitoring.decide_alert", brand_id=alert.brand_id))
        if can_review(user, alert) and alerts_visible_to(user).filter(pk=alert.pk).exists()
    ]
    heads = [user for user in may if user.desk_id is not None and user.desk_id == alert.desk_id] or may
    notify(
        heads,
        kind=MonitoringNotice.ALERT_RAISED,
        title=phrase("%(agent)s: unusual day") % {"agent": alert.agent},
        body=joined(reason_phrase(reason) for reason in alert.reasons),
        url=alert.get_absolute_url(),
        dedupe_key=f"monitoring.alert:{alert.pk}",
    )


@subscribe(StaffDatesChanged)
def follow_the_dates(event: StaffDatesChanged) -> None:
    """Have the offboarding fall due after the last day; a role change on a day that was learned already starts a new habit."""
    row = StaffEmployment.objects.select_related("user").filter(pk=event.user_id).first()
    if row is None:
        return
    if event.is_about_leaving:
        offboarding.schedule(row)
    learned = baselines.last_learned()
    if event.is_role_change and row.role_changed_on and learned and row.role_changed_on <= learned:
        baselines.forget(agent_id=event.user_id)
