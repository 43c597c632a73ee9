"""What the client portal keeps of its own: whose e-mail is proven, and what each client agreed to, in which words."""

from django.db import models
from django.utils.translation import gettext as _

from clients.models import Client
from crm.models import TextWording, User
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


class Consent(models.Model):
    """One tick or un-tick by one client. The newest row of a kind counts."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="consents")
    text = models.ForeignKey(TextWording, on_delete=models.PROTECT, related_name="+")
    is_given = models.BooleanField()
    at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        triggers = append_only("consent", erased={"ip": "NULL"})
        indexes = [models.Index(fields=["client", "-at", "-id"], name="consents_by_client")]

    def __str__(self) -> str:
        return f"{'yes' if self.is_given else 'no'} to {self.text}"

    @property
    def kind(self) -> str:
        return self.text.key.partition(".")[2]

    @property
    def kind_label(self) -> str:
        return str(ConsentKind(self.kind).label)

    @property
    def version_label(self) -> str:
        version = self.text.version
        return _("Version %(number)s") % {"number": version.number} if version else _("Standard text")
