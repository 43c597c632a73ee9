"""Platform servers, how far each is read, and what about them needs a person."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from crm.security import crypto
from trading.choices import IssueKind, PlatformKind, Transport

CREDENTIALS_PURPOSE = "trading-server"


class TradingServer(models.Model):
    """One trade server of one platform. Tickets and logins are unique on it, and only on it."""

    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=12, choices=PlatformKind.choices, default=PlatformKind.MT5)
    host = models.CharField(max_length=200)
    port = models.PositiveIntegerField(default=443)
    manager_login = models.CharField(max_length=32)
    credentials = models.BinaryField(editable=False, help_text=_("Encrypted; see set_password"))
    transport = models.CharField(
        max_length=8, choices=Transport.choices, default=Transport.RAW, help_text=_("Form of the Web API")
    )
    crypt_method = models.CharField(
        max_length=12, default="AES256OFB", help_text=_("For raw TCP only; HTTPS has its own encryption")
    )
    certificate = models.TextField(
        blank=True, help_text=_("HTTPS only: PEM of the trusted authority or server, if it isn't a public one")
    )
    balance_command = models.CharField(
        max_length=40,
        default="TRADE_BALANCE",
        validators=[RegexValidator(r"\A[A-Z][A-Z0-9_]+\Z")],
        help_text=_(
            "Command that books deposits; a broker's own plugin may use a different one with the same parameters"
        ),
    )
    path_prefix = models.CharField(
        max_length=60,
        default="/api",
        blank=True,
        validators=[RegexValidator(r"\A(/[A-Za-z0-9._~-]+)*\Z")],
        help_text=_("HTTPS only: path in front of the commands; empty for older builds that use /trade_balance"),
    )
    options = models.JSONField(
        default=dict, blank=True, help_text=_("Further connection settings for this platform, see its `options`")
    )
    withheld = models.JSONField(
        default=list,
        blank=True,
        help_text=_("What the broker doesn't allow this manager to do, see platforms.capabilities"),
    )
    reads_export = models.BooleanField(
        default=False, help_text=_("Deals are read from the broker's SQL export; see set_export_url")
    )
    time_zone = models.CharField(
        max_length=40, default="EET", help_text=_("Time zone of the server's clock; its times don't include one")
    )
    group_mask = models.CharField(max_length=300, default="*", help_text=_("Groups to read, e.g. real*,!real\\\test"))
    # Logins that we give out ourselves: a repeated "create" then meets the account that it made the first time.
    first_login = models.BigIntegerField(default=700_001)
    last_login = models.BigIntegerField(default=799_999)
    next_login = models.BigIntegerField(default=700_001)
    is_demo = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["credentials", "next_login"])

    class Meta:
        ordering = ["name"]
        permissions = [
            ("view_platform_health", "May see platform health and open questions"),
            ("manage_servers", "May connect and change trading servers"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(next_login__gte=models.F("first_login"))
                & models.Q(next_login__lte=models.F("last_login") + 1),
                name="next_login_is_in_the_servers_range",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def set_password(self, password: str) -> None:
        """Keep the manager's API password, encrypted under the instance's key."""
        self._keep_secret("password", password)

    def password(self) -> str:
        return self._secrets()["password"]

    def set_export_url(self, url: str) -> None:
        """Keep the address of the broker's SQL export, with the name and password in it, encrypted; empty: there is none."""
        self._keep_secret("export_url", url)
        self.reads_export = bool(url)

    def stored_option(self, name: str, *, is_secret: bool) -> str:
        """Return a platform's own setting as it was saved, or an empty text; `platforms.pool` knows the default."""
        stored = self._secrets().get(f"option:{name}") if is_secret else self.options.get(name)
        return "" if stored is None else stored

    def set_secret_option(self, name: str, value: str) -> None:
        """Keep a platform's own setting that is a secret, encrypted."""
        self._keep_secret(f"option:{name}", value)

    def export_url(self) -> str:
        return self._secrets().get("export_url", "")

    def _secrets(self) -> dict[str, str]:
        if not self.credentials:
            return {}
        secrets: dict[str, str] = json.loads(crypto.decrypt(self.credentials, purpose=CREDENTIALS_PURPOSE))
        return secrets

    def _keep_secret(self, name: str, value: str) -> None:
        secrets = {**self._secrets(), name: value}
        self.credentials = crypto.encrypt(json.dumps(secrets).encode(), purpose=CREDENTIALS_PURPOSE)


class SyncCursor(models.Model):
    """How far one kind of data of one server is read, and how it went the last time."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="cursors")
    kind = models.CharField(max_length=16, help_text="deals, accounts, positions, symbols")
    position_msc = models.BigIntegerField(
        default=0, help_text=_("Server time in milliseconds up to which data has been read")
    )
    read_at = models.DateTimeField(null=True, help_text=_("Last success"))
    rows = models.PositiveIntegerField(default=0, help_text=_("Rows read in the last success"))
    duration_ms = models.PositiveIntegerField(default=0)
    lag_ms = models.BigIntegerField(
        null=True, help_text=_("Newest deal: delay between the platform's clock and our table")
    )
    clock_offset_seconds = models.IntegerField(
        null=True, help_text=_("Server clock minus UTC, as reported by the server")
    )
    failures = models.PositiveIntegerField(default=0, help_text=_("Consecutive failures"))
    error = models.CharField(max_length=300, blank=True)
    error_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["server_id", "kind"]
        constraints = [models.UniqueConstraint(fields=["server", "kind"], name="one_cursor_per_server_and_kind")]

    def __str__(self) -> str:
        return f"{self.server} {self.kind}"


class PlatformIssue(models.Model):
    """Something on a platform that only a person can settle. The same thing is one open issue, however often it is met."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="issues")
    kind = models.CharField(max_length=20, choices=IssueKind.choices)
    subject = models.CharField(max_length=80, help_text=_("What it's about: a ticket, a symbol, a login, a reference"))
    details = models.JSONField(default=dict)
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey("crm.User", on_delete=models.PROTECT, null=True, related_name="+")
    resolution = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["server", "kind", "subject"],
                condition=models.Q(closed_at__isnull=True),
                name="one_open_platform_issue_per_subject",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"
