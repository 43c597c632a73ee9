"""Whom monitoring notifies of an alert."""

from crm.events import AlertRaised, subscribe
from crm.i18n.localized_text import joined, phrase
from crm.models import User
from crm.notices.notify import notify, people_with
from monitoring.choices import MonitoringNotice
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
