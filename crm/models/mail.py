from django.db import models

from crm.choices import MAIL_TRANSITIONS, MailState
from crm.db.states import HasState


class OutgoingMail(HasState):
    """An e-mail that must go out: written in the transaction of its cause, sent by a worker afterwards.

    A secret mail (it carries a sign-in link) is kept encrypted and emptied once it is sent.
    """

    TRANSITIONS = {"state": MAIL_TRANSITIONS}

    kind = models.CharField(max_length=60, help_text="What the mail is for, e.g. 'accounts.invitation'")
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.BinaryField(help_text="Text and HTML as JSON; encrypted under the instance's key when secret")
    is_secret = models.BooleanField(default=False)
    sender_name = models.CharField(max_length=80, blank=True)
    reply_to = models.EmailField(blank=True)
    brand = models.ForeignKey("crm.Brand", on_delete=models.PROTECT, null=True, related_name="+")
    client_id = models.BigIntegerField(null=True)
    # An event that is delivered twice is one e-mail.
    dedupe_key = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=8, choices=MailState.choices, default=MailState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at", "id"], name="mail_due", condition=models.Q(state="waiting")),
            models.Index(fields=["client_id", "-id"], name="mail_by_client"),
            models.Index(fields=["finished_at"], name="mail_failed", condition=models.Q(state="failed")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dedupe_key"], condition=~models.Q(dedupe_key=""), name="a_mail_is_sent_once_per_key"
            ),
            models.CheckConstraint(
                condition=models.Q(state="waiting") | models.Q(finished_at__isnull=False),
                name="finished_mail_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}"
