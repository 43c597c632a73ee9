"""What the client portal keeps of its own: whose e-mail is proven, and what each client agreed to, in which words."""

from django.db import models

from clients.models import Client
from crm.models import Brand, User
from crm.models.audit import append_only
from portal.choices import ConsentKind


class PortalLogin(models.Model):
    """How a portal login came to be. Nobody signs in before the e-mail is proven by a link."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="portal_login")
    email_verified_at = models.DateTimeField(null=True)
    registered_at = models.DateTimeField(auto_now_add=True)
    registered_ip = models.GenericIPAddressField(null=True)
    referral_code = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"Login of {self.user}"


class ConsentText(models.Model):
    """The wording of a consent at a brand, in one language. A new wording is a new version; rows never change."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="consent_texts")
    kind = models.CharField(max_length=12, choices=ConsentKind.choices)
    language = models.CharField(max_length=8)
    version = models.CharField(max_length=20)
    label = models.TextField(help_text="What stands beside the tick box")
    body = models.TextField(blank=True, help_text="The document behind it; empty where the label says it all")
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["-published_at", "-id"]
        triggers = append_only("consent_text")
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "kind", "language", "version"], name="one_wording_per_consent_language_and_version"
            )
        ]
        indexes = [models.Index(fields=["brand", "language", "kind", "-published_at"], name="consent_texts_current")]

    def __str__(self) -> str:
        return f"{self.kind} {self.version} ({self.language})"


class Consent(models.Model):
    """One tick or un-tick by one client. The newest row of a kind counts."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="consents")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="+")
    is_given = models.BooleanField()
    at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        triggers = append_only("consent")
        indexes = [models.Index(fields=["client", "-at", "-id"], name="consents_by_client")]

    def __str__(self) -> str:
        return f"{'yes' if self.is_given else 'no'} to {self.text}"
