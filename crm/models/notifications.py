import datetime as dt
from typing import Final

from django.db import models

from crm.choices import EmailChannel
from crm.i18n.localized_text import texts_for_reader


class Notification(models.Model):
    """A line for one person's bell, pushed live to open pages."""

    user = models.ForeignKey("crm.User", on_delete=models.CASCADE, related_name="notifications", db_index=False)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=160)
    body = models.CharField(max_length=1_000, blank=True)
    said = models.JSONField(default=dict, help_text="Messages and values of title and body")
    url = models.CharField(max_length=300, blank=True)
    # An event that is delivered twice is one row.
    dedupe_key = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)
    is_in_app = models.BooleanField(default=True, help_text="In the bell; False where the person wants e-mail only")
    email = models.CharField(max_length=8, choices=EmailChannel.choices, blank=True, default=EmailChannel.OFF)
    email_due_at = models.DateTimeField(null=True, help_text="Empty once it was e-mailed or needs no e-mail any more")
    emailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"], name="notifications_by_user"),
            models.Index(fields=["user"], name="notifications_unread", condition=models.Q(read_at__isnull=True)),
            models.Index(
                fields=["email_due_at", "user"],
                name="notifications_to_email",
                condition=models.Q(email_due_at__isnull=False),
            ),
            models.Index(
                fields=["user", "emailed_at"],
                name="notifications_emailed",
                condition=models.Q(emailed_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "dedupe_key"], condition=~models.Q(dedupe_key=""), name="a_notification_is_told_once"
            ),
            models.CheckConstraint(
                condition=models.Q(is_in_app=True) | ~models.Q(email=""), name="notification_reaches_its_person"
            ),
            models.CheckConstraint(
                condition=models.Q(email_due_at__isnull=True)
                | (~models.Q(email="") & models.Q(emailed_at__isnull=True)),
                name="notification_is_emailed_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def reading(self) -> dict[str, str]:
        """Title and body in the language that is being read."""
        return texts_for_reader(self.said, self.title, self.body)


SUMMARY_AT: Final = dt.time(8)


class NotificationChoice(models.Model):
    """How one person wants to hear of one kind, where that differs from the kind's default."""

    user = models.ForeignKey("crm.User", on_delete=models.CASCADE, related_name="notification_choices", db_index=False)
    kind = models.CharField(max_length=60)
    is_in_app = models.BooleanField()
    email = models.CharField(max_length=8, choices=EmailChannel.choices, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="one_choice_per_person_and_kind"),
            models.CheckConstraint(
                condition=models.Q(email__in=EmailChannel.values), name="notification_choice_has_a_known_channel"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class NotificationSchedule(models.Model):
    """When a person wants notifications by e-mail, in their own time zone."""

    user = models.OneToOneField(
        "crm.User", on_delete=models.CASCADE, primary_key=True, related_name="notification_schedule"
    )
    summary_at = models.TimeField(default=SUMMARY_AT)
    quiet_from = models.TimeField(null=True)
    quiet_to = models.TimeField(null=True)
    paused_until = models.DateField(null=True, help_text="No e-mails before this day")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | (
                    models.Q(quiet_from__isnull=False, quiet_to__isnull=False)
                    & ~models.Q(quiet_from=models.F("quiet_to"))
                ),
                name="quiet_hours_have_both_ends",
            )
        ]

    def __str__(self) -> str:
        return f"schedule of {self.user_id}"
