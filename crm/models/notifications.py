from django.db import models

from crm.i18n.localized_text import texts_for_reader


class Notification(models.Model):
    """A line for one person's bell, pushed live to open pages."""

    user = models.ForeignKey("crm.User", on_delete=models.CASCADE, related_name="notifications", db_index=False)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=160)
    body = models.CharField(max_length=400, blank=True)
    said = models.JSONField(default=dict, help_text="Messages and values of title and body")
    url = models.CharField(max_length=300, blank=True)
    # An event that is delivered twice is one row.
    dedupe_key = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"], name="notifications_by_user"),
            models.Index(fields=["user"], name="notifications_unread", condition=models.Q(read_at__isnull=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "dedupe_key"], condition=~models.Q(dedupe_key=""), name="a_notification_is_told_once"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def reading(self) -> dict[str, str]:
        """Title and body in the language that is being read."""
        return texts_for_reader(self.said, self.title, self.body)
