"""A person's own notification settings: which events, through which channel, and when e-mails may come."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm.choices import EmailChannel
from crm.models import NotificationSchedule
from crm.notices.kinds import NotificationKind
from crm.notices.settings import Channels, channels_of, reset_settings, save_settings, schedule_of
from crm.ui.actions import run_action
from crm.ui.forms import DayInput, ModelForm

if TYPE_CHECKING:
    from django.http import QueryDict

    from crm.web.requests import UserRequest


class ScheduleForm(ModelForm[NotificationSchedule]):
    class Meta:
        model = NotificationSchedule
        fields = ["summary_at", "quiet_from", "quiet_to", "paused_until"]
        labels = {
            "summary_at": gettext_lazy("Daily summary at"),
            "quiet_from": gettext_lazy("Quiet hours from"),
            "quiet_to": gettext_lazy("Quiet hours until"),
            "paused_until": gettext_lazy("Pause e-mails until"),
        }
        help_texts = {
            "quiet_to": gettext_lazy("E-mails wait until the end of the quiet hours."),
            "paused_until": gettext_lazy("No e-mails before this day. The app keeps notifying you."),
        }
        widgets = {
            "summary_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_to": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "paused_until": DayInput(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("quiet_from", "quiet_to", "paused_until"):
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        start, end = data.get("quiet_from"), data.get("quiet_to")
        if (start is None) != (end is None):
            self.add_error("quiet_to" if end is None else "quiet_from", _("Enter both times, or neither."))
        elif start is not None and start == end:
            self.add_error("quiet_to", _("Enter a different end time."))
        return data


def _chosen(data: QueryDict, kinds: list[NotificationKind]) -> dict[NotificationKind, Channels]:
    """Read the matrix; a channel that nobody offers counts as no e-mail."""
    in_app = set(data.getlist("in_app"))
    emails = {kind: data.get(f"email:{kind}", "") for kind in kinds}
    return {
        kind: Channels(kind.value in in_app, email if email in EmailChannel.values else "")
        for kind, email in emails.items()
    }


@login_required
@require_http_methods(["GET", "POST"])
def notification_settings(request: UserRequest) -> HttpResponse:
    """Let a person choose what they are notified of, by which channel, and when e-mails may come."""
    user = request.user
    if "reset" in request.POST:
        run_action(request, lambda: reset_settings(user=user), _("Default settings restored."))
        return redirect("notification_settings")
    channels = channels_of(user)
    form = ScheduleForm(request.POST or None, instance=schedule_of(user))
    if request.method == "POST":
        channels = _chosen(request.POST, list(channels))
        if form.is_valid() and run_action(
            request,
            lambda: save_settings(user=user, channels=channels, schedule=form.save(commit=False)),
            _("Notification settings saved."),
            form=form,
        ):
            return redirect("notification_settings")
    groups = [(group.label, list(rows)) for group, rows in groupby(channels.items(), key=lambda row: row[0].group)]
    context = {
        "groups": groups,
        "form": form,
        "options": EmailChannel.choices,
        "zone": timezone.get_current_timezone_name(),
    }
    return render(request, "crm/pages/notification_settings.html", context, status=422 if form.errors else 200)
